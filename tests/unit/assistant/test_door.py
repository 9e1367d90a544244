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

from ebb.assistant import inbox
from ebb.assistant.channels.door import SENT, UNDELIVERED, Door, clean
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


@pytest.mark.parametrize(
    ("handle", "told"), [(breaks, "failed"), (hangs, "late"), (says_nothing, "failed")]
)
def test_a_turn_without_a_reply_gets_an_honest_line_with_numbers(handle: Handle, told: str) -> None:
    (replies,) = talk(handle, "what is a let down", seconds=0.2)
    assert [reply.id for reply in replies] == [told]
    assert "999" in replies[0].text


def test_the_crisis_reply_is_not_sent_twice() -> None:
    async def repeats(message: Any) -> None:
        sent = message.metadata[SENT]
        await message.output_channel.send_response("x", {"text": "again", "reply": sent})

    (replies,) = talk(repeats, CRISIS)
    assert len(replies) == 1


class Line:
    """A way to her that fails `failures` times first."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.got: list[Reply] = []

    async def __call__(self, reply: Reply) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("gone")
        self.got.append(reply)

    @property
    def ids(self) -> list[str]:
        return [reply.id for reply in self.got]


def test_a_reply_whose_delivery_fails_is_sent_again() -> None:
    line = Line(failures=1)
    asyncio.run(Door("test", answers).receive("c", "hello", line))
    assert line.ids == ["utter_x"]


def test_what_could_not_be_sent_is_told_with_her_next_message() -> None:
    heard: list[dict[str, Any]] = []

    async def listens(message: Any) -> None:
        heard.append(message.metadata)
        await answers(message)

    async def run() -> None:
        door = Door("test", listens)
        await door.receive("c", "hello", Line(failures=99))
        await door.receive("c", "hello again", Line())

    asyncio.run(run())
    assert UNDELIVERED not in heard[0]
    assert heard[1][UNDELIVERED] == ["utter_x"]


def test_a_crisis_reply_that_did_not_go_out_comes_before_the_next_answer() -> None:
    async def run() -> list[str]:
        door, line = Door("test", answers), Line()
        await door.receive("c", CRISIS, Line(failures=99), "GB")
        await door.receive("c", "what is a let down", line, "GB")
        await door.close(0)
        return line.ids

    first, *_ = asyncio.run(run())
    assert first.startswith("crisis.")


def test_a_crisis_reply_is_tried_on_while_she_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebb.assistant.channels.door.LATER", (0.01, 0.01))

    async def run() -> list[str]:
        door, line = Door("test", says_nothing), Line(failures=4)
        await door.receive("c", CRISIS, line, "GB")
        await asyncio.sleep(0.2)
        return line.ids

    (only,) = asyncio.run(run())
    assert only.startswith("crisis.")


def test_a_late_answer_is_sent_when_she_has_not_written_since() -> None:
    async def slow(message: Any) -> None:
        await asyncio.sleep(0.2)
        await answers(message)

    async def run() -> list[str]:
        door, line = Door("test", slow, seconds=0.05), Line()
        await door.receive("c", "what is a let down", line)
        await door.close(1)
        return line.ids

    assert asyncio.run(run()) == ["late", "utter_x"]


def test_a_late_answer_is_kept_back_when_she_has_written_since() -> None:
    async def first_slow(message: Any) -> None:
        if message.text == "slow":
            await asyncio.sleep(0.6)
        reply = {"text": "An answer.", "reply": f"utter_{message.text}"}
        await message.output_channel.send_response("x", reply)

    async def run() -> tuple[list[str], list[str]]:
        door, line = Door("test", first_slow, seconds=0.4), Line()
        await door.receive("c", "slow", line)
        await door.receive("c", "quick", line)
        await door.close(1)
        return line.ids, door.memories.of("c").undelivered

    sent, kept_back = asyncio.run(run())
    assert sent == ["late", "utter_quick"] and kept_back == ["utter_slow"]


def test_messages_of_one_conversation_are_taken_in_their_order_however_many_come_at_once() -> None:
    heard: list[str] = []

    async def listens(message: Any) -> None:
        await asyncio.sleep(0.001 * (len(message.text) % 3))
        heard.append(message.text)
        await answers(message)

    async def run() -> list[Reply]:
        door, line = Door("test", listens), Line()
        said = [f"message {number}" for number in range(200)]
        await asyncio.gather(*(door.receive("c", one, line) for one in said))
        return line.got

    replies = asyncio.run(run())
    assert heard == [f"message {number}" for number in range(200)]
    assert len(replies) == 200


def test_no_more_than_two_turns_run_at_once_and_a_crisis_waits_for_none() -> None:
    running, most = 0, 0

    async def slow(message: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.1)
        running -= 1
        await answers(message)

    async def run() -> float:
        door, line = Door("test", slow), Line()
        others = [
            asyncio.ensure_future(door.receive(f"other {n}", "hello", Line())) for n in range(10)
        ]
        await asyncio.sleep(0.05)
        started = time.perf_counter()
        mine = asyncio.ensure_future(door.receive("mine", CRISIS, line, "GB"))
        while not line.got:
            await asyncio.sleep(0.001)
        took = time.perf_counter() - started
        await asyncio.gather(mine, *others)
        return took

    assert asyncio.run(run()) < 0.1
    assert most == 2


def test_turns_that_hang_do_not_hold_up_other_conversations_for_ever() -> None:
    async def hangs_for_some(message: Any) -> None:
        if message.sender_id.startswith("hangs"):
            await asyncio.sleep(30)
        await answers(message)

    async def run() -> list[str]:
        door, line = Door("test", hangs_for_some, seconds=0.1), Line()
        stuck = [door.receive(f"hangs {n}", "hello", Line()) for n in range(4)]
        await asyncio.gather(*stuck)
        await door.receive("c", "hello", line)
        await door.close(0.3)
        return line.ids

    assert asyncio.run(run())[-1] == "utter_x"


def restarted(said: str, recall: Any = None, spool: Path | None = None) -> list[Reply]:
    """The replies to the first message that a new process sees of a conversation."""

    async def run() -> list[Reply]:
        line = Line()
        door = Door("test", says_nothing, recall=recall, spool_folder=spool)
        await door.receive("c", said, line, "GB")
        return line.got

    return asyncio.run(run())


async def unreachable(conversation: str) -> None:
    return None


def asked(question: str, text: str = "Are you safe?") -> Any:
    async def recall(conversation: str) -> list[dict[str, Any]]:
        meta = {"reply": "crisis.ideation_active.urgent", "asked": question}
        return [{"event": "bot", "text": text, "metadata": meta}]

    return recall


def test_a_bare_yes_after_a_restart_answers_the_stored_safety_question() -> None:
    assert restarted("yes", asked("safety.now"))[0].id.startswith("crisis.")


@pytest.mark.parametrize("said", ["yes", "no", "not sure"])
def test_a_bare_answer_whose_question_cannot_be_found_is_met_by_a_safety_question(
    said: str,
) -> None:
    reply = restarted(said, unreachable)[0]
    assert reply.id.startswith("crisis.") and reply.asked is not None


def test_a_bare_yes_in_a_new_conversation_is_no_alarm() -> None:
    async def nothing(conversation: str) -> list[dict[str, Any]]:
        return []

    assert [reply.id for reply in restarted("yes", nothing)] == ["failed"]


def test_the_crisis_record_alone_keeps_a_safety_question_open_over_a_restart(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        await Door("test", answers, spool_folder=tmp_path).receive("c", CRISIS, Line(), "GB")

    asyncio.run(run())
    reply = restarted("yes", unreachable, tmp_path)[0]
    assert reply.id.startswith("crisis.") and "999" in reply.text


def test_a_tapped_answer_about_safety_is_understood_after_a_restart_with_everything_down() -> None:
    payload = opaque('/inform{"answer": "safety.now=yes"}')
    assert restarted(payload, unreachable)[0].id.startswith("crisis.")


def test_a_button_of_an_earlier_process_works_once_the_conversation_is_recalled() -> None:
    async def recall(conversation: str) -> list[dict[str, Any]]:
        buttons = [{"title": "More", "payload": "/ask_dmer_what"}]
        return [{"event": "bot", "text": "Hi.", "data": {"buttons": buttons}}]

    heard: list[str] = []

    async def listens(message: Any) -> None:
        heard.append(message.text)
        await answers(message)

    asyncio.run(Door("test", listens, recall=recall).receive("c", opaque("/ask_dmer_what"), Line()))
    assert heard == ["/ask_dmer_what"]


def test_a_button_that_nobody_knows_is_told_kindly() -> None:
    assert [r.id for r in restarted(opaque("/restart"), unreachable)] == ["stale_payload"]


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
    not_offered, *_ = talk(offers, payload, "hello", "more", payload)
    assert heard == ["hello", "/ask_dmer_what", "/ask_dmer_what"]
    assert [reply.id for reply in not_offered] == ["stale_payload"]


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


# ---- nothing is lost


def test_messages_keep_their_place_from_when_they_arrive() -> None:
    """A crisis that is still being sent is not overtaken by what came after it."""
    heard: list[str] = []

    async def listens(message: Any) -> None:
        heard.append(message.text)
        await answers(message)

    async def slowly(reply: Reply) -> None:
        await asyncio.sleep(0.1)

    async def run() -> None:
        door = Door("test", listens)
        first = asyncio.ensure_future(door.receive("c", CRISIS, slowly, "GB"))
        await asyncio.sleep(0.01)
        await asyncio.gather(first, door.receive("c", "hello", Line(), "GB"))

    asyncio.run(run())
    assert heard == [CRISIS, "hello"]


def kept_by(handle: Handle, *said: str, seconds: float = 0.1) -> list[str]:
    """The ids of what the door itself asks to store."""
    kept: list[str] = []

    async def keep(conversation: str, lines: Any) -> None:
        kept.extend(line["reply"] for line in lines)

    async def run() -> None:
        door = Door("test", handle, seconds=seconds, keep=keep)
        for one in said:
            await door.receive("c", one, Line(), "GB")
        await door.close(1)

    asyncio.run(run())
    return kept


def test_a_line_of_the_door_s_own_is_stored_once_the_turn_is_over() -> None:
    async def slow(message: Any) -> None:
        await asyncio.sleep(0.3)
        await answers(message)

    assert kept_by(slow, "hello") == ["late"]
    assert kept_by(breaks, "hello") == ["failed"]
    assert kept_by(answers, "hello") == []


def test_a_crisis_reply_that_the_turn_did_not_take_over_is_stored() -> None:
    (kept,) = kept_by(answers, CRISIS)
    assert kept.startswith("crisis.")


def test_a_killed_process_loses_no_accepted_message(tmp_path: Path) -> None:
    heard: list[tuple[str, str]] = []

    async def listens(message: Any) -> None:
        heard.append((message.text, message.message_id))
        await answers(message)

    async def killed() -> None:
        door = Door("test", hangs, spool_folder=tmp_path, seconds=0.05)
        await door.receive("c", "hello", Line(), "GB")
        await door.receive("c", CRISIS, Line(), "GB")

    async def next_process() -> int:
        door = Door("test", listens, spool_folder=tmp_path)
        found = await door.recover()
        await asyncio.sleep(0.1)
        await door.close(1)
        return found

    asyncio.run(killed())
    assert asyncio.run(next_process()) == 2
    assert [text for text, _ in heard] == ["hello", CRISIS]
    assert inbox.waiting(tmp_path) == []


def test_what_was_accepted_is_for_the_owner_alone_and_gone_when_stored(tmp_path: Path) -> None:
    seen: list[int] = []

    async def looks(message: Any) -> None:
        seen.extend(file.stat().st_mode & 0o777 for file in (tmp_path / "accepted").iterdir())
        await answers(message)

    talk(looks, "hello", spool_folder=tmp_path)
    assert seen == [0o600]
    assert list((tmp_path / "accepted").iterdir()) == []


def test_a_torn_file_in_the_inbox_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "accepted"
    folder.mkdir()
    (folder / "1.json").write_text('{"conversation": "c", "te')
    assert inbox.waiting(tmp_path) == []
