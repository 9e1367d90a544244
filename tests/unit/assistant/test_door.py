"""The door answers every message, a crisis first, whatever happens behind it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.assistant.channels.door import SENT, Door, clean
from ebb.assistant.channels.memory import opaque
from ebb.conversation.core import Core
from ebb.types import Reply

CRISIS = "i want to kill myself"
Handle = Callable[[Any], Awaitable[None]]


async def answers(message: Any) -> None:
    await message.output_channel.send_response("x", {"text": "An answer.", "reply": "utter_x"})


async def breaks(message: Any) -> None:
    raise RuntimeError(message.text)


async def hangs(message: Any) -> None:
    await asyncio.sleep(30)


async def says_nothing(message: Any) -> None:
    return None


def talk(
    handle: Handle, *said: object, country: str | None = "GB", **options: Any
) -> list[list[Reply]]:
    """The replies to each message of one conversation."""

    async def run() -> list[list[Reply]]:
        door = Door("test", handle, **options)
        turns = []
        for message in said:
            replies: list[Reply] = []

            async def deliver(reply: Reply, kept: list[Reply] = replies) -> None:
                kept.append(reply)

            await door.receive("conversation", message, deliver, country)
            turns.append(replies)
        return turns

    return asyncio.run(run())


@pytest.mark.parametrize("handle", [answers, breaks, hangs, says_nothing])
def test_a_crisis_is_answered_first_and_at_once_whatever_happens_behind(handle: Handle) -> None:
    started = time.perf_counter()
    (replies,) = talk(handle, CRISIS, seconds=0.3)
    assert replies[0].id.startswith("crisis.")
    assert "116 123" in replies[0].text
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("handle", [breaks, hangs, says_nothing])
def test_a_turn_without_a_reply_gets_an_honest_line_with_numbers(handle: Handle) -> None:
    (replies,) = talk(handle, "what is a let down", seconds=0.2)
    assert [reply.id for reply in replies] == ["failed"]
    assert "999" in replies[0].text


def test_the_crisis_reply_is_not_sent_twice() -> None:
    async def repeats(message: Any) -> None:
        sent = message.metadata[SENT]
        await message.output_channel.send_response("x", {"text": "again", "reply": sent})

    (replies,) = talk(repeats, CRISIS)
    assert len(replies) == 1


def test_a_failing_delivery_does_not_break_the_conversation() -> None:
    async def run() -> list[str]:
        door = Door("test", answers)
        told: list[str] = []

        async def deliver(reply: Reply) -> None:
            if not told:
                told.append("lost")
                raise ConnectionError("gone")
            told.append(reply.id)

        await door.receive("c", "hello", deliver)
        await door.receive("c", "hello", deliver)
        return told

    assert asyncio.run(run()) == ["lost", "utter_x"]


def test_a_typed_command_is_plain_text() -> None:
    heard: list[str] = []

    async def listens(message: Any) -> None:
        heard.append(message.text)
        await answers(message)

    talk(listens, "/restart", '/inform{"answer": "thoughts_of_harm=no"}', "//menu")
    assert heard == ["restart", 'inform{"answer": "thoughts_of_harm=no"}', "menu"]


def test_a_crisis_behind_a_typed_command_is_seen() -> None:
    (replies,) = talk(answers, '/greet{"x": 1} i want to die')
    assert replies[0].id.startswith("crisis.")


def test_only_an_offered_button_is_pressed() -> None:
    heard: list[str] = []

    async def offers(message: Any) -> None:
        heard.append(message.text)
        buttons = [{"title": "More", "payload": "/ask_dmer_what"}]
        await message.output_channel.send_response("x", {"text": "Hi.", "buttons": buttons})

    payload = opaque("/ask_dmer_what")
    talk(offers, payload, "more", payload)
    assert heard == [payload, "/ask_dmer_what", "/ask_dmer_what"]


def test_yes_to_the_safety_question_needs_nothing_behind_the_door() -> None:
    first, second = talk(breaks, CRISIS, "yes")
    assert first[0].asked == "safety.now"
    assert second[0].id.startswith("crisis.")
    assert second[0].id != first[0].id


def test_a_thought_split_over_messages_is_seen() -> None:
    turns = talk(answers, "i want", "to", "die")
    assert turns[2][0].id.startswith("crisis.")


def test_the_country_she_names_gives_the_numbers() -> None:
    turns = talk(answers, "im in new zealand", CRISIS, country=None)
    assert "1737" in turns[1][0].text


def test_the_crisis_record_holds_no_words(tmp_path: Path) -> None:
    talk(answers, CRISIS, spool_folder=tmp_path)
    (line,) = (tmp_path / "crisis.jsonl").read_text().splitlines()
    kept = json.loads(line)
    assert kept["tier"] == "urgent"
    assert "kill myself" not in line.replace("ideation.kill_myself", "")


def test_an_unwritable_crisis_record_silences_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    (replies,) = talk(answers, CRISIS, spool_folder=blocked)
    assert replies[0].id.startswith("crisis.")


def test_a_broken_safety_net_still_sends_help_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Core, "assess", broken)
    (replies,) = talk(answers, CRISIS)
    assert [reply.id for reply in replies] == ["failed", "utter_x"]
    assert "999" in replies[0].text


def test_errors_are_logged_without_her_words(caplog: pytest.LogCaptureFixture) -> None:
    talk(breaks, "my name is jane and my milk is slow")
    assert "RuntimeError" in caplog.text
    assert "jane" not in caplog.text


@pytest.mark.parametrize("said", ["", "   ", "\x00\x01", "\u202e", "...", None, 5, ["a"]])
def test_what_cannot_be_read_gets_a_kind_line(said: object) -> None:
    (replies,) = talk(answers, said)
    assert [reply.id for reply in replies] == ["unreadable"]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300) | st.text(alphabet="\x00\ud800\u202e\n/{}\"'a1😭", max_size=60))
def test_every_text_gets_a_reply(said: str) -> None:
    (replies,) = talk(answers, said)
    assert replies


@given(st.text())
def test_clean_text_can_always_be_stored(said: str) -> None:
    found = clean(said)
    found.encode("utf-8")
    assert "\x00" not in found


def test_an_erased_conversation_leaves_nothing_in_this_process(tmp_path: Path) -> None:
    async def erases(message: Any) -> None:
        await message.output_channel.send_response("x", {"text": "Gone.", "reply": "erased"})

    talk(erases, CRISIS, spool_folder=tmp_path)
    assert (tmp_path / "crisis.jsonl").read_text() == ""
