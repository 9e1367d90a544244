"""The server: stores, channels, model and health, from the start to a clean end.

A server that listens answers: without a usable model it still answers every crisis, says so to
everybody else and to its operator, and takes a model as soon as there is one.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import os
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ebb.assistant import health, quiet_logs
from ebb.assistant.launcher import StartError, endpoints, free, new_agent, prepare_rasa
from ebb.assistant.models import ModelKeeper
from ebb.assistant.workers import Workers
from ebb.conversation.core import core
from ebb.knowledge.check import owed
from ebb.knowledge.places import PROJECT
from ebb.text.patterns import PatternError

log = logging.getLogger(__name__)

READY_CHECK = "ebb-ready-check"
QUESTION = "what is a let-down?"
"""The message that must be answered before the server says that it is ready."""
LIMITS = {
    "SANIC_REQUEST_MAX_SIZE": "1100000",  # bytes: a little more than the channels take
    "SANIC_REQUEST_TIMEOUT": "15",  # seconds to receive a request
    "SANIC_RESPONSE_TIMEOUT": "45",  # well beyond the time limit of a turn and those before it
    "SANIC_KEEP_ALIVE_TIMEOUT": "30",
    "SANIC_GRACEFUL_SHUTDOWN_TIMEOUT": "10",
    "SANIC_WEBSOCKET_MAX_SIZE": "65536",
}
"""What Sanic accepts, unless the environment says otherwise."""
ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class News:
    """What the operator hears: `state` is "ready", "degraded", "crisis only" or "owed".

    `text` says what is wrong and how to mend it, or what people still have to check.
    """

    state: str
    address: str
    text: str = ""


Tell = Callable[[News], None]


def serve(host: str, port: int, tell: Tell) -> None:
    """Serve until stopped. Raises `StartError`, and `ContentError` when knowledge/ is wrong."""
    free(host, port)
    _load_content()
    quiet_logs.install()
    prepare_rasa()
    for name, value in LIMITS.items():
        os.environ.setdefault(name, value)
    server = Server(f"http://{host}:{port}", tell)
    app = server.app(port)
    # One process: the locks of a conversation, and its memory, are in it.
    app.run(host=host, port=port, workers=1, access_log=False, debug=False)
    if server.failed is not None:
        raise StartError(server.failed)


def _load_content() -> None:
    """Refuse wrong content before anything listens: nothing could be answered with it.

    All patterns are made ready too, which takes seconds only after they changed: the first crisis
    must not wait for them.
    """
    try:
        core().warm()
    except PatternError as error:
        raise StartError(f"{_where(str(error))}{error}. Fix: correct this pattern") from None


def _where(text: str) -> str:
    """The file and line of the content that an error quotes; empty if none is found."""
    found = (0, "")
    for file in sorted((PROJECT / "knowledge").rglob("*.yml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            words = line.strip(" -'\"")
            if len(words) > found[0] and words in text:
                found = (len(words), f"{file.relative_to(PROJECT)}:{number}: ")
    return found[1]


class Server:
    """One served agent, and what its operator should know of it."""

    def __init__(self, address: str, tell: Tell) -> None:
        self._address, self._tell = address, tell
        self._endpoints = endpoints()
        self._agent: Any = None
        self._keeper: ModelKeeper | None = None
        self._owed = owed()
        if self._owed.any:
            tell(News("owed", address, str(self._owed)))
        self._watch: asyncio.Future[None] | None = None
        self._workers = Workers("start", threads=2)
        self.failed: str | None = "the server did not start; see the log above"
        """Why it ended, if it did not end well."""

    def app(self, port: int) -> Any:
        """The Sanic app with channels and health. Raises `StartError`."""
        from rasa.core.run import configure_app, create_http_input_channels

        try:
            credentials = str(PROJECT / "credentials.yml")
            channels = create_http_input_channels(None, credentials)
        except Exception as error:
            kind = type(error).__name__
            raise StartError(f"credentials.yml cannot be used ({kind}). Fix: check it") from None
        app = configure_app(channels, enable_api=False, port=port, endpoints=self._endpoints)
        health.add_to(app, self._health)
        app.register_listener(self._begin, "before_server_start")
        app.register_listener(self._go, "after_server_start")
        app.register_listener(self._stop, "before_server_stop")
        app.register_listener(self._end, "after_server_stop")
        return app

    # ---- the server's life

    async def _begin(self, app: Any, _: Any) -> None:
        try:
            self._agent = app.ctx.agent = await new_agent(self._endpoints)
        except StartError as error:
            self.failed = str(error)
            app.stop()
            return
        self._keeper = ModelKeeper(self._agent, PROJECT / "models")
        self._keeper.start()
        if self._keeper.problem is not None:
            self._agent.prepare_without_model()

    async def _go(self, app: Any, _: Any) -> None:
        if self._keeper is None:
            return
        self.failed = None
        self._watch = asyncio.ensure_future(self._run(self._keeper))

    async def _run(self, keeper: ModelKeeper) -> None:
        """Tell the operator how it stands, and mend what can be mended."""
        try:
            if keeper.problem is not None:
                self._tell(News("crisis only", self._address, keeper.problem))
            else:
                await self._check()
            if keeper.problem is not None:
                await keeper.heal()
                await self._check()
        except Exception as error:
            log.error("looking after the server failed: %s", type(error).__name__)

    async def _check(self) -> None:
        """Ask a real question over the wire; only its real answer means ready."""
        try:
            replies = await self._workers.run(lambda: _ask(self._address), ANSWER_SECONDS)
            answered = bool(replies) and replies[0].get("text") not in _honest_lines()
        except Exception as error:
            log.error("the test message failed: %s", type(error).__name__)
            answered = False
        await self._forget(READY_CHECK)
        state = await self._health()
        if answered and state["status"] == health.OK:
            self._tell(News("ready", self._address))
            return
        what = "" if answered else "a test message got no answer; "
        text = f"{what}database: {state['database']}, locks: {state['locks']}"
        self._tell(News("degraded", self._address, text))

    async def _stop(self, *_: Any) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _end(self, *_: Any) -> None:
        """Close what was opened. The channels have waited for their turns before."""
        agent = self._agent
        store = getattr(agent, "tracker_store", None)
        store = getattr(store, "_tracker_store", store)
        broker = getattr(store, "event_broker", None)
        parts = (store, broker, getattr(agent, "lock_store", None), self._endpoints.action)
        for part in parts:
            close = getattr(part, "aclose", None) or getattr(part, "close", None)
            if close is None:
                continue
            try:
                done = close()
                if inspect.isawaitable(done):
                    await asyncio.wait_for(done, 5)
            except Exception as error:
                log.warning("closing failed: %s", type(error).__name__)

    # ---- how it stands

    async def _health(self) -> dict[str, Any]:
        keeper = self._keeper
        model = "starting" if keeper is None else keeper.problem or keeper.name or ""
        return await health.health(self._agent, model, self._owed.counts)

    async def _forget(self, conversation: str) -> None:
        store = self._agent.tracker_store
        store = getattr(store, "_tracker_store", store)
        try:
            done = getattr(store, "forget", store.erase)(conversation)
            if inspect.isawaitable(done):
                await done
        except Exception as error:
            log.warning("the test message was not erased: %s", type(error).__name__)


def _honest_lines() -> set[str]:
    return {core().message(name).text for name in ("failed", "late", "too_fast")}


def _ask(address: str) -> list[dict[str, Any]]:
    body = json.dumps({"sender": READY_CHECK, "message": QUESTION}).encode()
    request = urllib.request.Request(
        f"{address}/webhooks/rest/webhook", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found
