"""Whatever an action or its server does, Rasa hears the honest line and nothing else."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from actions.action_triage import ActionTriage
from ebb.assistant.breaker import Breaker
from ebb.assistant.in_process import InProcessActions
from ebb.assistant.remote_actions import RemoteActions
from ebb.conversation.core import Core, core

MARKER = "qwertzmarker"
TRACKER = {
    "sender_id": "c",
    "slots": {"country": "GB"},
    "latest_message": {"text": MARKER},
    "events": [{"event": "user", "text": MARKER, "timestamp": 1.0, "parse_data": {}}],
    "paused": False,
    "followup_action": None,
    "active_loop": {},
    "latest_action_name": None,
}
CALL = {"next_action": "action_triage", "tracker": TRACKER, "domain": {}}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> Any:
    """A server that answers every POST with `handler`."""
    app = web.Application()
    app.router.add_post("/webhook", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    try:
        yield f"http://127.0.0.1:{port}/webhook"
    finally:
        await runner.cleanup()


async def hangs(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def drips(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b" ")
        await asyncio.sleep(0.05)


async def echoes_500(request: web.Request) -> web.Response:
    return web.json_response({"request_body": await request.json()}, status=500)


async def hangs_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


def says(body: str | bytes, status: int = 200) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        content = body if isinstance(body, bytes) else body.encode()
        return web.Response(body=content, status=status, content_type="application/json")

    return handler


FAULTS = {
    "hangs": hangs,
    "drips": drips,
    "echoes the conversation in a 500": echoes_500,
    "hangs up": hangs_up,
    "404": says("{}", 404),
    "503": says("<html>", 503),
    "redirect": says("", 302),
    "empty": says(""),
    "no JSON": says("<html>Bad gateway</html>"),
    "no text": says(b"\xff\xfe\x00"),
    "deep": says("[" * 100_000),
    "null": says("null"),
    "a list": says("[]"),
    "wrong schema": says('{"events": "none", "responses": [1, 2]}'),
    "an event without a name": says('{"events": [{}], "responses": []}'),
    "a slot without a value": says('{"events": [{"event": "slot"}], "responses": []}'),
    "huge": says(b'{"events": [], "responses": [{"text": "' + b"x" * 5_000_000 + b'"}]}'),
}


def is_honest(answer: Any) -> bool:
    """Whether she is told that it failed, with the numbers of her country, and nothing else."""
    (reply,) = answer["responses"]
    text = json.dumps(answer)
    return reply["reply"] == "failed" and "999" in text and MARKER not in text


@pytest.fixture(autouse=True, scope="module")
def knowledge() -> None:
    """Loaded before any time is taken, as in a server."""
    core()


def outcome(handler: Handler, **options: Any) -> Any:
    """What Rasa hears of one call."""

    async def run() -> Any:
        async with serving(handler) as url:
            endpoint = RemoteActions(EndpointConfig(url=url), seconds=0.4, **options)
            try:
                return await endpoint.request(json=CALL, method="post", timeout=300)
            finally:
                await endpoint.close()

    return asyncio.run(run())


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_an_action_server_is_the_honest_line_in_time(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ebb")
    started = time.perf_counter()
    answer = outcome(FAULTS[fault])
    assert time.perf_counter() - started < 1.5
    assert is_honest(answer)
    assert MARKER not in caplog.text
    assert "action_triage" in caplog.text


def test_nobody_listening_is_the_honest_line() -> None:
    async def run() -> Any:
        endpoint = RemoteActions(EndpointConfig(url="http://127.0.0.1:1/webhook"))
        answer = await endpoint.request(json=CALL)
        await endpoint.close()
        return answer

    assert is_honest(asyncio.run(run()))


def test_where_not_even_the_honest_line_can_be_made_only_the_action_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(MARKER)

    monkeypatch.setattr(Core, "failed", broken)
    with pytest.raises(ClientResponseError) as heard:
        outcome(says("<html>"))
    assert heard.value.status == 500
    assert MARKER not in str(heard.value)


def test_an_action_that_refuses_is_told_without_its_words() -> None:
    with pytest.raises(ClientResponseError) as heard:
        outcome(says(json.dumps({"error": MARKER, "action_name": "x"}), 400))
    assert heard.value.status == 400
    assert json.loads(heard.value.text)["action_name"] == "action_triage"
    assert MARKER not in str(heard.value)


def test_a_good_answer_comes_back_over_one_kept_connection() -> None:
    async def run() -> tuple[list[Any], int]:
        connections = set()

        async def good(request: web.Request) -> web.Response:
            assert request.transport is not None
            connections.add(request.transport.get_extra_info("peername"))
            assert request.headers["X-Key"] == "k"
            assert request.query["token"] == "t"
            assert (await request.json())["tracker"]["sender_id"] == "c"
            return web.json_response({"events": [], "responses": [{"text": "Hello."}]})

        async with serving(good) as url:
            config = EndpointConfig(url=url, headers={"X-Key": "k"}, token="t", seconds=2)
            endpoint = RemoteActions(config)
            found = [await endpoint.request(json=CALL, compress=c) for c in (False, True, False)]
            await endpoint.close()
        return found, len(connections)

    found, connections = asyncio.run(run())
    assert all(answer["responses"] == [{"text": "Hello."}] for answer in found)
    assert connections == 1


def test_a_dead_server_does_not_cost_every_turn_the_whole_time() -> None:
    async def run() -> list[float]:
        waited = []
        async with serving(hangs) as url:
            endpoint = RemoteActions(EndpointConfig(url=url), seconds=0.3)
            for _ in range(5):
                started = time.perf_counter()
                assert is_honest(await endpoint.request(json=CALL))
                waited.append(time.perf_counter() - started)
            await endpoint.close()
        return waited

    waited = asyncio.run(run())
    assert max(waited) < 0.6
    assert sum(waited[2:]) < 0.1


def test_one_conversation_that_fails_does_not_cut_off_the_others() -> None:
    async def run() -> int:
        asked = 0

        async def counts(_: web.Request) -> web.Response:
            nonlocal asked
            asked += 1
            return web.Response(status=500)

        async with serving(counts) as url:
            endpoint = RemoteActions(EndpointConfig(url=url), breaker=Breaker(failures=1))
            for _ in range(4):
                assert is_honest(await endpoint.request(json=CALL))
            await endpoint.close()
        return asked

    assert asyncio.run(run()) == 4


@pytest.mark.parametrize("seconds", [0, -1, "soon", None])
def test_a_wrong_time_limit_is_refused(seconds: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        RemoteActions(EndpointConfig(url="http://127.0.0.1:1", seconds=seconds))


# ---- in this process


@pytest.fixture
def triage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], InProcessActions]]:
    """In-process actions whose triage does something else."""

    def make(run: Any, seconds: float = 0.3) -> InProcessActions:
        actions = InProcessActions(seconds=seconds)
        actions._executor.actions["action_triage"] = run
        return actions

    yield make


def call(actions: InProcessActions) -> Any:
    return asyncio.run(actions.request(json=CALL))


def test_an_action_that_raises_is_the_honest_line(
    triage: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def raises(*_: Any) -> Any:
        raise KeyError(MARKER)

    assert is_honest(call(triage(raises)))
    assert MARKER not in caplog.text
    assert "KeyError" in caplog.text


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_an_action_cannot_end_the_process(triage: Any, error: BaseException) -> None:
    def ends(*_: Any) -> Any:
        raise error

    assert is_honest(call(triage(ends)))


def test_an_action_that_refuses_is_told_as_such(triage: Any) -> None:
    def refuses(*_: Any) -> Any:
        raise ActionExecutionRejection("action_triage", MARKER)

    with pytest.raises(ClientResponseError) as heard:
        call(triage(refuses))
    assert heard.value.status == 400
    assert MARKER not in str(heard.value)


def test_an_answer_of_the_wrong_form_is_the_honest_line(triage: Any) -> None:
    assert is_honest(call(triage(lambda *_: [{"event": "slot"}])))


@pytest.mark.parametrize("waiting", [True, False])
def test_an_action_that_blocks_freezes_nothing(triage: Any, waiting: bool) -> None:
    async def waits(*_: Any) -> Any:
        await asyncio.sleep(30)

    def blocks(*_: Any) -> Any:
        time.sleep(1.5)

    async def run() -> tuple[float, float]:
        longest, last = 0.0, time.perf_counter()
        actions = triage(waits if waiting else blocks)
        running = asyncio.ensure_future(actions.request(json=CALL))
        started = last
        while not running.done():
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
        assert is_honest(running.result())
        return longest, last - started

    longest, whole = asyncio.run(run())
    assert longest < 0.25, "the event loop stood still"
    assert whole < 1


def test_an_action_cannot_change_the_conversation_it_is_shown(triage: Any) -> None:
    def changes(dispatcher: Any, tracker: Tracker, domain: Any) -> Any:
        tracker.events.clear()
        return []

    call(triage(changes))
    assert TRACKER["events"]


# ---- our own actions


def test_an_action_of_ours_that_fails_inside_says_so_to_her(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(MARKER)

    monkeypatch.setattr(Core, "turn", broken)
    dispatcher = CollectingDispatcher()
    events = asyncio.run(ActionTriage().run(dispatcher, Tracker.from_dict(TRACKER), {}))
    assert events == []
    (message,) = dispatcher.messages
    assert message["reply"] == "failed"
    assert "999" in message["text"]
    assert MARKER not in caplog.text
    assert "RuntimeError" in caplog.text


def test_every_action_of_ours_is_made_honest() -> None:
    for name, run in InProcessActions()._executor.actions.items():
        assert hasattr(run, "__wrapped__"), f"{name} lets its errors out"
