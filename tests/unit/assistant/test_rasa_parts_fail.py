"""Inside Rasa no fault of a part costs a turn, and no crisis can hide from any channel."""

from __future__ import annotations

import asyncio
import io
import logging
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.events import BotUttered, ConversationPaused, UserUttered
from rasa.shared.nlu.training_data.message import Message

from ebb.assistant import policy, responses, tracker_view
from ebb.assistant.intent_model import IntentModel
from ebb.assistant.nlu import Intents, Understanding
from ebb.assistant.tracker_view import typed_words
from ebb.conversation.core import Core
from ebb.conversation.events import FINDINGS, SAFETY
from ebb.findings import Extractor
from ebb.replies import Renderer

if TYPE_CHECKING:
    from ebb.assistant.terminal import Talk

MARKER = "qwertzmarker"
CRISIS = "i want to kill myself"
ASK = "what is a let-down?"
REPORT = "i get a wave of dread just before my milk lets down"


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError(MARKER)


class Stock:
    """The trained model behind a channel of Rasa's own, without our door."""

    def __init__(self, talk: Talk, loop: asyncio.AbstractEventLoop) -> None:
        self.agent, self._loop = talk._agent, loop
        self.sender = uuid.uuid4().hex

    def say(self, text: str) -> list[str]:
        """The texts of the replies to one message."""
        channel = CollectingOutputChannel()
        message = UserMessage(text, channel, self.sender)
        self._loop.run_until_complete(self.agent.handle_message(message))
        return [reply.get("text", "") for reply in channel.messages]

    @property
    def tracker(self) -> Any:
        return self._loop.run_until_complete(self.agent.tracker_store.retrieve(self.sender))

    def save(self, tracker: Any) -> None:
        self._loop.run_until_complete(self.agent.tracker_store.save(tracker))

    @property
    def replies(self) -> list[str]:
        """The ids of all stored replies."""
        return [
            str(event.metadata.get("reply") or event.metadata.get("utter_action"))
            for event in self.tracker.events
            if isinstance(event, BotUttered)
        ]


@pytest.fixture
def stock(talk: Talk, loop: asyncio.AbstractEventLoop) -> Stock:
    return Stock(talk, loop)


# ---- typed commands


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("hello", "hello"),
        ("/greet", ""),
        ("/ask_dmer_what", ""),
        ("/restart", ""),
        ('/inform{"answer": "thoughts_of_harm=no"}', ""),
        ('/inform{"country": "GB"} ', ""),
        ("/greet@1.0", ""),
        ('/greet{"x":1} i want to die', 'greet{"x":1} i want to die'),
        ("/greet@1.0 i want to die", "greet@1.0 i want to die"),
        ("/greet i want to die", "greet i want to die"),
        ('/greet{"x": "i want to die"}', 'greet{"x": "i want to die"}'),
        ('/greet{"i want to die": 1}', 'greet{"i want to die": 1}'),
        ("/greet{i want to die}", "greet{i want to die}"),
        ("//I want to die", "I want to die"),
        ("/ i want to die", "i want to die"),
        ("", ""),
    ],
)
def test_words_are_told_from_commands(typed: str, words: str) -> None:
    assert typed_words(typed) == words


@pytest.mark.parametrize(
    "said",
    [
        CRISIS,
        '/greet{"x":1} i want to die',
        "/greet@1.0 i want to die",
        '/greet@1.0{"x": 1} i want to die',
        '/greet{"x": "i want to die"}',
        '/restart{"x":1} i want to die',
        "/I want to die",
        "/i want to kill myself{",
        "EXTERNAL: i want to die",
        "EXTERNAL: greet i want to die",
    ],
)
def test_no_typed_command_hides_a_crisis_from_a_stock_channel(stock: Stock, said: str) -> None:
    text = " ".join(stock.say(said))
    assert "findahelpline" in text
    assert [name for name in stock.replies if name.startswith("crisis.")]
    stored = next(e for e in stock.tracker.events if isinstance(e, UserUttered))
    assert stored.parse_data[SAFETY]["tier"] in ("urgent", "emergency")


def test_a_command_of_rasas_still_works_in_a_stock_channel(stock: Stock) -> None:
    stock.say("/ask_dmer_what")
    assert stock.replies == ["utter_dmer_what"]


def test_the_policy_reads_a_message_that_came_without_an_assessment(stock: Stock) -> None:
    channel = CollectingOutputChannel()
    parsed = {"text": CRISIS, "intent": {"name": "greet", "confidence": 1.0}, "entities": []}
    message = UserMessage(CRISIS, channel, stock.sender, parse_data=parsed)
    stock._loop.run_until_complete(stock.agent.handle_message(message))
    assert stock.replies[0].startswith("crisis.")


# ---- a paused conversation


@pytest.mark.parametrize(("said", "reply"), [(CRISIS, "crisis."), (ASK, "utter_")])
def test_a_paused_conversation_goes_on_with_her_next_message(
    stock: Stock, said: str, reply: str
) -> None:
    stock.say("hello")
    tracker = stock.tracker
    tracker.update(ConversationPaused())
    stock.save(tracker)
    assert stock.tracker.is_paused()
    before = len(stock.replies)
    assert stock.say(said)
    assert stock.replies[before].startswith(reply)
    assert not stock.tracker.is_paused()


# ---- components that raise


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that Ebb logs; it must name the kind of error and never what was said."""
    caplog.set_level(logging.DEBUG, "ebb")
    yield caplog
    text = " ".join(record.getMessage() for record in caplog.get_records("call"))
    assert "RuntimeError" in text or "ValueError" in text
    assert MARKER not in text


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Extractor, "extract"),
        (Core, "_meant"),
        (IntentModel, "rank"),
        (IntentModel, "knows_a_word"),
        (tracker_view, "_read"),
    ],
)
def test_a_crisis_is_answered_whatever_raises_beside_it(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    monkeypatch.setattr(owner, name, broken)
    text = " ".join(stock.say(CRISIS))
    assert "findahelpline" in text
    assert stock.tracker.latest_message.parse_data[SAFETY]["tier"] == "urgent"


def test_a_broken_finder_leaves_no_findings_and_the_rest(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    monkeypatch.setattr(Extractor, "extract", broken)
    assert stock.say(ASK)
    parsed = stock.tracker.latest_message.parse_data
    assert parsed[FINDINGS] == []
    assert parsed[SAFETY]["tier"] == "none"


@pytest.mark.parametrize("damage", ["raises", "not numbers"])
def test_a_damaged_intent_model_means_not_understood(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, log: Any, damage: str
) -> None:
    if damage == "raises":
        monkeypatch.setattr(IntentModel, "rank", broken)
    else:
        monkeypatch.setattr(IntentModel, "rank", lambda *_: [("greet", float(np.nan))])
    assert stock.say(ASK)
    parsed = stock.tracker.latest_message.parse_data
    assert parsed["intent"]["name"] == "nlu_fallback"
    assert parsed["intent_ranking"] == []


def test_a_broken_assessment_in_context_still_reads_the_words(
    monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    real = Core.assess

    def only_alone(self: Core, words: str, payload: str | None, before: Any) -> Any:
        return real(self, words, payload, before) if before == [] else broken()

    monkeypatch.setattr(Core, "assess", only_alone)
    monkeypatch.setattr("ebb.assistant.nlu._earlier", lambda _: [{"event": "user"}])
    (read,) = Understanding().process([Message({"text": CRISIS})])
    assert read.get(SAFETY)["tier"] == "urgent"


def test_a_broken_assessment_means_asking_and_never_hides_what_the_net_saw(
    monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    monkeypatch.setattr(Core, "assess", broken)
    seen = {"tier": "emergency", "category": "x", "rules": [], "spans": []}
    alone, with_net = Understanding().process(
        [Message({"text": CRISIS}), Message({"text": CRISIS, "metadata": {SAFETY: seen}})]
    )
    assert alone.get(SAFETY)["tier"] == "check"
    assert with_net.get(SAFETY)["tier"] == "emergency"


def test_a_model_without_anything_in_it_understands_nothing_and_raises_nothing() -> None:
    message = Message({"text": ASK})
    Intents({}, None, None).process(Understanding().process([message]))
    assert message.get("intent")["name"] == "nlu_fallback"


# ---- the policy


def test_a_policy_that_cannot_decide_still_answers_a_crisis_once(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    monkeypatch.setattr(Core, "decide", broken)
    assert len(stock.say(CRISIS)) >= 1
    assert len([name for name in stock.replies if name.startswith("crisis.")]) == 1
    assert stock.say(ASK)
    assert "utter_letdown_what" in stock.replies or len(stock.replies) > 1


def test_a_policy_that_cannot_read_the_state_leaves_the_rest_to_the_rules(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    monkeypatch.setattr(policy.State, "from_json", broken)
    assert stock.say(ASK)


# ---- the response generator


def test_a_crisis_reply_that_cannot_be_made_from_the_conversation_is_a_plain_one(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    monkeypatch.setattr(Core, "render", broken)
    text = " ".join(stock.say(CRISIS))
    assert "findahelpline" in text
    assert stock.replies[0].startswith("crisis.")


def test_help_is_named_when_nothing_can_be_rendered(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    for owner, name in ((Core, "render"), (Renderer, "crisis"), (Core, "failed")):
        monkeypatch.setattr(owner, name, broken)
    assert "findahelpline" in " ".join(stock.say(CRISIS))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Core, "render"),
        (responses, "last_messages"),
        (TemplatedNaturalLanguageGenerator, "generate"),
    ],
)
def test_an_answer_that_cannot_be_made_is_an_honest_line(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, log: Any, owner: Any, name: str
) -> None:
    monkeypatch.setattr(owner, name, broken)
    stock.say(ASK)
    assert "failed" in stock.replies


# ---- actions


def test_the_honest_line_of_a_failed_action_is_sent_and_stored(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions = stock.agent.action_endpoint._executor.actions
    with monkeypatch.context() as patch:
        patch.setitem(actions, "action_triage", broken)
        text = " ".join(stock.say(REPORT))
    assert "something went wrong" in text
    assert stock.replies == ["failed"]
    assert stock.say(REPORT)
    assert stock.replies[-1].startswith("question.")


# ---- words


def test_no_failing_part_logs_what_she_wrote(
    stock: Stock,
    talk: Talk,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    levels = {
        name: logging.getLogger(name).level for name in ("", "rasa", "rasa_sdk", "sqlalchemy")
    }
    root.addHandler(handler)
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    executor = stock.agent.action_endpoint._executor
    store = stock.agent.tracker_store._tracker_store
    said = f"{REPORT} says {MARKER}"
    faults: list[tuple[Any, str]] = [
        (Core, "turn"),
        (Core, "render"),
        (Core, "decide"),
        (Extractor, "extract"),
        (store, "save"),
        (store, "retrieve"),
        (TemplatedNaturalLanguageGenerator, "generate"),
    ]
    try:
        for owner, name in faults:
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, broken)
                _, replies = loop.run_until_complete(talk.say(uuid.uuid4().hex, said, "GB"))
                assert replies, f"silence when {name} fails"
        with monkeypatch.context() as patch:
            patch.setitem(executor.actions, "action_triage", broken)
            _, replies = loop.run_until_complete(talk.say(uuid.uuid4().hex, said, "GB"))
            assert [reply.id for reply in replies] == ["failed"]
        stock.say(f'/greet{{"x": broken}} {MARKER}')
        stock.say(f"/{MARKER}")
    finally:
        root.removeHandler(handler)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    text = stream.getvalue() + "".join(capfd.readouterr())
    assert "RuntimeError" in text
    assert MARKER not in text
