"""Loads the assistant and serves it; the command line's way into Rasa."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
import urllib.request
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from ebb.conversation.core import core
from ebb.knowledge.places import PROJECT

READY_CHECK = "ebb-ready-check"


class StartError(Exception):
    """The assistant cannot start; the message says what to do."""


def quiet() -> None:
    """Silence Rasa's import warnings and telemetry, and keep message text out of logs."""
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    os.environ.setdefault("SANIC_REQUEST_MAX_SIZE", "1100000")
    os.environ.setdefault("LOG_LEVEL_LIBRARIES", "ERROR")
    warnings.simplefilter("ignore")
    # Libraries switch warnings of old names on again while they load.
    warnings.showwarning = _drop_deprecations
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    import structlog

    # Rasa's own structured logs hold message text below this level.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def _drop_deprecations(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if not issubclass(category, DeprecationWarning | PendingDeprecationWarning | FutureWarning):
        print(f"warning: {message}", file=sys.stderr)


def newest_model() -> Path:
    """The model to load. Raises `StartError` if there is none."""
    models = sorted((PROJECT / "models").glob("*.tar.gz"), key=lambda file: file.stat().st_mtime)
    if not models:
        raise StartError("there is no trained model. Fix: make train")
    return models[-1]


def endpoints(*, memory_only: bool = False) -> Any:
    """What endpoints.yml names, with actions in process unless EBB_ACTIONS=remote.

    `memory_only` keeps conversations in memory, for terminal chats and tests.
    """
    from rasa.core.utils import AvailableEndpoints
    from rasa.utils.endpoints import EndpointConfig

    os.chdir(PROJECT)
    found = AvailableEndpoints.read_endpoints(str(PROJECT / "endpoints.yml"))
    found.action = _actions(found.action)
    if memory_only:
        found.tracker_store = EndpointConfig(type="in_memory")
    return found


def _actions(address: Any) -> Any:
    """Where custom actions run. Raises `StartError` for a wrong address."""
    if os.environ.get("EBB_ACTIONS") != "remote":
        from ebb.assistant.in_process import InProcessActions

        return InProcessActions()
    from ebb.assistant.remote_actions import RemoteActions

    try:
        return RemoteActions(address)
    except (AttributeError, TypeError, ValueError):
        raise StartError(
            "EBB_ACTIONS=remote needs the address of the action server. "
            "Fix: action_endpoint in endpoints.yml, with url and, if you like, seconds"
        ) from None


def prepare_rasa() -> None:
    """Our endpoints check the answers of actions; Rasa would build its schema on every call."""
    from rasa.core.actions.action import RemoteAction

    RemoteAction._validate_action_result = lambda self, result: True


async def load_agent(*, memory_only: bool = True, model: Path | None = None) -> Any:
    """A ready Rasa agent. Raises `StartError` when the model cannot be loaded."""
    from rasa.core.agent import load_agent as rasa_load_agent

    prepare_rasa()
    agent = await rasa_load_agent(
        model_path=str(model or newest_model()), endpoints=endpoints(memory_only=memory_only)
    )
    if not agent.is_ready():
        raise StartError("the trained model does not load with this code. Fix: make train")
    return agent


def serve(host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until stopped; `say` hears the address once a real message was answered."""
    _free(host, port)
    from rasa.core.run import serve_application

    prepare_rasa()
    model = newest_model()
    address = f"http://{host}:{port}"
    failed: list[str] = []

    async def announce(app: Any, _: Any) -> None:
        app.add_task(partial(_check_and_announce, app, address, say, failed))

    serve_application(
        model_path=str(model),
        interface=host,
        port=port,
        credentials=str(PROJECT / "credentials.yml"),
        enable_api=False,
        endpoints=endpoints(),
        server_listeners=[(announce, "after_server_start")],
    )
    if failed:
        raise StartError(failed[0])


def _free(host: str, port: int) -> None:
    """Refuse an address that cannot be had, before anything slow is loaded."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartError(
            f"cannot listen on {host}:{port}: {reason}. "
            f"Fix: stop what uses it, or choose another port, such as --port {port + 1}"
        ) from None


async def _check_and_announce(
    app: Any, address: str, say: Callable[[str], None], failed: list[str]
) -> None:
    try:
        agent = getattr(app.ctx, "agent", None)
        if agent is None or not agent.is_ready():
            raise StartError("the trained model does not load with this code. Fix: make train")
        replies = await asyncio.get_running_loop().run_in_executor(None, _ask, address)
        if not replies or not replies[0].get("text"):
            raise StartError("a test message got no answer; see the log above")
        _forget(agent, READY_CHECK)
    except Exception as error:
        failed.append(str(error) or type(error).__name__)
        app.stop()
        return
    say(address)
    # The first crisis is answered in a fraction of a second even before this is done.
    await asyncio.get_running_loop().run_in_executor(None, core().warm)


def _forget(agent: Any, conversation: str) -> None:
    store = agent.tracker_store
    store = getattr(store, "_tracker_store", store)
    if hasattr(store, "erase"):
        store.erase(conversation)


def _ask(address: str) -> list[dict[str, Any]]:
    body = json.dumps({"sender": READY_CHECK, "message": "what is a let-down?"}).encode()
    request = urllib.request.Request(
        f"{address}/webhooks/rest/webhook", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found
