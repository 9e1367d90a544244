"""Merges what she said and asks the next question, or shows the outcome."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.turn import country_of, honest, kept, state_of, utter
from ebb.conversation.core import core


class ActionTriage(Action):
    """One call a turn; the whole state is in one slot."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_triage"

    @honest
    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answer the turn."""
        state, replies = core().turn(state_of(tracker), tracker.events, country_of(tracker))
        utter(dispatcher, replies)
        return kept(state)
