"""GET /health: what works and what does not, for whoever watches the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

OK, DEGRADED, CRISIS_ONLY = "ok", "degraded", "crisis only"


def health(agent: Any, model: str, knowledge: Mapping[str, int]) -> dict[str, Any]:
    """The state of a served agent.

    Out: `status` (ok, degraded or crisis only), `model` (its name or what is wrong), `database`,
    `locks`, and `knowledge`: how much of the content people still have to check or sign.
    """
    database, locks = _database(agent), _locks(agent)
    if agent is None or not agent.is_ready():
        status = CRISIS_ONLY
    elif database not in ("ok", "unknown") or locks == "shared store down":
        status = DEGRADED
    else:
        status = OK
    return {
        "status": status,
        "model": model,
        "database": database,
        "locks": locks,
        "knowledge": dict(knowledge),
    }


def add_to(app: Any, found: Callable[[], dict[str, Any]]) -> None:
    """Serve it. 503 where only crises are answered, else 200."""

    async def answer(_: Request) -> HTTPResponse:
        state = found()
        return response.json(state, status=503 if state["status"] == CRISIS_ONLY else 200)

    app.add_route(answer, "/health", methods=["GET"])


def _database(agent: Any) -> str:
    """What the store says of itself in `status`; `unknown` for a store that says nothing."""
    store = getattr(agent, "tracker_store", None)
    store = getattr(store, "_tracker_store", store)
    return str(getattr(store, "status", "unknown"))


def _locks(agent: Any) -> str:
    return str(getattr(getattr(agent, "lock_store", None), "status", "unknown"))
