"""Events in a PostgreSQL database."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import errors
from psycopg2.extras import execute_values

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

WRITERS = 0x6562625F
"""Number of the advisory lock that writers take."""
CONNECTION: dict[str, object] = {
    "connect_timeout": 2,
    # A host that is gone is noticed by the kernel; one that is frozen by our own deadlines.
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
    "application_name": "ebb",
}
SETTINGS = (
    "-c statement_timeout=2000 -c lock_timeout=1500 -c idle_in_transaction_session_timeout=5000"
)
"""Milliseconds. The last one frees the writers' lock of a process that was frozen."""

EVENTS = f"""
CREATE TABLE {TABLE} (
    id SERIAL PRIMARY KEY,
    sender_id VARCHAR(255) NOT NULL,
    type_name VARCHAR(255) NOT NULL,
    timestamp DOUBLE PRECISION,
    intent_name VARCHAR(255),
    action_name VARCHAR(255),
    data TEXT,
    event_key VARCHAR(64)
)"""
INDEXES = (
    f"CREATE UNIQUE INDEX IF NOT EXISTS ux_events_key ON {TABLE} (event_key)",
    f"CREATE INDEX IF NOT EXISTS ix_events_conversation ON {TABLE} (sender_id, id)",
    f"CREATE INDEX IF NOT EXISTS ix_events_kind ON {TABLE} (sender_id, type_name, action_name, id)",
    "DROP INDEX IF EXISTS ix_events_sender_id",
)
NAMES = ("ux_events_key", "ix_events_conversation", "ix_events_kind")


class PostgreSQL(Database):
    """A few kept connections; one that turns out to be stale is exchanged for a new one."""

    def __init__(self, target: Mapping[str, object], schema: str | None = None) -> None:
        """`target` is what libpq takes; it goes before the settings of this module."""
        self._target = {**CONNECTION, **target}
        options = [SETTINGS, str(target.get("options", ""))]
        if schema:
            options.append(f"-c search_path={schema}")
        self._target["options"] = " ".join(filter(None, options))
        self._mutex = threading.Lock()
        self._idle: list[Any] = []
        self._ready = False

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """A cursor to read with."""
        with self._held() as connection, connection.cursor() as cursor:
            yield _Cursor(cursor)

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """A cursor inside a transaction that has the writers' lock."""
        with self._held() as connection, connection.cursor() as cursor:
            cursor.execute(f"BEGIN; SELECT pg_advisory_xact_lock({WRITERS})")
            yield _Cursor(cursor)
            cursor.execute("COMMIT")

    def forget(self) -> None:
        """Nothing to do: the server cleans its own files."""

    def close(self) -> None:
        """Close all kept connections."""
        with self._mutex:
            idle, self._idle = self._idle, []
        for connection in idle:
            _close(connection)

    @contextmanager
    def _held(self) -> Iterator[Any]:
        with self._mutex:
            connection = self._idle.pop() if self._idle else None
        kept = connection is not None
        try:
            if connection is None:
                connection = psycopg2.connect(**self._target)
                # Transactions are begun and ended by hand: reading needs none.
                connection.autocommit = True
            if not self._ready:
                _prepare(connection)
                self._ready = True
            yield connection
        except (psycopg2.DataError, psycopg2.IntegrityError, ValueError) as error:
            # A value error is a character that the driver cannot send.
            _close(connection)
            raise Refused(type(error).__name__) from None
        except psycopg2.Error as error:
            _close(connection)
            missing = isinstance(error, errors.UndefinedTable | errors.UndefinedColumn)
            if missing or isinstance(error, errors.InvalidColumnReference):
                self._ready = False
                raise Lost(type(error).__name__) from None
            if kept:
                # The others were made before the same restart.
                self.close()
                raise Lost(type(error).__name__) from None
            raise Unreachable(type(error).__name__) from None
        except BaseException:
            _close(connection)
            raise
        with self._mutex:
            self._idle.append(connection)


class _Cursor(Cursor):
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def all(self, statement: str, *values: object) -> list[Any]:
        self._cursor.execute(statement.replace("?", "%s"), values or None)
        return list(self._cursor.fetchall()) if self._cursor.description else []

    def run(self, statement: str, *values: object) -> None:
        self._cursor.execute(statement.replace("?", "%s"), values or None)

    def many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        execute_values(self._cursor, statement, rows, page_size=500)


def _close(connection: Any) -> None:
    if connection is not None:
        with contextlib.suppress(psycopg2.Error):
            connection.close()


def _prepare(connection: Any) -> None:
    """Make the tables; add to a stock table; put a table that is not ours aside."""
    with connection.cursor() as cursor:
        # A large table may take longer than a turn's deadline.
        cursor.execute("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        cursor.execute(f"SELECT pg_advisory_xact_lock({WRITERS})")
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {STORE} (name TEXT PRIMARY KEY, value TEXT)")
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s)"
            " AND attnum > 0 AND NOT attisdropped",
            (TABLE,),
        )
        columns = {row[0] for row in cursor.fetchall()}
        if columns >= set(STOCK):
            cursor.execute(f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS event_key VARCHAR(64)")
        else:
            if columns:
                for name in NAMES:
                    cursor.execute(f"DROP INDEX IF EXISTS {name}")
                aside = f"{TABLE}_aside_{new_identity()}"
                cursor.execute(f"ALTER TABLE {TABLE} RENAME TO {aside}")
            cursor.execute(EVENTS)
            cursor.execute(f"DELETE FROM {STORE} WHERE name = 'database'")
        for index in INDEXES:
            cursor.execute(index)
        cursor.execute(
            f"INSERT INTO {STORE} VALUES ('database', %s) ON CONFLICT DO NOTHING",
            (new_identity(),),
        )
        cursor.execute("COMMIT")
