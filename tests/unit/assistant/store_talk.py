"""Conversations for tests of the tracker store: as Rasa's processor has them, without a model."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rasa.core.tracker_store import FailSafeTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from ebb.assistant.tracker_store import ConversationStore

DOMAIN = Domain.from_dict(
    {
        "intents": ["tell"],
        "slots": {
            name: {
                "type": "any",
                "influence_conversation": False,
                "mappings": [{"type": "custom"}],
            }
            for name in ("conversation", "country", "question_open")
        },
    }
)


class Talk:
    """Conversations through Rasa's own wrapper, as its processor has them."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.store = ConversationStore(
            DOMAIN, db=str(folder / "events.db"), spool=folder / "spool", **options
        )
        self.rasa = FailSafeTrackerStore(self.store)

    async def begin(self, conversation: str) -> DialogueStateTracker:
        return await self.rasa.get_or_create_tracker(conversation, append_action_listen=False)

    async def turn(self, conversation: str, text: str, /, **slots: Any) -> None:
        tracker = await self.begin(conversation)
        write(tracker, text, **slots)
        await self.rasa.save(tracker)

    def rows(self, statement: str = "SELECT * FROM events ORDER BY id") -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.folder / "events.db")
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def texts(self, conversation: str) -> list[str]:
        found = self.rows("SELECT sender_id, type_name, data FROM events ORDER BY id")
        return [
            json.loads(data)["text"]
            for sender, kind, data in found
            if kind == "user" and sender == conversation
        ]


def write(tracker: DialogueStateTracker, text: str, /, **slots: Any) -> None:
    """One turn as Rasa puts it on a tracker."""
    if not tracker.applied_events():
        for event in (
            ActionExecuted("action_session_start"),
            SessionStarted(),
            ActionExecuted("action_listen"),
        ):
            tracker.update(event)
    intent = {"name": "tell", "confidence": 1.0}
    tracker.update(UserUttered(text, intent, [], {"text": text, "intent": intent}))
    tracker.update(ActionExecuted("utter_ok"))
    tracker.update(BotUttered(f"re {text}"))
    for name, value in slots.items():
        tracker.update(SlotSet(name, value))
    tracker.update(ActionExecuted("action_listen"))


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


def said(tracker: DialogueStateTracker | None) -> list[str]:
    assert tracker is not None
    return [e.text for e in tracker.events if isinstance(e, UserUttered)]
