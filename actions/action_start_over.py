"""Starts over: forgets the answers, but not a red flag, the country or the baby's situation."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.turn import honest, kept, state_of, utter
from ebb.conversation.core import core


class ActionStartOver(Action):
    """A fresh start that keeps her safe."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_start_over"

    @honest
    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answer the turn."""
        state, replies = core().start_over(state_of(tracker), tracker.events)
        utter(dispatcher, replies)
        return kept(state)
