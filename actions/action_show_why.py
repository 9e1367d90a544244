"""Shows the reasons and sources of the last advice."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.turn import honest, state_of, utter
from ebb.conversation.core import core


class ActionShowWhy(Action):
    """Every piece of advice says why it was given and where it comes from."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_show_why"

    @honest
    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answer the turn."""
        utter(dispatcher, core().why(state_of(tracker), tracker.events))
        return []
