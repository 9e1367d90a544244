"""What the tracker store does while its database is down, frozen or locked, and afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from store_talk import Talk, run, said, write

from ebb.assistant.breaker import Breaker
from ebb.assistant.store.database import Cursor, Unreachable
from ebb.assistant.store.journal import Erase, Journal, Turn
from ebb.assistant.store.rows import Row
from ebb.assistant.store.sqlite import SQLite

QUICK = 0.08
LONG = int(os.environ.get("EBB_LONG_TESTS", "0"))
"""How many orders of faults are tried, new ones each time; 0 for the same few in little time."""
PHASES = tuple(Phase) if LONG else (Phase.explicit, Phase.generate)
"""Making a failure smaller takes minutes, as each try has its outages to wait for."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines and pauses that let many outages be tried."""
    for name in ("ERASE_SECONDS", "REPLAY_SECONDS"):
        monkeypatch.setattr(f"ebb.assistant.tracker_store.{name}", 3 * QUICK)
    monkeypatch.setattr("ebb.assistant.tracker_store.RETRY_SECONDS", (0.02, 0.1))


class Faulty(SQLite):
    """A database that can be `down`, `frozen`, or `deaf`: it stores, but its answer is late."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.state = "well"
        self.changed = threading.Condition()
        self.heals = 0
        self.calls = 0

    def heal(self) -> None:
        with self.changed:
            self.state = "well"
            self.heals += 1
            self.changed.notify_all()

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        self._obstruct("down", "frozen")
        with super().reading() as cursor:
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        self._obstruct("down", "frozen", "read-only")
        with super().writing() as cursor:
            yield cursor
        self._obstruct("deaf")

    def _obstruct(self, *states: str) -> None:
        self.calls += 1
        # Looked at under the lock: whoever is healed in between must not wait for the next time.
        with self.changed:
            if self.state not in states:
                return
            if self.state in ("down", "read-only"):
                raise Unreachable(self.state)
            before = self.heals
            self.changed.wait_for(lambda: self.heals != before, timeout=5)


def faulty(folder: Path, rest: float = 0.0, **options: Any) -> tuple[Talk, Faulty]:
    database = Faulty(folder / "events.db")
    talk = Talk(
        folder,
        database=database,
        retrieve_seconds=QUICK,
        save_seconds=QUICK,
        breaker=Breaker(failures=2, rest=rest),
        **options,
    )
    return talk, database


async def emptied(talk: Talk) -> None:
    """Wait until nothing waits for the database."""
    until = time.monotonic() + 20
    while True:
        talk.store._listed = float("-inf")
        talk.store._wake()
        assert talk.store._replaying is not None
        await asyncio.wait_for(asyncio.shield(talk.store._replaying), 10)
        if not talk.store._spooled and not talk.store._backlog:
            return
        assert time.monotonic() < until


STATES = ["down", "frozen", "deaf", "read-only"]


@pytest.mark.parametrize("state", STATES)
def test_an_outage_loses_and_doubles_nothing_and_keeps_the_order(
    tmp_path: Path, state: str
) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        await talk.turn("a", "0", country="GB")
        await talk.turn("b", "x")
        database.state = state
        for number in range(1, 4):
            await talk.turn("a", str(number))
            tracker = await talk.rasa.retrieve("a")
            assert said(tracker) == [str(n) for n in range(number + 1)]
            assert tracker is not None and tracker.get_slot("country") == "GB"
        await talk.turn("c", "began in the outage")
        assert talk.rasa._fallback_tracker_store is None
        database.heal()
        await talk.turn("a", "4")
        await emptied(talk)
        await asyncio.sleep(2 * QUICK)
        assert talk.texts("a") == ["0", "1", "2", "3", "4"]
        assert talk.texts("c") == ["began in the outage"]
        assert await talk.store.health() == {"database": "ok", "spooled": 0}
        assert not list((tmp_path / "spool").glob("*"))

    run(work)


def test_a_dead_database_costs_two_turns_their_deadline_and_the_others_nothing(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path, rest=60)
        await talk.turn("a", "0")
        database.state = "frozen"
        took = []
        for number in range(6):
            started = time.perf_counter()
            await talk.turn("a", str(number))
            took.append(time.perf_counter() - started)
        assert max(took) < 3 * QUICK
        assert max(took[3:]) < QUICK / 2
        assert (await talk.store.health())["database"] == "down"
        assert (await talk.store.health())["spooled"] == 6 * 4
        database.heal()

    run(work)


def test_the_event_loop_is_never_held_up(tmp_path: Path) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        database.state = "frozen"
        gaps: list[float] = []

        async def tick() -> None:
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.005)
                gaps.append(time.perf_counter() - before)

        ticking = asyncio.ensure_future(tick())
        for number in range(3):
            await talk.turn("a", str(number))
            await talk.store.recent("b")
        ticking.cancel()
        database.heal()
        assert max(gaps) < 0.06

    run(work)


def test_a_read_that_fails_before_a_write_that_works_loses_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        for number in range(3):
            await talk.turn("a", str(number))
        talk, database = faulty(tmp_path)
        database.state = "down"
        tracker = await talk.begin("a")
        database.heal()
        write(tracker, "3")
        await talk.rasa.save(tracker)
        await emptied(talk)
        assert said(await talk.rasa.retrieve("a")) == ["0", "1", "2", "3"]
        assert talk.texts("a") == ["0", "1", "2", "3"]

    run(work)


def test_slots_of_before_an_outage_hold_again_after_it(tmp_path: Path) -> None:
    async def work() -> None:
        await Talk(tmp_path).turn("a", "0", country="GB")
        talk, database = faulty(tmp_path)
        database.state = "down"
        await talk.turn("a", "1")
        assert said(await talk.rasa.retrieve("a")) == ["1"]
        database.heal()
        await emptied(talk)
        tracker = await talk.rasa.retrieve("a")
        assert said(tracker) == ["0", "1"]
        assert tracker is not None and tracker.get_slot("country") == "GB"

    run(work)


def test_the_spool_outlives_the_process_and_carries_the_conversation_on(tmp_path: Path) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        database.state = "down"
        await talk.turn("a", "0", country="GB")
        await talk.turn("a", "1")
        again, database = faulty(tmp_path)
        database.state = "down"
        tracker = await again.rasa.retrieve("a")
        assert said(tracker) == ["0", "1"]
        assert tracker is not None and tracker.get_slot("country") == "GB"
        await again.turn("a", "2")
        third, _ = faulty(tmp_path)
        await emptied(third)
        assert third.texts("a") == ["0", "1", "2"]

    run(work)


def test_a_line_that_was_cut_short_harms_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        database.state = "down"
        await talk.turn("a", "0")
        await talk.turn("a", "torn")
        (file,) = (tmp_path / "spool").glob("*")
        whole = file.read_bytes()
        for cut in range(len(whole) - 200, len(whole), 37):
            (tmp_path / "cut").write_bytes(whole[:cut])
            (tmp_path / "cut").replace(file)
            again, database = faulty(tmp_path)
            database.state = "down"
            assert said(await again.rasa.retrieve("a")) == ["0"]
        await again.turn("a", "1")
        database.heal()
        await emptied(again)
        assert again.texts("a") == ["0", "1"]
        assert "torn" not in caplog.text

    run(work)


def test_a_full_disk_keeps_turns_in_memory_and_stores_them_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        await talk.turn("a", "0")
        database.state = "down"
        await talk.turn("a", "1")

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            for number in range(2, 5):
                await talk.turn("a", str(number))
            assert said(await talk.rasa.retrieve("a")) == ["0", "1", "2", "3", "4"]
        await talk.turn("a", "5")
        assert len(Journal(tmp_path / "spool").of("a").steps) == 5  # type: ignore[union-attr]
        database.heal()
        await emptied(talk)
        assert talk.texts("a") == ["0", "1", "2", "3", "4", "5"]

    run(work)


def test_memory_for_what_no_disk_takes_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ebb.assistant.tracker_store.BACKLOG", 12)
    (tmp_path / "spool").write_text("a file where the folder should be")

    async def work() -> None:
        talk, database = faulty(tmp_path)
        database.state = "down"
        for number in range(6):
            await talk.turn("a", f"secret{number}")
        assert talk.store._in_memory() <= 12
        assert "were lost" in caplog.text and "secret" not in caplog.text
        assert said(await talk.rasa.retrieve("a")) == [f"secret{n}" for n in range(6)]

    run(work)


def test_another_process_that_locks_the_file_costs_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "0")
        other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        started = time.perf_counter()
        await talk.turn("a", "1")
        assert time.perf_counter() - started < 1
        other.execute("ROLLBACK")
        other.close()
        await talk.turn("a", "2")
        await emptied(talk)
        assert talk.texts("a") == ["0", "1", "2"]

    run(work)


def test_a_full_database_spools(tmp_path: Path) -> None:
    async def work() -> None:
        talk = Talk(tmp_path)
        await talk.turn("a", "0")
        database = talk.store._database
        assert isinstance(database, SQLite) and database._connection is not None
        pages = database._connection.execute("PRAGMA page_count").fetchone()[0]
        database._connection.execute(f"PRAGMA max_page_count = {pages}")
        await talk.turn("a", "x" * 100_000)
        assert (await talk.store.health())["spooled"] in (0, 4)
        await emptied(talk)
        assert [len(text) for text in talk.texts("a")] == [1, 100_000]

    run(work)


# ---- erasing in an outage


def test_erasing_in_an_outage_is_done_when_the_database_is_back(tmp_path: Path) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        await talk.turn("a", "0")
        database.state = "down"
        await talk.turn("a", "1")
        await talk.turn("a", "erase", conversation="erase")
        await talk.turn("a", "2")
        assert said(await talk.rasa.retrieve("a")) == ["2"]
        database.heal()
        await emptied(talk)
        assert talk.texts("a") == ["2"]
        assert said(await talk.rasa.retrieve("a")) == ["2"]

    run(work)


def test_a_command_erases_what_a_running_process_has_spooled_and_remembers(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        await talk.turn("a", "0")
        database.state = "down"
        await talk.turn("a", "1")
        found = Talk(tmp_path).store.erase_all("a")
        assert found.done and found.tracker == 7 and found.spool == 4
        assert said(await talk.begin("a")) == []
        await talk.turn("a", "2")
        database.heal()
        await emptied(talk)
        assert talk.texts("a") == ["2"]

    run(work)


def test_a_command_that_cannot_reach_the_database_leaves_the_wish_to_erase(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        await talk.turn("a", "0")
        database.state = "down"
        command, broken = faulty(tmp_path)
        broken.state = "down"
        assert not command.store.erase_all("a").done
        assert said(await talk.begin("a")) == []
        database.heal()
        await talk.turn("a", "1")
        await emptied(talk)
        assert talk.texts("a") == ["1"]

    run(work)


def test_a_save_that_was_given_up_does_not_bring_back_what_was_erased(tmp_path: Path) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        tracker = await talk.begin("a")
        write(tracker, "0")
        database.state = "frozen"
        await talk.rasa.save(tracker)
        await talk.store.forget("a")
        database.heal()
        await emptied(talk)
        await asyncio.sleep(2 * QUICK)
        assert talk.texts("a") == []

    run(work)


@pytest.mark.parametrize("state", ["frozen", "deaf"])
def test_erasing_again_takes_what_came_since_though_every_database_thread_is_stuck(
    tmp_path: Path, state: str
) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        await talk.turn("a", "0")
        database.state = state
        await talk.turn("a", "1")
        while not talk.store._db_work._free.locked():
            await talk.store.forget("b")
        await talk.turn("a", "erase", conversation="erase")
        await talk.turn("a", "2")
        await talk.turn("a", "erase", conversation="erase")
        left = Journal(tmp_path / "spool").of("a")
        assert left is not None and not left.rows
        await talk.turn("a", "3")
        database.heal()
        await emptied(talk)
        await asyncio.sleep(2 * QUICK)
        assert talk.texts("a") == ["3"]

    run(work)


def test_a_turn_that_waits_in_memory_is_not_stored_after_it_was_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    async def work() -> None:
        talk, database = faulty(tmp_path)
        database.state = "frozen"
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            await talk.turn("a", "0")
            await asyncio.sleep(QUICK)
            await talk.turn("a", "erase", conversation="erase")
            await talk.turn("a", "1")
            await talk.turn("a", "erase", conversation="erase")
        await talk.store.forget("a")
        await talk.turn("a", "2")
        database.heal()
        await emptied(talk)
        await talk.turn("a", "3")
        await asyncio.sleep(2 * QUICK)
        assert talk.texts("a") == ["2", "3"]

    run(work)


def test_a_turn_that_is_under_way_while_its_conversation_is_erased_is_left_out(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        talk, database = faulty(tmp_path)
        await talk.turn("a", "0")
        tracker = await talk.begin("a")
        write(tracker, "1")
        database.state = "frozen"
        saving = asyncio.ensure_future(talk.rasa.save(tracker))
        await asyncio.sleep(QUICK / 2)
        await talk.store.forget("a")
        await saving
        late = await talk.begin("a")
        assert said(late) == []
        await talk.store.forget("a")
        write(late, "2")
        await talk.rasa.save(late)
        database.heal()
        await emptied(talk)
        assert talk.texts("a") == []

    run(work)


def test_a_slow_disk_writes_nothing_of_what_was_erased_while_it_hung(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path / "spool")
    row = Row("k.0", "user", 1.0, None, None, "{}")
    journal.append("a", [Turn((row,))], lambda: False)
    journal.erase("a", Erase(), lambda: False)
    assert not journal.holds("a")
    journal.append("a", [Turn((row,))])
    journal.erase("a", Erase(), lambda: False)
    left = journal.of("a")
    assert left is not None and [r.key for r in left.rows] == ["k.0"]


# ---- any order of faults

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.sampled_from("ab")),
        st.tuples(st.just("state"), st.sampled_from([*STATES, "well", "well"])),
        st.tuples(st.just("restart"), st.just("")),
        st.tuples(st.just("erase"), st.sampled_from("ab")),
        st.tuples(st.just("command"), st.sampled_from("ab")),
        st.tuples(st.just("evict"), st.just("")),
    ),
    min_size=4,
    max_size=14,
)


@settings(
    max_examples=LONG or 25,
    derandomize=not LONG,
    phases=PHASES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@example(
    actions=[
        ("turn", "a"),
        ("state", "deaf"),
        ("turn", "a"),
        ("erase", "a"),
        ("turn", "a"),
        ("turn", "a"),
        ("erase", "a"),
    ]
)
@given(actions=ACTIONS)
def test_after_any_faults_every_event_is_stored_once_and_in_order(
    actions: list[tuple[str, str]],
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="ebb-store-"))

    async def work() -> None:
        talk, database = faulty(folder)
        databases = [database]
        wrote: dict[str, list[str]] = {"a": [], "b": []}
        for number, (what, which) in enumerate(actions):
            if what == "turn":
                wrote[which].append(str(number))
                await talk.turn(which, str(number))
            elif what == "erase":
                wrote[which] = []
                await talk.turn(which, "erase", conversation="erase")
            elif what == "command":
                wrote[which] = []
                command, other = faulty(folder)
                other.state = database.state if database.state == "down" else "well"
                command.store.erase_all(which)
            elif what == "evict":
                talk.store._lives.clear()
            elif what == "restart":
                state = database.state
                talk, database = faulty(folder)
                database.state = state
                databases.append(database)
            else:
                database.heal()
                database.state = which
        for one in databases:
            one.heal()
        await talk.store.keys()
        await emptied(talk)
        await asyncio.sleep(QUICK)
        await emptied(talk)
        for which, texts in wrote.items():
            assert talk.texts(which) == texts
        ids = [row[-1] for row in talk.rows()]
        assert len(ids) == len(set(ids))

    try:
        run(work)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- the spool by itself


def test_lines_that_come_while_others_are_stored_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "spool")
    row = Row("k.0", "user", 1.0, None, None, "{}")
    journal.append("a", [Turn((row,))])
    seen = journal.of("a")
    assert seen is not None and journal.still(seen)
    journal.append("a", [Turn((row._replace(key="k.1"),))])
    assert not journal.still(seen)
    assert not journal.done(seen)
    left = journal.of("a")
    assert left is not None and [r.key for r in left.rows] == ["k.1"]
    assert journal.done(left) and not journal.holds("a")


def test_erasing_takes_the_words_out_of_the_spool(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "spool")
    row = Row("k.0", "user", 1.0, None, None, json.dumps("secret"))
    journal.append("a", [Turn((row,))])
    assert journal.erase("a") == 1
    (file,) = (tmp_path / "spool").iterdir()
    assert b"secret" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    left = journal.of("a")
    assert left is not None and isinstance(left.steps[0], Erase)
