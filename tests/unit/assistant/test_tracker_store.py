"""What the tracker store keeps, reads, cuts and erases while its SQLite file is well."""

from __future__ import annotations

import sqlite3
import stat
import uuid
from pathlib import Path

import pytest
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.events import (
    ActionExecuted,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from store_talk import DOMAIN, Talk, run, said, write

from ebb.assistant.store.window import EVENTS, MESSAGES, MOST, shorten
from ebb.assistant.tracker_store import ConversationStore


def test_a_conversation_is_stored_once_and_read_back_by_another_process(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "one", country="GB")
        await talk.turn("a", "two")
        await talk.turn("b", "other")
        other = Talk(tmp_path)
        tracker = await other.rasa.retrieve("a")
        assert said(tracker) == ["one", "two"]
        assert tracker is not None and tracker.get_slot("country") == "GB"
        assert await other.rasa.retrieve("new") is None
        assert sorted(await other.rasa.keys()) == ["a", "b"]
        assert talk.texts("a") == ["one", "two"]

    run(work)


def test_a_turn_that_fails_in_the_middle_leaves_no_trace_in_the_next(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "one")
        (await talk.begin("a")).update(UserUttered("broken off"))
        await talk.turn("a", "two")
        assert said(await talk.rasa.retrieve("a")) == ["one", "two"]

    run(work)


def test_saving_the_same_tracker_twice_stores_its_events_once(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        tracker = await talk.begin("a")
        write(tracker, "one")
        await talk.rasa.save(tracker)
        await talk.rasa.save(tracker)
        write(tracker, "two")
        await talk.rasa.save(tracker)
        assert talk.texts("a") == ["one", "two"]

    run(work)


def test_the_stock_columns_can_be_read_by_the_stock_store(tmp_path: Path) -> None:
    async def work() -> None:
        await Talk(tmp_path).turn("a", "one", country="GB")
        stock = SQLTrackerStore(DOMAIN, db=str(tmp_path / "events.db"))
        assert said(await stock.retrieve("a")) == ["one"]

    run(work)


def test_a_database_of_the_stock_store_is_carried_over(tmp_path: Path) -> None:
    async def work() -> None:
        stock = SQLTrackerStore(DOMAIN, db=str(tmp_path / "events.db"))
        tracker = await stock.get_or_create_tracker("a", append_action_listen=False)
        write(tracker, "old", country="IE")
        await stock.save(tracker)
        stock.engine.dispose()
        talk = Talk(tmp_path)
        await talk.turn("a", "new")
        tracker = await Talk(tmp_path).rasa.retrieve("a")
        assert said(tracker) == ["old", "new"]
        assert tracker is not None and tracker.get_slot("country") == "IE"

    run(work)


def test_a_table_that_is_not_ours_is_put_aside_and_kept(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "events.db")
    connection.execute("CREATE TABLE events (something TEXT)")
    connection.execute("INSERT INTO events VALUES ('kept')")
    connection.commit()
    connection.close()

    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "one")
        assert talk.texts("a") == ["one"]
        ((name,),) = talk.rows("SELECT name FROM sqlite_master WHERE name LIKE 'events_aside_%'")
        assert talk.rows(f"SELECT * FROM {name}") == [("kept",)]

    run(work)


@pytest.mark.parametrize("gone", ["DROP TABLE events", "ALTER TABLE events DROP COLUMN data"])
def test_a_table_that_disappears_is_made_again(tmp_path: Path, gone: str) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "one")
        connection = sqlite3.connect(tmp_path / "events.db")
        connection.execute(gone)
        connection.commit()
        connection.close()
        await talk.turn("a", "two")
        assert talk.texts("a") == ["one", "two"]

    run(work)


def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "one")
        last = talk.rows()[-1][0]
        talk.store.erase("a")
        await talk.turn("b", "two")
        assert talk.rows()[0][0] > last

    run(work)


def test_a_row_that_cannot_be_read_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "one")
        await talk.turn("a", "secret")
        connection = sqlite3.connect(tmp_path / "events.db")
        connection.execute("UPDATE events SET data = '{\"torn' WHERE data LIKE '%\"secret\"%'")
        connection.execute("UPDATE events SET data = NULL WHERE type_name = 'session_started'")
        connection.commit()
        connection.close()
        assert said(await Talk(tmp_path).rasa.retrieve("a")) == ["one"]
        assert "cannot be read" in caplog.text and "secret" not in caplog.text

    run(work)


def test_what_cannot_be_written_as_json_is_stored_all_the_same(tmp_path: Path) -> None:
    class Number:
        def item(self) -> float:
            return 0.5

    async def work() -> None:
        talk = Talk(tmp_path)
        tracker = await talk.begin("a")
        write(tracker, "one")
        tracker.update(UserUttered("two\x00\ud800", {"name": "x" * 300, "confidence": Number()}))
        await talk.rasa.save(tracker)
        assert said(await Talk(tmp_path).rasa.retrieve("a")) == ["one", "two\x00\ud800"]

    run(work)


@pytest.mark.parametrize("conversation", ["a\x00b", "x" * 256, "\ud800", ""])
def test_an_impossible_id_harms_nothing(tmp_path: Path, conversation: str) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        tracker = talk.rasa.init_tracker(conversation)
        write(tracker, "one")
        await talk.rasa.save(tracker)
        tracker = await talk.rasa.retrieve(conversation)
        assert said(tracker) == ["one"]
        await talk.turn("b", "two")
        assert talk.texts("b") == ["two"]
        assert talk.rasa._fallback_tracker_store is None

    run(work)


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    async def work() -> None:
        await Talk(tmp_path / "deep").turn("a", "one")
        for file in (tmp_path / "deep").glob("events.db*"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    run(work)


def test_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="dialect"):
        ConversationStore(DOMAIN, dialect="mysql")
    with pytest.raises(TypeError):
        ConversationStore(DOMAIN, retrieve_secs=3)  # type: ignore[call-arg]


# ---- how much is kept at hand


def test_a_long_conversation_is_read_in_part_with_the_last_value_of_every_slot(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "0", country="GB", conversation={"n": 0})
        for number in range(1, 60):
            await talk.turn("a", str(number), **({"question_open": True} if number == 9 else {}))
        kept = await talk.rasa.retrieve("a")
        read = await Talk(tmp_path).rasa.retrieve("a")
        for tracker in (kept, read):
            assert tracker is not None and EVENTS <= len(tracker.events) <= MOST + 10
            assert tracker.get_slot("country") == "GB"
            assert tracker.get_slot("conversation") == {"n": 0}
            assert tracker.get_slot("question_open") is True
            half = MESSAGES // 2
            assert said(tracker)[-half:] == [str(n) for n in range(60 - half, 60)]
            assert len(said(tracker)) < 40
        assert said(kept) == said(read)
        full = await talk.rasa.retrieve_full_tracker("a")
        assert said(full) == [str(n) for n in range(60)]

    run(work)


def test_a_new_session_forgets_the_slots_of_the_one_before(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "old", country="GB")
        tracker = await talk.begin("a")
        tracker.update(ActionExecuted("action_session_start"))
        tracker.update(SessionStarted())
        tracker.update(ActionExecuted("action_listen"))
        await talk.rasa.save(tracker)
        for number in range(50):
            await talk.turn("a", str(number))
        for tracker in (await talk.begin("a"), await Talk(tmp_path).begin("a")):
            assert tracker.get_slot("country") is None

    run(work)


def test_the_cut_is_before_a_message_of_hers() -> None:
    tracker = DialogueStateTracker("a", DOMAIN.slots)
    for number in range(40):
        write(tracker, str(number), country=str(number))
    kept = shorten(list(tracker.events))
    holding = [e for e in kept if isinstance(e, SlotSet)][:1]
    assert holding == kept[:1]
    rest: list[Event] = kept[1:]
    assert isinstance(rest[0], ActionExecuted) and rest[0].action_name == "action_listen"
    assert isinstance(rest[1], UserUttered)
    assert rest == list(tracker.events)[-len(rest) :]


# ---- changed from outside


def test_what_another_process_added_is_seen(tmp_path: Path) -> None:
    async def work() -> None:
        here, there = Talk(tmp_path), Talk(tmp_path)
        await here.turn("a", "one")
        await there.turn("a", "two")
        await here.turn("a", "three")
        assert said(await here.rasa.retrieve("a")) == ["one", "two", "three"]
        assert here.texts("a") == ["one", "two", "three"]

    run(work)


def test_a_conversation_that_another_process_erased_starts_anew(tmp_path: Path) -> None:
    async def work() -> None:
        here, there = Talk(tmp_path), Talk(tmp_path)
        await here.turn("a", "one", country="GB")
        assert there.store.erase("a") > 0
        await here.turn("a", "two")
        tracker = await here.rasa.retrieve("a")
        assert said(tracker) == ["two"]
        assert tracker is not None and tracker.get_slot("country") is None
        assert here.texts("a") == ["two"]

    run(work)


def test_a_turn_during_which_the_conversation_is_erased_is_not_stored(tmp_path: Path) -> None:
    async def work() -> None:
        here, there = Talk(tmp_path), Talk(tmp_path)
        await here.turn("a", "one")
        tracker = await here.begin("a")
        there.store.erase("a")
        write(tracker, "two")
        await here.rasa.save(tracker)
        assert here.texts("a") == []
        await here.turn("a", "three")
        assert said(await here.rasa.retrieve("a")) == ["three"]

    run(work)


def test_she_erases_her_conversation_herself(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "one")
        await talk.turn("b", "kept")
        await talk.turn("a", "erase it", conversation="erase")
        assert [row[1] for row in talk.rows("SELECT id, sender_id FROM events")].count("a") == 0
        assert await talk.rasa.retrieve("a") is None
        assert talk.texts("b") == ["kept"]

    run(work)


def test_erased_words_are_in_no_file(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        words = [f"word{uuid.uuid4().hex}" for _ in range(60)]
        for number, word in enumerate(words):
            await talk.turn("a", f"{word} " * (1 + number % 90))
            await talk.turn(f"b{number % 7}", "kept " * (number % 50))
        assert talk.store.erase("a") > 0
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert files
        for file in files:
            content = file.read_bytes()
            assert not [word for word in words if word.encode() in content], file

    run(work)


# ---- for the rest of Ebb


def test_the_last_messages_come_from_memory_or_from_the_file(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        for number in range(10):
            await talk.turn("a", str(number))
        other = Talk(tmp_path).store
        for store in (talk.store, other):
            recent = await store.recent("a", 4)
            assert recent is not None
            assert [(e["event"], e["text"]) for e in recent] == [
                ("user", "8"),
                ("bot", "re 8"),
                ("user", "9"),
                ("bot", "re 9"),
            ]
        assert await other.recent("nobody") == []
        assert await talk.store.health() == {"database": "ok", "spooled": 0}

    run(work)


def test_an_exchanged_file_is_noticed_and_the_conversation_goes_on(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "one", country="GB")
        for file in tmp_path.glob("events.db*"):
            file.unlink()
        await talk.turn("a", "two")
        tracker = await talk.rasa.retrieve("a")
        assert said(tracker) == ["one", "two"]
        assert talk.texts("a") == ["one", "two"]
        tracker = await Talk(tmp_path).rasa.retrieve("a")
        assert tracker is not None and tracker.get_slot("country") == "GB"

    run(work)
