"""Events in one SQLite file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ebb.assistant.store.database import (
    STOCK,
    STORE,
    TABLE,
    Cursor,
    Database,
    Lost,
    Refused,
    Unreachable,
    new_identity,
)

BUSY_SECONDS = 0.25
"""How long to wait for another process that writes."""
QUEUE_SECONDS = 2.0
"""How long to wait for another thread of this process: longer than any deadline."""

EVENTS = f"""
CREATE TABLE {TABLE} (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sender_id VARCHAR(255) NOT NULL,
    type_name VARCHAR(255) NOT NULL,
    timestamp FLOAT,
    intent_name VARCHAR(255),
    action_name VARCHAR(255),
    data TEXT,
    event_key VARCHAR(64)
)"""
"""AUTOINCREMENT: an id is never given twice, so that a reader can go by increasing id."""
INDEXES = (
    f"CREATE UNIQUE INDEX IF NOT EXISTS ux_events_key ON {TABLE} (event_key)",
    f"CREATE INDEX IF NOT EXISTS ix_events_conversation ON {TABLE} (sender_id, id)",
    f"CREATE INDEX IF NOT EXISTS ix_events_kind ON {TABLE} (sender_id, type_name, action_name, id)",
)

MISSING = ("no such table", "no such column", "no column named")
"""How SQLite says that the table is not as we made it."""
NAMES = ("ux_events_key", "ix_events_conversation", "ix_events_kind")


class SQLite(Database):
    """One connection for all threads of this process, one call at a time.

    Writes ahead to a log, so that readers never wait. Each commit is on disk before it counts
    (synchronous=FULL): it costs well below a millisecond where disks are good, and what was
    stored when the power fails is there when it is back.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._mutex = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """A cursor to read with."""
        with self._held() as connection:
            yield _Cursor(connection)

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """A cursor inside a transaction that has the file's write lock."""
        with self._held() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield _Cursor(connection)
            connection.execute("COMMIT")
            if self._seen() != self._opened:
                # It went into a file that was deleted meanwhile.
                raise Lost("replaced")

    def forget(self) -> None:
        """Write the file anew and empty the log: parts of deleted rows stay in pages otherwise.

        On a connection of its own, so that reading goes on; writers spool meanwhile.
        """
        try:
            connection = sqlite3.connect(self._file, timeout=QUEUE_SECONDS, isolation_level=None)
            try:
                connection.execute("VACUUM")
                until = time.monotonic() + QUEUE_SECONDS
                while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    if time.monotonic() > until:
                        raise Unreachable("a reader holds the log")
                    time.sleep(0.02)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise Unreachable(type(error).__name__) from None

    def close(self) -> None:
        """Close the file."""
        with self._mutex:
            self._drop()

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        if not self._mutex.acquire(timeout=QUEUE_SECONDS):
            raise Unreachable("busy")
        try:
            if self._connection is not None and self._seen() != self._opened:
                # Deleted or exchanged: the open file is nobody's any more.
                self._drop()
            if self._connection is None:
                self._open()
            assert self._connection is not None
            yield self._connection
        except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.DataError) as error:
            self._drop()
            raise Refused(type(error).__name__) from None
        except sqlite3.Error as error:
            self._drop()
            missing = any(words in str(error) for words in MISSING)
            raise (Lost if missing else Unreachable)(type(error).__name__) from None
        except OSError as error:
            self._drop()
            raise Unreachable(type(error).__name__) from None
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if self._connection is not None and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise
        finally:
            self._mutex.release()

    def _seen(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _open(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        # For nobody else; the log takes the same permissions.
        os.close(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            self._file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection = connection
        self._opened = self._seen()
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if not _is_ready(connection):
            _prepare(connection)


class _Cursor(Cursor):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, statement: str, *values: object) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    def run(self, statement: str, *values: object) -> None:
        self._connection.execute(statement, values)

    def many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        places = f"({', '.join('?' * len(rows[0]))})"
        self._connection.executemany(statement.replace("%s", places, 1), rows)


def _is_ready(connection: sqlite3.Connection) -> bool:
    names = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name IN (?, ?, 'ux_events_key',"
        " 'ix_events_conversation', 'ix_events_kind')",
        (TABLE, STORE),
    )
    return bool(names.fetchone()[0] == 5 and _columns(connection) >= {*STOCK, "event_key"})


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({TABLE})")}


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables; carry a stock table over; put a table that is not ours aside."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {STORE} (name TEXT PRIMARY KEY, value TEXT)")
    columns = _columns(connection)
    if columns >= set(STOCK):
        _carry_over(connection, columns)
    else:
        if columns:
            for name in NAMES:
                connection.execute(f"DROP INDEX IF EXISTS {name}")
            connection.execute(f"ALTER TABLE {TABLE} RENAME TO {TABLE}_aside_{new_identity()}")
        connection.execute(EVENTS)
        connection.execute(f"DELETE FROM {STORE} WHERE name = 'database'")
    for index in INDEXES:
        connection.execute(index)
    connection.execute("DROP INDEX IF EXISTS ix_events_sender_id")
    connection.execute(
        f"INSERT INTO {STORE} VALUES ('database', ?) ON CONFLICT DO NOTHING", (new_identity(),)
    )
    connection.execute("COMMIT")


def _carry_over(connection: sqlite3.Connection, columns: set[str]) -> None:
    (made,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (TABLE,)
    ).fetchone()
    if "AUTOINCREMENT" in made and "event_key" in columns:
        return
    names = ", ".join([*STOCK, "event_key"] if "event_key" in columns else STOCK)
    connection.execute(f"ALTER TABLE {TABLE} RENAME TO {TABLE}_before")
    connection.execute(EVENTS)
    connection.execute(f"INSERT INTO {TABLE} ({names}) SELECT {names} FROM {TABLE}_before")
    connection.execute(f"DROP TABLE {TABLE}_before")
