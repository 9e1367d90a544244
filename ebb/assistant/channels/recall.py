"""How a channel's door reads a stored conversation: through the store of the served agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ebb.assistant.channels.door import Recall
from ebb.conversation.events import Event


def recall_of(app: Any) -> Recall:
    """For the Sanic app that Rasa serves. The agent is looked up at each call: it may change."""

    async def recall(conversation: str) -> Sequence[Event] | None:
        store = getattr(getattr(app.ctx, "agent", None), "tracker_store", None)
        store = getattr(store, "_tracker_store", store)
        if store is None or not hasattr(store, "recent"):
            return None
        found: Sequence[Event] | None = await store.recent(conversation)
        return found

    return recall
