"""Turns while there is no usable model: crises are answered, the rest gets the honest line.

Rasa would drop every message in silence. Here each is read by the rules in knowledge/, answered,
and stored like any other turn, so that nothing is missing from the conversation once a model is
there again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.core.actions.action import create_bot_utterance
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.nlu.classifiers.regex_message_handler import RegexMessageHandler
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from ebb.assistant.nlu import Understanding
from ebb.assistant.tracker_view import COUNTRY_SLOT, STATE_SLOT, last_messages, slot
from ebb.conversation.core import CRISIS, LISTEN, core
from ebb.conversation.state import State

HONEST, FALLBACK, SESSION = "utter_default", "nlu_fallback", "action_session_start"


class ServedAgent(Agent):
    """Rasa's agent, which takes messages without a model too. `domain_file` is read when needed."""

    def __init__(self, domain_file: Path, **parts: Any) -> None:
        super().__init__(**parts)
        self._domain_file = domain_file
        self._plain: Domain | None = None

    async def handle_message(self, message: UserMessage) -> list[dict[str, Any]] | None:
        """One turn: with the model, or as far as it goes without."""
        if self.is_ready():
            found: list[dict[str, Any]] | None = await super().handle_message(message)
            return found
        async with self.lock_store.lock(message.sender_id):
            await self._turn_without_model(message)
        return None

    async def _turn_without_model(self, message: UserMessage) -> None:
        domain = self._domain()
        tracker = await self.tracker_store.get_or_create_tracker(
            message.sender_id, append_action_listen=False
        )
        if not tracker.applied_events():
            for event in (ActionExecuted(SESSION), SessionStarted(), ActionExecuted(LISTEN)):
                tracker.update(event, domain)
        tracker.update(_heard(message, tracker, domain), domain)
        country = (message.metadata or {}).get(COUNTRY_SLOT)
        if isinstance(country, str) and slot(tracker, COUNTRY_SLOT) is None:
            tracker.update(SlotSet(COUNTRY_SLOT, country), domain)
        state = State.from_json(slot(tracker, STATE_SLOT))
        due = core().decide(last_messages(tracker), state, ())
        action = CRISIS if due == CRISIS else HONEST
        channel = message.output_channel
        said = await self.nlg.generate(action, tracker, channel.name())
        tracker.update(ActionExecuted(action), domain)
        if said is not None:
            event = create_bot_utterance(said)
            tracker.update(event, domain)
            await channel.send_response(message.sender_id, event.message())
        tracker.update(ActionExecuted(LISTEN), domain)
        await self.tracker_store.save(tracker)

    def _domain(self) -> Domain:
        """What the stores and the responses need of the missing model."""
        if self._plain is None:
            self._plain = Domain.load(str(self._domain_file))
        self.tracker_store.domain = self._plain
        self.nlg.responses = self._plain.responses
        return self._plain


def _heard(message: UserMessage, tracker: DialogueStateTracker, domain: Domain) -> UserUttered:
    """Her message as the rules read it. The intent is known for a pressed button only."""
    read = Message({TEXT: message.text or "", "metadata": message.metadata or {}})
    read.set(INTENT, {"name": FALLBACK, "confidence": 1.0}, add_to_output=True)
    (read,) = Understanding().process([read], tracker)
    (read,) = RegexMessageHandler().process([read], domain)
    parsed = {TEXT: message.text, **read.as_dict(only_output_properties=True)}
    return UserUttered(
        message.text,
        parsed[INTENT],
        parsed["entities"],
        parsed,
        input_channel=message.input_channel,
        message_id=message.message_id,
        metadata=message.metadata,
    )
