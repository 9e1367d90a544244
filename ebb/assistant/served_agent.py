"""Rasa's agent, made so that every turn ends with a reply, and with both in the store.

Rasa drops messages in silence without a model, loses a turn in which anything raises, and ends
one without a word when an answer cannot be made. Here such a turn is completed: her message is
read by the rules in knowledge/ alone, a crisis gets its reply and everything else the honest line,
and all of it is stored like any other turn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rasa.core.actions.action import create_bot_utterance
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.nlu.classifiers.regex_message_handler import RegexMessageHandler
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from ebb.assistant.nlu import FALLBACK, Understanding
from ebb.assistant.policy import done_since_she_wrote, due
from ebb.assistant.responses import reply_to
from ebb.assistant.tracker_view import COUNTRY_SLOT, slot
from ebb.assistant.wire import as_rasa
from ebb.conversation.core import CRISIS, LISTEN
from ebb.conversation.events import SAFETY

log = logging.getLogger(__name__)

HONEST, SESSION, TIMESTAMP = "utter_default", "action_session_start", "timestamp"
AGAIN = "ebb_again"
"""Metadata of a message that an earlier process had accepted, and perhaps stored."""


class ServedAgent(Agent):
    """An agent that may be without a model; `domain_file` is read then."""

    def __init__(self, domain_file: Path, **parts: Any) -> None:
        super().__init__(**parts)
        self._domain_file = domain_file
        self._plain: Domain | None = None

    def prepare_without_model(self) -> None:
        """Read now what the first turn without a model would have to wait for."""
        try:
            self._current_domain()
        except Exception as error:
            log.error("reading the domain failed: %s", type(error).__name__)

    async def handle_message(self, message: UserMessage) -> list[dict[str, Any]] | None:
        """One turn. Raises only what the store raises where it can keep nothing."""
        async with self.lock_store.lock(message.sender_id):
            return None if await self._stored(message) else await self._turn(message)

    async def _turn(self, message: UserMessage) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] | None = None
        with _noted(message.output_channel) as sent:
            if self.processor is not None:
                try:
                    found = await self.processor.handle_message(message)
                except Exception as error:
                    # Only the kind of error: its text may hold what she wrote.
                    log.error("Rasa's turn failed: %s", type(error).__name__)
                else:
                    if sent:
                        return found
        await self._complete(message, sent)
        return found

    async def keep(self, conversation: str, lines: Sequence[dict[str, Any]]) -> None:
        """Store what a channel said by itself, each with the time at which it did."""
        async with self.lock_store.lock(conversation):
            tracker = await self.tracker_store.get_or_create_tracker(
                conversation, append_action_listen=False
            )
            for line in lines:
                said = create_bot_utterance({k: v for k, v in line.items() if k != TIMESTAMP})
                said.timestamp = line.get(TIMESTAMP, said.timestamp)
                _add(tracker, self._current_domain(), said)
            await self.tracker_store.save(tracker)

    async def _stored(self, message: UserMessage) -> bool:
        """Whether a message that is handled again was stored by the process before."""
        if not (message.metadata or {}).get(AGAIN):
            return False
        tracker = await self.tracker_store.retrieve(message.sender_id)
        return tracker is not None and any(
            isinstance(event, UserUttered) and event.message_id == message.message_id
            for event in tracker.events
        )

    async def _complete(self, message: UserMessage, sent: list[dict[str, Any]]) -> None:
        """Store what the turn did not, and end its silence. `sent` is what she has seen of it."""
        domain = self._current_domain()
        tracker = await self.tracker_store.get_or_create_tracker(
            message.sender_id, append_action_listen=False
        )
        heard = _last_heard(tracker)
        if heard is None or heard.message_id != message.message_id:
            self._hear(message, tracker, domain)
            if sent:
                events: list[Event] = [create_bot_utterance(dict(reply)) for reply in sent]
                _add(tracker, domain, *events, ActionExecuted(LISTEN))
        if not sent and not _answered(tracker):
            action = CRISIS if _calls_for_help(tracker) else HONEST
            reply = reply_to(action, tracker)
            events = [ActionExecuted(action)]
            if reply is not None:
                event = create_bot_utterance(as_rasa(reply))
                events.append(event)
                await message.output_channel.send_response(message.sender_id, event.message())
            _add(tracker, domain, *events, ActionExecuted(LISTEN))
        await self.tracker_store.save(tracker)

    def _hear(
        self, message: UserMessage, tracker: DialogueStateTracker, domain: Domain | None
    ) -> None:
        if not tracker.applied_events():
            begun = (ActionExecuted(SESSION), SessionStarted(), ActionExecuted(LISTEN))
            _add(tracker, domain, *begun)
        _add(tracker, domain, _heard(message, tracker, domain))
        country = (message.metadata or {}).get(COUNTRY_SLOT)
        if isinstance(country, str) and slot(tracker, COUNTRY_SLOT) is None:
            _add(tracker, domain, SlotSet(COUNTRY_SLOT, country))

    def _current_domain(self) -> Domain | None:
        """The model's domain; or, for the stores and the responses, that of the missing model."""
        if self.domain is not None:
            return self.domain
        if self._plain is None:
            self._plain = Domain.load(str(self._domain_file))
        self.tracker_store.domain = self._plain
        return self._plain


@contextmanager
def _noted(channel: Any) -> Iterator[list[dict[str, Any]]]:
    """What goes out on `channel` meanwhile."""
    sent: list[dict[str, Any]] = []
    send = channel.send_response

    async def noting(recipient: str, message: dict[str, Any]) -> None:
        sent.append(message)
        await send(recipient, message)

    channel.send_response = noting
    try:
        yield sent
    finally:
        del channel.send_response


def _heard(
    message: UserMessage, tracker: DialogueStateTracker, domain: Domain | None
) -> UserUttered:
    """Her message as the rules read it. The intent is known for a pressed button only."""
    text, metadata = message.text or "", message.metadata or {}
    parsed: dict[str, Any] = {INTENT: {"name": FALLBACK, "confidence": 1.0}, ENTITIES: []}
    try:
        (read,) = Understanding().process([Message({TEXT: text, "metadata": metadata})], tracker)
        (read,) = RegexMessageHandler().process([read], domain)
        parsed |= read.as_dict(only_output_properties=True)
    except Exception as error:
        log.error("reading a message failed: %s", type(error).__name__)
        if SAFETY in metadata:
            parsed[SAFETY] = metadata[SAFETY]
    return UserUttered(
        text,
        parsed[INTENT],
        parsed[ENTITIES],
        {**parsed, TEXT: text},
        input_channel=message.input_channel,
        message_id=message.message_id,
        metadata=metadata,
    )


def _add(tracker: DialogueStateTracker, domain: Domain | None, *events: Event) -> None:
    for event in events:
        tracker.update(event, domain)


def _last_heard(tracker: DialogueStateTracker) -> UserUttered | None:
    return next((e for e in reversed(tracker.events) if isinstance(e, UserUttered)), None)


def _calls_for_help(tracker: DialogueStateTracker) -> bool:
    """Whether a crisis reply is due, or was and could not be made."""
    return CRISIS in (done_since_she_wrote(tracker) or ()) or due(tracker) == CRISIS


def _answered(tracker: DialogueStateTracker) -> bool:
    """Whether a reply to her last message is stored."""
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            return False
        if isinstance(event, BotUttered):
            return True
    return False
