"""Response generator: what knowledge/ renders, in process; everything else from the domain.

Named under `nlg` in endpoints.yml, so that `rasa run` and `rasa shell` have it too.
"""

from __future__ import annotations

import copy
import logging
from typing import Any

from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from ebb.assistant.tracker_view import COUNTRY_SLOT, STATE_SLOT, last_messages, slot
from ebb.assistant.wire import as_rasa
from ebb.conversation.core import core
from ebb.conversation.state import State

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
        """The message for `utter_action`; from the domain if rendering it fails."""
        try:
            reply = core().render(
                utter_action,
                last_messages(tracker, keep=40),
                State.from_json(slot(tracker, STATE_SLOT)),
                slot(tracker, COUNTRY_SLOT),
            )
        except Exception as error:
            log.error("rendering %s failed: %s", utter_action, type(error).__name__)
            reply = None
        if reply is not None:
            return as_rasa(reply)
        return await super().generate(utter_action, tracker, output_channel, **kwargs)

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
