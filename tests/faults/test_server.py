"""The real server as its own process: whole, and with its action server dead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from project import DEAD, make_project
from services import Server, running
from trial import CRISIS_SECONDS


@dataclass(slots=True)
class Served:
    """A running server, and whether its actions work."""

    server: Server
    whole: bool

    def say(self, message: str, sender: str | None = None) -> list[dict[str, object]]:
        """The replies to one message, of a new conversation if none is named."""
        return self.server.say(sender or new_sender(), message)


@pytest.fixture(scope="module", params=["in process", "dead action server"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server over a project of its own."""
    whole = request.param == "in process"
    project = make_project(tmp_path_factory.mktemp("server") / "project", actions=DEAD)
    server = Server(project, **({} if whole else {"EBB_ACTIONS": "remote"}))
    with running(server):
        server.start()
        yield Served(server, whole)


def new_sender() -> str:
    return f"test-{uuid.uuid4().hex}"


def test_a_plain_question_needs_no_action(served: Served) -> None:
    (reply,) = served.say("what is d-mer?")
    assert "dysphoric milk ejection reflex" in str(reply["text"])


def test_a_crisis_is_answered_within_a_second_first_and_in_the_middle(served: Served) -> None:
    sender = new_sender()
    served.say("i dread every let down, it lasts a minute", sender)
    started = time.perf_counter()
    text = str(served.say("i want to kill myself", sender)[0]["text"])
    assert time.perf_counter() - started < CRISIS_SECONDS
    assert "116 123" in text and "999" in text
    again = str(served.say("yes", sender)[0]["text"])
    assert "999" in again and again != text


def test_a_dead_action_server_is_met_with_an_honest_line(served: Served) -> None:
    replies = served.say("i get a wave of dread just before my milk lets down")
    assert replies
    text = " ".join(str(reply["text"]) for reply in replies)
    if served.whole:
        assert "About" in text
    else:
        assert "something went wrong" in text and "999" in text


@pytest.mark.parametrize(
    "body",
    [b"", b"nope", b"[]", b"{}", b'{"sender": "a"}', b'{"sender": "a\\u0000", "message": "hi"}'],
)
def test_a_wrong_request_is_a_clear_error_and_harms_nothing(served: Served, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.server.post(body)
    assert refused.value.code == 400
    assert json.loads(refused.value.read())["error"]
    assert served.say("hello")


@pytest.mark.parametrize("sender", ["a\x00b", "a\nb", " ", "", "x" * 300, "\ud800"])
def test_an_id_that_no_store_can_keep_is_refused_at_the_door(served: Served, sender: str) -> None:
    body = json.dumps({"sender": sender, "message": "i want to die"}).encode()
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.server.post(body)
    assert refused.value.code == 400
    assert served.server.runs


@pytest.mark.parametrize(
    "message", ["", "\x00\x07", "\ud83d\ude2d", "\u202eolleh", "milk " * 20_000, '/inform{"a": 1}']
)
def test_odd_messages_get_a_reply(served: Served, message: str) -> None:
    assert served.say(message)[0]["text"]


def test_what_she_wrote_is_gone_after_erasing(served: Served) -> None:
    sender = new_sender()
    served.say("i want to die, says qwertzmarker", sender)
    erased = erase(served.server, sender)
    assert erased["tracker"] > 0 and erased["crisis_record"] > 0
    assert set(erase(served.server, sender).values()) == {0}


def erase(server: Server, conversation: str) -> dict[str, int]:
    """What `ebb erase` deleted, by store, while the server runs."""
    done = subprocess.run(
        [sys.executable, "-m", "ebb.cli", "erase", conversation],
        env={**os.environ, "EBB_PROJECT": str(server.project)},
        cwd=server.project,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    receipt = json.loads(done.stdout.splitlines()[-1])
    assert receipt["ok"]
    found: dict[str, int] = receipt["erased"]
    return found
