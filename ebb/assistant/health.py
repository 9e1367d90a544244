"""GET /health: what works and what does not, for whoever watches the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse

log = logging.getLogger(__name__)

SECONDS = 2.0
OK, DEGRADED, CRISIS_ONLY = "ok", "degraded", "crisis only"


async def health(agent: Any, model: str, knowledge: Mapping[str, int]) -> dict[str, Any]:
    """The state of a served agent.

    Out: `status` (ok, degraded or crisis only), `model` (its name or what is wrong), `database`
    (ok, down, or unknown for a store that cannot tell), `spooled` (events that wait for it),
    `locks`, and `knowledge`: how much of the content people still have to check or sign.
    """
    store, locks = await _store(agent), _locks(agent)
    if agent is None or not agent.is_ready():
        status = CRISIS_ONLY
    elif store["database"] == "down" or locks == "shared store down":
        status = DEGRADED
    else:
        status = OK
    state = {"status": status, "model": model, **store, "locks": locks}
    return {**state, "knowledge": dict(knowledge)}


def add_to(app: Any, found: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    """Serve it. 503 where only crises are answered, else 200."""

    async def answer(_: Request) -> HTTPResponse:
        state = await found()
        return response.json(state, status=503 if state["status"] == CRISIS_ONLY else 200)

    app.add_route(answer, "/health", methods=["GET"])


async def _store(agent: Any) -> dict[str, Any]:
    """What the tracker store says of itself."""
    store = getattr(agent, "tracker_store", None)
    tell = getattr(getattr(store, "_tracker_store", store), "health", None)
    if tell is None:
        return {"database": "unknown", "spooled": 0}
    try:
        found: dict[str, Any] = await asyncio.wait_for(tell(), SECONDS)
        return found
    except Exception as error:
        log.warning("the store did not tell its health: %s", type(error).__name__)
        return {"database": "down", "spooled": 0}


def _locks(agent: Any) -> str:
    return str(getattr(getattr(agent, "lock_store", None), "status", "unknown"))
