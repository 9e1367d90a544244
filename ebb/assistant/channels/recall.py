"""How a channel's door reaches what is stored of a conversation: through the served agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ebb.assistant.channels.door import Keep, Recall
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


def keep_of(app: Any) -> Keep:
    """Stores what a door says by itself."""

    async def keep(conversation: str, lines: Sequence[dict[str, Any]]) -> None:
        agent = getattr(app.ctx, "agent", None)
        if agent is not None and hasattr(agent, "keep"):
            await agent.keep(conversation, lines)

    return keep
