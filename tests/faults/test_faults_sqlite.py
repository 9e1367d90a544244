"""The SQLite file locked, read-only, deleted and full; through SQLite itself, also as root."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from conftest import NewTrial, Start
from project import database
from trial import PLAIN, REPORT

Order = Callable[[str], None]
LONG = "my milk comes slowly and i feel flat, " * 80
"""Cannot be stored in what is left of a page."""
LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process holds the one lock of the database."""
    other = subprocess.Popen(
        [sys.executable, "-c", LOCK, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        yield
    finally:
        other.communicate("go\n", timeout=10)


class Obedient(sqlite3.Connection):
    """A connection that obeys the last order before whatever it is asked to do."""

    orders: ClassVar[list[str]] = []
    obeyed: str | None = None

    def execute(self, *asked: Any) -> sqlite3.Cursor:
        """Run a statement."""
        self._obey()
        return super().execute(*asked)

    def executemany(self, *asked: Any) -> sqlite3.Cursor:
        """Run a statement for each row."""
        self._obey()
        return super().executemany(*asked)

    def _obey(self) -> None:
        if self.orders and self.obeyed != self.orders[-1]:
            self.obeyed = self.orders[-1]
            super().execute(f"PRAGMA {self.obeyed}")


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Gives every connection to SQLite a pragma, from its next statement on."""
    Obedient.orders.clear()
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *a, **options: connect(*a, **{**options, "factory": Obedient})
    )
    yield Obedient.orders.append
    Obedient.orders.clear()


async def test_a_locked_database(start: Start, trial: NewTrial, tmp_path: Path) -> None:
    way = await start()
    case = trial("SQLite locked by another process", way)
    await case.well(REPORT)
    with locked(database(tmp_path / "project")):
        await case.through(PLAIN, REPORT, "about a minute")
    await case.heals()
    await case.finish()


async def test_a_read_only_database(start: Start, trial: NewTrial, order: Order) -> None:
    way = await start()
    case = trial("SQLite read-only", way)
    await case.well(REPORT)
    order("query_only = ON")
    await case.through(PLAIN, REPORT, "about a minute")
    kept = way.stored(case.conversation).hers
    assert kept == (REPORT,), "the fault was not met"
    order("query_only = OFF")
    await case.heals()
    await case.finish()


async def test_a_table_that_refuses_every_row(
    start: Start, trial: NewTrial, tmp_path: Path
) -> None:
    way = await start()
    case = trial("SQLite refuses every write", way)
    await case.well(REPORT)
    outside = sqlite3.connect(database(tmp_path / "project"), isolation_level=None)
    outside.execute(
        "CREATE TRIGGER no_writing BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    await case.through(PLAIN, REPORT, "about a minute")
    outside.execute("DROP TRIGGER no_writing")
    outside.close()
    await case.heals()
    await case.finish()


async def test_a_full_database(start: Start, trial: NewTrial, order: Order) -> None:
    way = await start()
    case = trial("SQLite full (max_page_count)", way)
    await case.well(REPORT)
    order("max_page_count = 1")
    await case.through(LONG, PLAIN, REPORT)
    assert len(way.stored(case.conversation).hers) < len(case.sent), "the fault was not met"
    order("max_page_count = 1073741823")
    await case.heals()
    await case.finish()


async def test_a_deleted_database(start: Start, trial: NewTrial, tmp_path: Path) -> None:
    way = await start()
    case = trial("SQLite file deleted", way)
    await case.well(REPORT)
    for file in database(tmp_path / "project").parent.glob("conversations.db*"):
        file.unlink()
    await case.through(PLAIN, REPORT)
    await case.heals()
    await case.finish()


async def test_a_database_that_is_no_database(
    start: Start, trial: NewTrial, tmp_path: Path
) -> None:
    file = database(tmp_path / "project")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"this is no database " * 500)
    way = await start()
    case = trial("SQLite file damaged before the start", way)
    await case.through(PLAIN, REPORT)
    for part in file.parent.glob("conversations.db*"):
        part.unlink()
    await case.heals()
    await case.finish()
