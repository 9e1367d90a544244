"""The real server as its own process: whole, and with its action server dead."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from ebb.assistant.erase import erase

SENDERS: list[str] = []


@pytest.fixture(scope="module", params=["in process", "dead action server"])
def address(request: pytest.FixtureRequest) -> Iterator[tuple[str, bool]]:
    """A running server, and whether its actions work."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    whole = request.param == "in process"
    environment = {**os.environ, **({} if whole else {"EBB_ACTIONS": "remote"})}
    server = subprocess.Popen(
        [sys.executable, "-m", "ebb.cli", "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        assert "ready" in server.stdout.readline(), "the server did not start"
        yield f"http://127.0.0.1:{port}", whole
    finally:
        server.terminate()
        server.wait(20)
        for sender in SENDERS:
            erase(sender)
        SENDERS.clear()


def new_sender() -> str:
    SENDERS.append(f"test-{uuid.uuid4().hex}")
    return SENDERS[-1]


def post(address: str, body: bytes) -> Any:
    request = urllib.request.Request(
        f"{address}/webhooks/rest/webhook", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def say(address: str, message: str, sender: str | None = None) -> list[dict[str, Any]]:
    body = {"sender": sender or new_sender(), "message": message, "country": "GB"}
    found: list[dict[str, Any]] = post(address, json.dumps(body).encode())
    return found


def test_a_plain_question_needs_no_action(address: tuple[str, bool]) -> None:
    (reply,) = say(address[0], "what is d-mer?")
    assert "dysphoric milk ejection reflex" in reply["text"]


def test_a_crisis_is_answered_within_a_second_first_and_in_the_middle(
    address: tuple[str, bool],
) -> None:
    sender = new_sender()
    say(address[0], "i dread every let down, it lasts a minute", sender)
    started = time.perf_counter()
    reply = say(address[0], "i want to kill myself", sender)[0]
    assert time.perf_counter() - started < 1
    assert "116 123" in reply["text"] and "999" in reply["text"]
    again = say(address[0], "yes", sender)[0]
    assert "999" in again["text"] and again["text"] != reply["text"]


def test_a_dead_action_server_is_met_with_an_honest_line(address: tuple[str, bool]) -> None:
    url, whole = address
    replies = say(url, "i get a wave of dread just before my milk lets down")
    assert replies
    text = " ".join(reply["text"] for reply in replies)
    assert ("About" in text) if whole else ("something went wrong" in text and "999" in text)


@pytest.mark.parametrize(
    "body",
    [b"", b"nope", b"[]", b"{}", b'{"sender": "a"}', b'{"sender": "a\\u0000", "message": "hi"}'],
)
def test_a_wrong_request_is_a_clear_error_and_harms_nothing(
    address: tuple[str, bool], body: bytes
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(address[0], body)
    assert refused.value.code == 400
    assert json.loads(refused.value.read())["error"]
    assert say(address[0], "hello")


@pytest.mark.parametrize(
    "message", ["", "\x00\x07", "\ud83d\ude2d", "\u202eolleh", "milk " * 20_000, '/inform{"a": 1}']
)
def test_odd_messages_get_a_reply(address: tuple[str, bool], message: str) -> None:
    assert say(address[0], message)[0]["text"]


def test_what_she_wrote_is_gone_after_erasing(address: tuple[str, bool]) -> None:
    sender = new_sender()
    say(address[0], "i want to die, says qwertzmarker", sender)
    receipt = erase(sender)
    assert receipt["erased"]["tracker"] > 0 and receipt["erased"]["crisis_record"] > 0
    assert erase(sender)["erased"] == {"tracker": 0, "crisis_record": 0}
