"""The SQLite file locked, read-only, deleted and full; through SQLite itself, also as root."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import NewTrial, Start
from project import database
from trial import PLAIN, REPORT

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


ORDERS: list[str] = []
"""What every connection to SQLite is told when a store takes it out of its pool."""
TAKEN: list[None] = []


@sa.event.listens_for(sa.pool.Pool, "checkout")
def _obey(connection: Any, *_: Any) -> None:
    if ORDERS and isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA {ORDERS[-1]}")
        TAKEN.append(None)


@contextlib.contextmanager
def pragma(during: str, afterwards: str) -> Iterator[None]:
    """Every connection that a store uses obeys `during`, and `afterwards` when this is over."""
    TAKEN.clear()
    ORDERS.append(during)
    try:
        yield
        assert TAKEN, "the fault was not met"
    finally:
        ORDERS.append(afterwards)


@pytest.fixture(autouse=True)
def no_orders_left() -> Iterator[None]:
    """Each test starts without any."""
    ORDERS.clear()
    yield
    ORDERS.clear()


async def test_a_locked_database(start: Start, trial: NewTrial, tmp_path: Path) -> None:
    way = await start()
    case = trial("SQLite locked by another process", way)
    await case.well(REPORT)
    with locked(database(tmp_path / "project")):
        await case.through(PLAIN, REPORT, "about a minute")
    await case.heals()
    await case.finish()


async def test_a_read_only_database(start: Start, trial: NewTrial) -> None:
    way = await start()
    case = trial("SQLite read-only", way)
    await case.well(REPORT)
    with pragma("query_only = ON", "query_only = OFF"):
        await case.through(PLAIN, REPORT, "about a minute")
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


async def test_a_full_database(start: Start, trial: NewTrial) -> None:
    way = await start()
    case = trial("SQLite full (max_page_count)", way)
    await case.well(REPORT)
    with pragma("max_page_count = 1", "max_page_count = 1073741823"):
        await case.through(PLAIN, LONG, REPORT)
    await case.heals()
    await case.finish()


async def test_a_deleted_database(start: Start, trial: NewTrial, tmp_path: Path) -> None:
    way = await start()
    case = trial("SQLite file deleted", way)
    await case.well(REPORT)
    for file in database(tmp_path / "project").parent.glob("conversations.db*"):
        file.unlink()
    # What was in the file is gone with it; what she writes from now on must not be.
    case.forget_before()
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
