"""Erases a conversation from every store that this machine keeps, with a receipt."""

from __future__ import annotations

from typing import Any

from ebb.assistant import spool
from ebb.knowledge.places import PROJECT


def erase(conversation: str) -> dict[str, Any]:
    """Delete `conversation` from the tracker database and the crisis record.

    Returns `{"conversation", "erased": {store: count}, "ok"}`; counts are of events or lines.
    """
    from rasa.core.utils import AvailableEndpoints

    from ebb.assistant.tracker_store import ConversationStore

    endpoints = AvailableEndpoints.read_endpoints(str(PROJECT / "endpoints.yml"))
    options = dict(endpoints.tracker_store.kwargs) if endpoints.tracker_store else {}
    if options.get("dialect", "sqlite") == "sqlite":
        options["db"] = str(PROJECT / options.get("db", "rasa.db"))
    store = ConversationStore(**options)
    erased = {"tracker": store.erase(conversation)}
    erased["crisis_record"] = spool.erase(PROJECT / ".ebb" / "spool", conversation)
    return {"conversation": conversation, "erased": erased, "ok": True}
