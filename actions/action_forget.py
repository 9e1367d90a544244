"""Erases the conversation when she asks for it, after one question."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.turn import STATE, honest, utter
from ebb.conversation.core import core


class ActionForget(Action):
    """Asks once; the tracker store erases at the end of the turn that confirms."""

    def name(self) -> str:
        """Its name in domain.yml."""
        return "action_forget"

    @honest
    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Answer the turn."""
        erase, replies = core().forget(tracker.events)
        utter(dispatcher, replies)
        return [SlotSet(STATE, "erase")] if erase else []
