"""Keeps conversations in SQL (SQLite by default), and erases one when she asks for it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from ebb.assistant.tracker_view import STATE_SLOT

log = logging.getLogger(__name__)

ERASE = "erase"
"""Value of the conversation slot that asks the store to erase instead of keeping."""


class ConversationStore(SQLTrackerStore):
    """Rasa's SQL tracker store, which makes its folder and can erase a conversation."""

    def __init__(
        self,
        domain: Domain | None = None,
        dialect: str = "sqlite",
        db: str = "rasa.db",
        **kwargs: Any,
    ) -> None:
        if dialect == "sqlite" and db:
            Path(db).expanduser().resolve().parent.mkdir(parents=True, exist_ok=True)
        super().__init__(domain=domain, dialect=dialect, db=db, **kwargs)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep the new events; or erase all of them when the turn asked for that."""
        if _erasing(tracker):
            self.erase(tracker.sender_id)
            return
        await super().save(tracker)

    def erase(self, conversation: str) -> int:
        """Delete every event of `conversation`; returns how many there were."""
        with self.session_scope() as session:
            found: int = (
                session.query(self.SQLEvent)
                .filter(self.SQLEvent.sender_id == conversation)
                .delete(synchronize_session=False)
            )
            session.commit()
            if self.engine.dialect.name == "sqlite":
                # Deleted rows stay readable in the file until it is rewritten.
                session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).execute(
                    sa.text("VACUUM")
                )
            return found


def _erasing(tracker: DialogueStateTracker) -> bool:
    for event in reversed(tracker.events):
        if isinstance(event, SlotSet) and event.key == STATE_SLOT:
            return bool(event.value == ERASE)
    return False
