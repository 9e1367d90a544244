"""Says that it did not understand: "did you mean", then the menu and a human."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.turn import country_of, honest, utter
from ebb.conversation.core import core


class ActionClarify(Action):
    """Never a confident wrong answer."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_clarify"

    @honest
    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answer the turn."""
        utter(dispatcher, core().clarify(tracker.events, country_of(tracker)))
        return []
