"""Erases a conversation from every store that this machine keeps, with a receipt."""

from __future__ import annotations

from typing import Any

from ebb.assistant import inbox, spool
from ebb.knowledge.places import PROJECT


def erase(conversation: str) -> dict[str, Any]:
    """Delete `conversation` from the database, the spools and the crisis record.

    Returns `{"conversation", "erased": {store: count}, "ok"}`; counts are of events or lines. The
    assistant may run meanwhile. `ok` is false if the database could not be reached: the running
    assistant then erases there as soon as it can be, as does the next one that starts.
    """
    from rasa.core.utils import AvailableEndpoints

    from ebb.assistant.tracker_store import ConversationStore

    endpoints = AvailableEndpoints.read_endpoints(str(PROJECT / "endpoints.yml"))
    configured = endpoints.tracker_store
    options = dict(configured.kwargs) if configured else {}
    store = ConversationStore(host=configured.url if configured else None, **options)
    found = store.erase_all(conversation)
    erased = {"tracker": found.tracker, "event_spool": found.spool}
    erased["crisis_record"] = spool.erase(spool.FOLDER, conversation)
    erased["accepted"] = inbox.erase(spool.FOLDER, conversation)
    return {"conversation": conversation, "erased": erased, "ok": found.done}
