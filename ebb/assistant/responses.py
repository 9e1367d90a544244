"""Response generator: what knowledge/ renders, in process; everything else from the domain.

Named under `nlg` in endpoints.yml, so that `rasa run` and `rasa shell` have it too.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any

from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from ebb.assistant.tracker_view import (
    COUNTRY_SLOT,
    STATE_SLOT,
    last_messages,
    slot,
    typed_words,
)
from ebb.assistant.wire import as_rasa
from ebb.conversation.core import CRISIS, core
from ebb.conversation.events import SAFETY, assessment_from_json
from ebb.conversation.state import State
from ebb.types import Assessment, Reply, Tier

log = logging.getLogger(__name__)


class Responses(TemplatedNaturalLanguageGenerator):
    """Renders replies that depend on the country, the tier or the state of the conversation."""

    def __init__(self, endpoint_config: EndpointConfig | None, domain: Domain) -> None:
        super().__init__(domain.responses)

    async def generate(
        self,
        utter_action: str,
        tracker: DialogueStateTracker,
        output_channel: str,
        **kwargs: Any,
    ) -> dict[str, Any] | None:
        """The message for `utter_action`. Where it cannot be made, the crisis reply without the
        conversation, for a crisis; else the honest line; and at worst the domain's own text."""
        reply = reply_to(utter_action, tracker)
        if reply is not None:
            return as_rasa(reply)
        try:
            return await super().generate(utter_action, tracker, output_channel, **kwargs)
        except Exception as error:
            log.error("filling %s failed: %s", utter_action, type(error).__name__)
        reply = _instead(utter_action, tracker)
        return None if reply is None else as_rasa(reply)

    def _random_response_for(
        self, utter_action: str, output_channel: str, filled_slots: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The first variation that fits: the same question always gets the same answer."""
        if utter_action not in self.responses:
            return None
        fitting = ResponseVariationFilter(self.responses).responses_for_utter_action(
            utter_action, output_channel, filled_slots
        )
        if not fitting:
            return None
        chosen = copy.deepcopy(fitting[0])
        meta = chosen.get("metadata") or {}
        # Rasa keeps unknown keys of a message as the event's metadata.
        chosen.pop("metadata", None)
        chosen.pop("condition", None)
        return {**chosen, "reply": utter_action, "sources": list(meta.get("sources") or ())}


def reply_to(utter_action: str, tracker: DialogueStateTracker) -> Reply | None:
    """The reply for an `utter_` action that knowledge/ renders, None for the domain's; raises
    nothing. Where rendering fails: see `Responses.generate`."""
    try:
        return core().render(
            utter_action,
            last_messages(tracker, keep=40),
            State.from_json(slot(tracker, STATE_SLOT)),
            slot(tracker, COUNTRY_SLOT),
        )
    except Exception as error:
        # Only the kind of error: its text may hold what she wrote.
        log.error("rendering %s failed: %s", utter_action, type(error).__name__)
    return _instead(utter_action, tracker)


def _instead(utter_action: str, tracker: DialogueStateTracker) -> Reply | None:
    """What can be said in other ways: as the safety net does, or without the conversation."""
    country = slot(tracker, COUNTRY_SLOT)
    ways: list[Callable[[], Reply | None]] = [lambda: core().failed(country)]
    if utter_action == CRISIS:
        urgent = Assessment(Tier.URGENT)
        ways.insert(0, lambda: core().renderer.crisis(urgent, country))
        ways.insert(0, lambda: _as_the_net(tracker, country))
    for way in ways:
        try:
            reply = way()
        except Exception as error:
            log.error("another way to reply failed: %s", type(error).__name__)
            continue
        if reply is not None:
            return reply
    return None


def _as_the_net(tracker: DialogueStateTracker, country: str | None) -> Reply | None:
    """The reply that a channel's safety net gives to her last message."""
    *before, last = last_messages(tracker, keep=40)
    if last.get("event") != "user":
        return None
    words = typed_words(last.get("text") or "")
    seen = assessment_from_json((last.get("parse_data") or {}).get(SAFETY))
    return core().crisis_reply(seen, words, None if words else last["text"], before, country)
