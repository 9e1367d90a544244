"""The table of events, in whichever database it is. Everything here blocks.

Writers take one lock first, so that ids grow in the order in which turns become visible: a
reader that goes by increasing id misses nothing, and erasing and saving never cross.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from ebb.assistant.store.journal import Erase, Known, Step, Turn
from ebb.assistant.store.rows import Row

T = TypeVar("T")

TABLE, STORE = "events", "ebb_store"
STOCK = ("id", "sender_id", "type_name", "timestamp", "intent_name", "action_name", "data")
"""Columns as Rasa's own store makes them."""
LOADED = 200
"""Rows that are read of a conversation: a little more than what is kept of it."""

Stored = tuple[str | None, str]
"""Key and data of a row."""


class Unreachable(Exception):
    """The database cannot be used now. Says which kind of error it was, never what it held."""


class Lost(Unreachable):
    """A connection broke, or a table was not there: worth one more try on a new connection."""


class Refused(Exception):
    """The database answers, but does not take these rows."""


class GaveUp(Exception):
    """Whoever asked has gone on meanwhile; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A conversation as the database has it; `rows` is None if nothing has changed since."""

    known: Known
    rows: tuple[Stored, ...] | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of some steps; `erased` says that rows were left out, as it had been erased."""

    known: Known
    erased: bool
    deleted: int

    def after(self, before: Applied | None) -> Applied:
        """This, with what became of earlier steps."""
        if before is None:
            return self
        return Applied(self.known, before.erased or self.erased, before.deleted + self.deleted)


class Cursor(ABC):
    """One connection inside one transaction, or reading."""

    @abstractmethod
    def all(self, statement: str, *values: object) -> list[Any]:
        """The rows of a statement with `?` for each value."""

    @abstractmethod
    def run(self, statement: str, *values: object) -> None:
        """Execute a statement that gives no rows."""

    @abstractmethod
    def many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Insert rows, in this order; `%s` in the statement stands for the values."""

    def one(self, statement: str, *values: object) -> Any:
        """The first column of the first row, or None."""
        found = self.all(statement, *values)
        return found[0][0] if found else None


class Database(ABC):
    """A table of events. Raises `Unreachable` when the database cannot be used."""

    @abstractmethod
    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """A cursor to read with."""

    @abstractmethod
    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """A cursor inside a transaction that has the writers' lock; committed at the end."""

    @abstractmethod
    def forget(self) -> None:
        """Make sure that what was deleted is not left in files of the database."""

    @abstractmethod
    def close(self) -> None:
        """Close what is open."""

    # ---- what the store asks for

    def ping(self) -> None:
        """Raises `Unreachable` if the database does not answer."""
        _twice(lambda: self._read(lambda cursor: cursor.one("SELECT 1")))

    def keys(self) -> list[str]:
        """All conversations."""
        statement = f"SELECT DISTINCT sender_id FROM {TABLE}"
        return [row[0] for row in _twice(lambda: self._read(lambda c: c.all(statement)))]

    def load(self, conversation: str, known: Known | None) -> Loaded:
        """The last rows of a conversation, and older ones that still hold; unless all is known."""

        def read(cursor: Cursor) -> Loaded:
            now = _known(cursor, conversation)
            rows = None if now == known else tuple(_latest(cursor, conversation))
            return Loaded(now, rows)

        return _twice(lambda: self._read(read))

    def everything(self, conversation: str) -> list[Stored]:
        """All rows of a conversation."""
        statement = f"SELECT event_key, data FROM {TABLE} WHERE sender_id = ? ORDER BY id"
        return [
            (row[0], row[1])
            for row in _twice(lambda: self._read(lambda c: c.all(statement, conversation)))
        ]

    def apply(
        self,
        conversation: str,
        steps: Sequence[Step],
        *,
        earlier: Callable[[], Sequence[Row]] = tuple,
        still: Callable[[], bool] = lambda: True,
    ) -> Applied:
        """Carry out `steps` in one transaction; carrying them out again changes nothing.

        Rows that build on rows which are gone are left out: the conversation was erased. If
        another database has taken the place of the one that was known, the rows of `earlier`
        go first. Raises `GaveUp` if `still()` is false once the writers' lock is held.
        """

        def write() -> Applied:
            with self.writing() as cursor:
                if not still():
                    raise GaveUp
                return _apply(cursor, conversation, steps, earlier)

        return _twice(write)

    def erase(self, conversation: str) -> int:
        """Delete every row of `conversation`; how many there were."""
        return self.apply(conversation, (Erase(),)).deleted

    def _read(self, work: Callable[[Cursor], T]) -> T:
        with self.reading() as cursor:
            return work(cursor)


def _twice(work: Callable[[], T]) -> T:
    try:
        return work()
    except Lost:
        return work()


def _known(cursor: Cursor, conversation: str) -> Known:
    ((database, last),) = cursor.all(
        f"SELECT (SELECT value FROM {STORE} WHERE name = 'database'),"
        f" (SELECT max(id) FROM {TABLE} WHERE sender_id = ?)",
        conversation,
    )
    return Known(str(database), last)


def _apply(
    cursor: Cursor,
    conversation: str,
    steps: Sequence[Step],
    earlier: Callable[[], Sequence[Row]],
) -> Applied:
    now = _known(cursor, conversation)
    erased, deleted = False, 0
    rows: list[Row] = []
    for step in steps:
        if isinstance(step, Erase):
            # What earlier steps would have stored goes with it.
            rows, erased = [], False
            deleted += cursor.one(f"SELECT count(*) FROM {TABLE} WHERE sender_id = ?", conversation)
            cursor.run(f"DELETE FROM {TABLE} WHERE sender_id = ?", conversation)
            now = Known(now.database, None)
        elif _gone(cursor, conversation, step, now):
            erased = True
        else:
            if step.known is not None and step.known.database != now.database and not rows:
                rows += _without(earlier(), steps)
            rows += step.rows
    if rows:
        names = f"sender_id, event_key, {', '.join(STOCK[2:])}"
        cursor.many(
            f"INSERT INTO {TABLE} ({names}) VALUES %s ON CONFLICT (event_key) DO NOTHING",
            [(conversation, *row) for row in rows],
        )
    return Applied(_known(cursor, conversation), erased, deleted)


def _gone(cursor: Cursor, conversation: str, turn: Turn, now: Known) -> bool:
    """Whether the rows that this turn builds on were erased."""
    known = turn.known
    if known is None or known.last is None or known.database != now.database:
        return False
    if known.last == now.last:
        return False
    statement = f"SELECT 1 FROM {TABLE} WHERE id = ? AND sender_id = ?"
    return cursor.one(statement, known.last, conversation) is None


def _without(earlier: Sequence[Row], steps: Sequence[Step]) -> list[Row]:
    later = {row.key for step in steps if isinstance(step, Turn) for row in step.rows}
    return [row for row in earlier if row.key not in later]


def _latest(cursor: Cursor, conversation: str) -> list[Stored]:
    newest = cursor.all(
        f"SELECT id, event_key, data FROM {TABLE} WHERE sender_id = ? ORDER BY id DESC LIMIT ?",
        conversation,
        LOADED,
    )
    newest.reverse()
    rows: list[Stored] = []
    if len(newest) == LOADED:
        rows = _holding(cursor, conversation, newest[0][0])
    return [*rows, *((row[1], row[2]) for row in newest)]


def _holding(cursor: Cursor, conversation: str, before: int) -> list[Stored]:
    """The last value of each slot, and of pause and loop, from rows with a smaller id."""
    last = f"SELECT max(id) FROM {TABLE} WHERE sender_id = ? AND type_name = ?"
    starts = [
        cursor.one(last + " AND id < ?", conversation, name, before)
        for name in ("session_started", "restart", "reset_slots")
    ]
    since = max((start for start in starts if start is not None), default=0)
    between = (since, before)
    ids = [
        row[0]
        for row in cursor.all(
            last + " AND id >= ? AND id < ? GROUP BY action_name", conversation, "slot", *between
        )
    ]
    for names in (("pause", "resume"), ("active_loop",)):
        found = [
            cursor.one(last + " AND id >= ? AND id < ?", conversation, n, *between) for n in names
        ]
        ids += [max(i for i in found if i is not None)] if any(found) else []
    rows = [
        cursor.all(f"SELECT event_key, data FROM {TABLE} WHERE id = ?", number)[0]
        for number in sorted(ids)
    ]
    return [(row[0], row[1]) for row in rows]


def new_identity() -> str:
    """A name for a database, made with its table."""
    return secrets.token_hex(8)
