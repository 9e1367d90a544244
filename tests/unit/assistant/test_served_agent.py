"""Every turn ends with a reply, and both are stored: with no model, and when a turn fails."""

from __future__ import annotations

import asyncio
import os
import shutil
import tarfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered

from ebb.assistant import health, nlu, responses
from ebb.assistant.launcher import StartError, endpoints, load_agent, new_agent
from ebb.assistant.locks import ConversationLocks
from ebb.assistant.models import ModelKeeper, ModelProblem, load, newest
from ebb.conversation.core import Core
from ebb.conversation.events import FINDINGS, SAFETY
from ebb.knowledge.places import PROJECT

if TYPE_CHECKING:
    from ebb.assistant.terminal import Talk

CRISIS = "i want to kill myself"
REPORT = "i get a wave of dread just before my milk lets down"


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("qwertzmarker")


async def broken_later(*_: Any, **__: Any) -> Any:
    raise RuntimeError("qwertzmarker")


class Told:
    """Messages to one conversation of an agent, and what is stored of it."""

    def __init__(self, agent: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.agent, self._loop = agent, loop
        self.sender = uuid.uuid4().hex

    def say(self, text: str, **metadata: Any) -> str:
        """All that is sent in reply to one message."""
        channel = CollectingOutputChannel()
        message = UserMessage(text, channel, self.sender, metadata=metadata)
        self._loop.run_until_complete(self.agent.handle_message(message))
        return " ".join(reply.get("text", "") for reply in channel.messages)

    @property
    def events(self) -> list[Any]:
        tracker = self._loop.run_until_complete(self.agent.tracker_store.retrieve(self.sender))
        return list(tracker.events)

    @property
    def talk(self) -> list[str]:
        """Who said what, as stored: her words, and the ids of replies."""
        return [
            event.text if isinstance(event, UserUttered) else f"<{event.metadata.get('reply')}>"
            for event in self.events
            if isinstance(event, UserUttered | BotUttered)
        ]


@pytest.fixture
def without_model(loop: asyncio.AbstractEventLoop) -> Told:
    return Told(loop.run_until_complete(new_agent(endpoints(memory_only=True))), loop)


@pytest.fixture
def served(talk: Talk, loop: asyncio.AbstractEventLoop) -> Iterator[Told]:
    """The agent with its model; whatever a test does to its processor is undone."""
    told = Told(talk._agent, loop)
    yield told
    talk._agent.processor.__dict__.pop("handle_message", None)


def test_without_a_model_a_crisis_is_answered_and_the_rest_gets_the_honest_line(
    without_model: Told,
) -> None:
    assert "something went wrong" in without_model.say(REPORT, country="GB")
    assert "999" in without_model.say("what is a let-down?", country="GB")
    assert "116 123" in without_model.say(CRISIS, country="GB")
    said = without_model.talk
    assert said[:4] == [REPORT, "<failed>", "what is a let-down?", "<failed>"]
    assert said[4] == CRISIS and said[5].startswith("<crisis.")
    assert len(said) == 6


def test_without_a_model_what_she_told_is_read_and_kept_for_later(without_model: Told) -> None:
    without_model.say(REPORT)
    without_model.say('/inform{"answer": "feeling_at_letdown=yes"}')
    report, pressed = (e for e in without_model.events if isinstance(e, UserUttered))
    assert report.parse_data[FINDINGS]
    assert report.parse_data[SAFETY]["tier"] == "none"
    assert pressed.intent["name"] == "inform"
    assert pressed.entities[0]["value"] == "feeling_at_letdown=yes"
    assert isinstance(without_model.events[-1], ActionExecuted)


def test_a_conversation_goes_on_where_it_was_once_there_is_a_model(without_model: Told) -> None:
    without_model.say(REPORT, country="GB")
    load(without_model.agent, newest(PROJECT / "models"))()
    assert "let-down" in without_model.say("what is a let-down?").lower()
    assert without_model.talk[-1] == "<utter_letdown_what>" or len(without_model.talk) > 3


@pytest.mark.parametrize("error", [RuntimeError, asyncio.TimeoutError, SystemError])
@pytest.mark.parametrize("said", [CRISIS, REPORT])
def test_a_turn_in_which_anything_raises_is_answered_and_stored_once(
    served: Told, said: str, error: type[Exception]
) -> None:
    async def raises(_: Any) -> None:
        raise error("qwertzmarker")

    served.agent.processor.handle_message = raises
    assert served.say(said, country="GB")
    her, reply = served.talk
    assert her == said
    assert reply.startswith("<crisis." if said == CRISIS else "<failed>")


def test_a_turn_that_raises_after_its_reply_is_stored_with_that_reply_and_no_other(
    served: Told,
) -> None:
    async def raises(message: UserMessage) -> None:
        await message.output_channel.send_response("x", {"text": "Hi.", "reply": "utter_greet"})
        raise RuntimeError("qwertzmarker")

    served.agent.processor.handle_message = raises
    assert served.say("hello") == "Hi."
    assert served.talk == ["hello", "<utter_greet>"]


def test_a_turn_that_ends_in_silence_does_not(
    served: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses.Responses, "generate", broken_later)
    assert "something went wrong" in served.say("what is a let-down?", country="GB")
    assert "116 123" in served.say(CRISIS, country="GB")
    her, failed, again, crisis = served.talk
    assert (her, failed, again) == ("what is a let-down?", "<failed>", CRISIS)
    assert crisis.startswith("<crisis.")


@pytest.mark.parametrize(
    ("owner", "name"),
    [(nlu.Understanding, "process"), (nlu.Intents, "process"), (Core, "render")],
)
def test_the_crisis_reply_that_the_net_sent_is_the_one_that_is_stored(
    talk: Talk,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
) -> None:
    told = Told(talk._agent, loop)
    monkeypatch.setattr(owner, name, broken)
    _, replies = loop.run_until_complete(talk.say(told.sender, CRISIS, "GB"))
    assert [reply.id for reply in replies] == [replies[0].id]
    assert told.talk == [CRISIS, f"<{replies[0].id}>"]
    stored = next(e for e in told.events if isinstance(e, BotUttered))
    assert stored.text == replies[0].text


# ---- models


@pytest.fixture(scope="module")
def model() -> Path:
    return newest(PROJECT / "models")


def test_no_model_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelProblem, match="make train"):
        newest(tmp_path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: os.truncate(file, file.stat().st_size // 2), "damaged"),
        (lambda file: os.truncate(file, 0), "damaged"),
        (lambda file: file.write_bytes(b"no model"), "damaged"),
        (lambda file: _empty_archive(file), "damaged"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(
    model: Path, tmp_path: Path, without_model: Told, damage: Any, words: str
) -> None:
    bad = Path(shutil.copy(model, tmp_path))
    damage(bad)
    with pytest.raises(ModelProblem, match=words) as said:
        load(without_model.agent, bad)
    assert bad.name in str(said.value) and "make train" in str(said.value)
    assert not without_model.agent.is_ready()


def _empty_archive(file: Path) -> None:
    with tarfile.open(file, "w:gz"):
        pass


def test_a_component_that_does_not_load_is_said_by_its_kind(
    model: Path, without_model: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nlu.IntentModel, "load", broken)
    with pytest.raises(ModelProblem, match="does not load") as said:
        load(without_model.agent, model)
    assert "RuntimeError" in str(said.value)
    assert "qwertzmarker" not in str(said.value)
    with pytest.raises(StartError, match="make train"):
        without_model._loop.run_until_complete(load_agent(model=model))


def test_a_model_that_is_mended_is_taken_without_a_restart(
    model: Path, tmp_path: Path, without_model: Told
) -> None:
    place = tmp_path / "m.tar.gz"
    place.write_bytes(model.read_bytes()[:50_000])
    keeper = ModelKeeper(without_model.agent, tmp_path, every=0.05)
    keeper.start()
    assert keeper.problem is not None and "damaged" in keeper.problem

    async def mended() -> None:
        healing = asyncio.ensure_future(keeper.heal())
        await asyncio.sleep(0.3)
        assert not healing.done()
        place.write_bytes(model.read_bytes())
        os.utime(place, (time.time() + 5, time.time() + 5))
        await asyncio.wait_for(healing, 30)

    without_model._loop.run_until_complete(mended())
    assert keeper.problem is None and keeper.name == "m.tar.gz"
    assert without_model.agent.is_ready()


def test_a_store_that_is_not_found_is_not_replaced_in_silence(
    loop: asyncio.AbstractEventLoop,
) -> None:
    wrong = endpoints()
    wrong.tracker_store.type = "ebb.assistant.tracker_store.NoSuchStore"
    with pytest.raises(StartError, match=r"endpoints\.yml"):
        loop.run_until_complete(new_agent(wrong))
    wrong = endpoints(memory_only=True)
    wrong.lock_store.url = "http://not-redis"
    with pytest.raises(StartError, match=r"endpoints\.yml"):
        loop.run_until_complete(new_agent(wrong))


# ---- health


class Store:
    def __init__(self, state: str) -> None:
        self._state = state

    async def health(self) -> dict[str, Any]:
        if self._state == "raises":
            raise RuntimeError
        return {"database": self._state, "spooled": 3}


@pytest.mark.parametrize(
    ("ready", "database", "locks_down", "status"),
    [
        (True, "ok", False, "ok"),
        (True, "down", False, "degraded"),
        (True, "raises", False, "degraded"),
        (True, "ok", True, "degraded"),
        (False, "ok", False, "crisis only"),
        (False, "down", True, "crisis only"),
    ],
)
async def test_health_tells_what_works(
    ready: bool, database: str, locks_down: bool, status: str
) -> None:
    locks: Any = SimpleNamespace(status="shared store down") if locks_down else ConversationLocks()
    agent = SimpleNamespace(is_ready=lambda: ready, tracker_store=Store(database), lock_store=locks)
    state = await health.health(agent, "m", {"help_lines_unchecked": 2})
    assert state["status"] == status
    assert state["database"] == ("down" if database == "raises" else database)
    assert state["knowledge"] == {"help_lines_unchecked": 2}
    assert set(state) == {"status", "model", "database", "spooled", "locks", "knowledge"}
