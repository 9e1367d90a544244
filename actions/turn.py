"""What every action here does: hand the stored conversation to `ebb.conversation`, pass on replies.

Works the same in the assistant's process and in a separate action server.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from ebb.conversation.core import core
from ebb.conversation.state import State
from ebb.types import Reply

log = logging.getLogger(__name__)

Run = Callable[[Any, CollectingDispatcher, Tracker, dict[str, Any]], Awaitable[list[EventType]]]

STATE, OPEN, COUNTRY = "conversation", "question_open", "country"


def honest(run: Run) -> Run:
    """For an action's `run`: where it raises, she gets the honest line and the help numbers.

    Nothing may leave an action as an error: rasa-sdk answers with the whole conversation then,
    and logs it.
    """

    @functools.wraps(run)
    async def safe(
        action: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        try:
            return await run(action, dispatcher, tracker, domain)
        except Exception as error:
            log.error("%s failed: %s", action.name(), type(error).__name__)
            dispatcher.messages.clear()
            utter(dispatcher, (core().failed(country_of(tracker)),))
            return []

    return safe


def state_of(tracker: Tracker) -> State:
    """The state kept in the conversation's slot."""
    return State.from_json(tracker.get_slot(STATE))


def country_of(tracker: Tracker) -> str | None:
    """The country she said, or the host set for this conversation."""
    country = tracker.get_slot(COUNTRY)
    return country if isinstance(country, str) else None


def utter(dispatcher: CollectingDispatcher, replies: Sequence[Reply]) -> None:
    """Send `replies`; their ids and questions go along as metadata of the bot events."""
    for reply in replies:
        meta: dict[str, Any] = {"reply": reply.id, **reply.meta}
        if reply.asked:
            meta["asked"] = reply.asked
        dispatcher.utter_message(
            text=reply.text,
            buttons=[{"title": b.title, "payload": b.payload} for b in reply.buttons],
            json_message=dict(reply.card) if reply.card is not None else None,
            **meta,
        )


def kept(state: State) -> list[EventType]:
    """The events that keep `state`."""
    return [SlotSet(STATE, state.to_json()), SlotSet(OPEN, state.waiting)]
