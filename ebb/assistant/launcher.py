"""Loads the assistant; the command line's way into Rasa."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import warnings
from pathlib import Path
from typing import Any, TextIO

from ebb.assistant import quiet_logs
from ebb.assistant.models import ModelProblem, load, newest
from ebb.knowledge.places import PROJECT

CHECK = "Fix: check endpoints.yml"


class StartError(Exception):
    """The assistant cannot start; the message says what to do."""


def quiet() -> None:
    """Silence Rasa's import warnings and telemetry, and keep message text out of logs."""
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
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


async def new_agent(found: Any) -> Any:
    """A Rasa agent with its stores and without a model. Raises `StartError`."""
    from rasa.core.brokers.broker import EventBroker
    from rasa.core.lock_store import LockStore
    from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore

    from ebb.assistant.served_agent import ServedAgent

    try:
        broker = await EventBroker.create(found.event_broker, loop=asyncio.get_running_loop())
        store = TrackerStore.create(found.tracker_store, event_broker=broker)
        locks = LockStore.create(found.lock_store)
    except Exception as error:
        kind = type(error).__name__
        raise StartError(f"a store of endpoints.yml cannot be used ({kind}). {CHECK}") from None
    asked = getattr(found.tracker_store, "type", None)
    if type(store) is InMemoryTrackerStore and asked not in (None, "in_memory"):
        # Rasa would go on with its own store in memory, and lose all at the next start.
        raise StartError(f"the tracker_store of endpoints.yml, {asked}, was not found. {CHECK}")
    return ServedAgent(
        PROJECT / "domain.yml",
        generator=found.nlg,
        tracker_store=store,
        lock_store=locks,
        action_endpoint=found.action,
    )


async def load_agent(*, memory_only: bool = True, model: Path | None = None) -> Any:
    """A ready Rasa agent. Raises `StartError` when the model cannot be loaded."""
    quiet_logs.install()
    prepare_rasa()
    agent = await new_agent(endpoints(memory_only=memory_only))
    try:
        load(agent, model or newest(PROJECT / "models"))()
    except ModelProblem as error:
        raise StartError(str(error)) from None
    return agent


def free(host: str, port: int) -> None:
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
