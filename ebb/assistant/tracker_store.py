"""Rasa's tracker store: keeps conversations, whatever the database does, and erases them.

No call blocks the event loop, raises into Rasa or waits longer than its deadline. What the
database does not take goes to a spool on local disk and follows in order, once, when it can. The
last turns of recent conversations stay in memory, so that an outage does not interrupt them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from ebb.assistant.breaker import Breaker
from ebb.assistant.store.choose import database_of
from ebb.assistant.store.database import Applied, Database, GaveUp, Loaded, Refused
from ebb.assistant.store.journal import Erase, Journal, Known, Spooled, Step, Turn
from ebb.assistant.store.rows import (
    LONGEST,
    events_of,
    key_of,
    new_rows,
    rows_again,
    stand_in,
)
from ebb.assistant.store.window import shorten
from ebb.assistant.tracker_view import STATE_SLOT
from ebb.assistant.workers import Workers
from ebb.knowledge.places import PROJECT

log = logging.getLogger(__name__)

T = TypeVar("T")

ERASE = "erase"
"""Value of the conversation slot that asks the store to erase instead of keeping."""
SPOOL = ".ebb/spool/events"
READ_SECONDS = 1.0
SAVE_SECONDS = 1.0
"""A save that is given up costs nothing: its rows are spooled, and follow."""
RECENT_SECONDS = 0.5
ERASE_SECONDS = 1.0
"""After that she does not wait for it: the wish to erase is on disk, and is carried out."""
REPLAY_SECONDS = 20.0
"""In the background: a long spool, or rewriting a large file so that no word is left in it."""
EXPORT_SECONDS = 30.0
SPOOL_SECONDS = 1.0
FRESH_SECONDS = 2.0
"""How long what is in memory needs no look into the database, for the safety net."""
LIVE = 1_000
"""Conversations that stay in memory."""
BACKLOG = 20_000
"""Events that are kept in memory when the spool cannot be written either."""
RETRY_SECONDS = (0.2, 2.0)
"""Time between two tries to empty the spool: the first, and the longest."""
LIST_SECONDS = 30.0
"""Time between two looks for what another process may have spooled."""
_LIVE = "_ebb_live"


@dataclass(slots=True)
class Live:
    """A conversation in memory: its last turns, and what the database had when it was seen.

    `whole` is false for one that went on without its earlier turns, as they could not be read.
    `away` is true while the last look into the database failed. `mark` is the spool file as
    this process left it. `since` is how many times anything had been erased when it was made.
    """

    events: list[Event]
    known: Known | None = None
    whole: bool = True
    away: bool = False
    checked: float = 0.0
    mark: tuple[int, int] | None = None
    since: int = 0


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted: events of the database and of the spool.

    `done` is false if the database could not be reached: it is erased as soon as it can be.
    """

    tracker: int
    spool: int
    done: bool


@dataclass(slots=True, eq=False)
class _Attempt:
    """One call to database or disk. It must write nothing any more once it was given up."""

    where: Workers | None = None

    given_up: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    """What a look into the database found.

    `erased` says that something which waited was left out, `emptied` that nothing waits any
    more; `spooled` is what the database could not take yet.
    """

    loaded: Loaded
    erased: bool
    emptied: bool
    spooled: tuple[Event, ...] = ()


class ConversationStore(TrackerStore):
    """Conversations in SQLite or PostgreSQL. Raises `ValueError` for wrong settings, at once.

    `dialect` is sqlite (with `db`, a file) or postgresql (with `host`, `port`, `db`, `username`,
    `password`, or a whole address as `host`, and `query` for libpq). `spool` is a folder;
    relative paths are below the project. `retrieve_seconds` and `save_seconds` are deadlines;
    `live` is how many conversations stay in memory.
    """

    def __init__(
        self,
        domain: Domain | None = None,
        dialect: str = "sqlite",
        host: str | None = None,
        port: int | str | None = None,
        db: str = ".ebb/conversations.db",
        username: str | None = None,
        password: str | None = None,
        query: dict[str, Any] | None = None,
        event_broker: Any = None,
        spool: str | Path = SPOOL,
        retrieve_seconds: float = READ_SECONDS,
        save_seconds: float = SAVE_SECONDS,
        live: int = LIVE,
        breaker: Breaker | None = None,
        database: Database | None = None,
    ) -> None:
        super().__init__(domain, None)
        if event_broker is not None:
            log.warning("an event broker is not used: other programs read the events table")
        self._database = database or database_of(
            dialect=dialect,
            host=host,
            port=port,
            db=db,
            username=username,
            password=password,
            query=query,
            folder=PROJECT,
            schema=os.environ.get("POSTGRESQL_SCHEMA"),
        )
        self._journal = Journal(PROJECT / spool)
        self._seconds = (float(retrieve_seconds), float(save_seconds))
        self._most = live
        self._breaker = breaker or Breaker(failures=2, rest=3.0)
        self._db_work = Workers("database", threads=4)
        self._disk_work = Workers("spool", threads=4)
        self._lives: OrderedDict[str, Live] = OrderedDict()
        self._backlog: dict[str, list[Step]] = {}
        self._spooled: dict[str, int] = {}
        self._attempts: dict[str, list[_Attempt]] = {}
        self._erasures = 0
        self._erased_at: OrderedDict[str, int] = OrderedDict()
        self._replaying: asyncio.Task[None] | None = None
        self._listed = float("-inf")
        self._down = False

    # ---- what Rasa asks for

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The conversation's last turns with its slots; None if it is new."""
        try:
            live = await self._current(sender_id, self._seconds[0], guess=True)
        except Exception as error:
            log.error("reading a conversation failed: %s", type(error).__name__)
            live = self._keep(sender_id, Live([stand_in()], whole=False, away=True))
        if live is None or not live.events:
            return None
        return self._tracker(sender_id, live)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep the new events; or erase all of them when the turn asked for that."""
        # Not to be cut short when whoever waits for it goes away.
        work = asyncio.ensure_future(self._save(tracker))
        await asyncio.shield(work)

    async def keys(self) -> Iterable[str]:
        """All stored conversations; none if the database cannot be reached."""
        try:
            return await self._ask(lambda _: self._database.keys(), EXPORT_SECONDS)
        except Exception as error:
            self._failed(error)
            return []

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The whole conversation over all sessions, as exports need it."""
        try:
            rows = await self._ask(
                lambda _: self._database.everything(conversation_id), EXPORT_SECONDS
            )
        except Exception as error:
            self._failed(error)
            return await self.retrieve(conversation_id)
        events = events_of(rows, conversation_id)
        return self._tracker(conversation_id, Live(events)) if events else None

    # ---- what the rest of Ebb asks for

    async def recent(self, conversation: str, messages: int = 12) -> list[dict[str, Any]] | None:
        """The last messages of both sides in Rasa's event format, oldest first.

        None if that cannot be told within half a second; raises nothing.
        """
        try:
            live = self._lives.get(conversation)
            if live is None or time.monotonic() - live.checked > FRESH_SECONDS:
                live = await self._current(conversation, RECENT_SECONDS, guess=False)
        except Exception as error:
            log.warning("recalling a conversation failed: %s", type(error).__name__)
            return None
        if live is None:
            return None
        said = [e for e in live.events if isinstance(e, UserUttered | BotUttered)]
        return [event.as_dict() for event in said[-messages:]]

    async def health(self) -> dict[str, Any]:
        """Whether the database answers, and how many events wait for it."""
        state = "down"
        if self._breaker.closed():
            try:
                await self._ask(lambda _: self._database.ping(), RECENT_SECONDS)
                state = "ok"
            except Exception as error:
                self._failed(error)
        waiting = sum(self._spooled.values()) + self._in_memory()
        return {"database": state, "spooled": waiting}

    def erase(self, conversation: str) -> int:
        """Delete `conversation` everywhere; returns how many events there were. Blocks."""
        found = self.erase_all(conversation)
        return found.tracker + found.spool

    def erase_all(self, conversation: str) -> Erased:
        """Delete `conversation` from memory, spool and database; blocks for a few seconds at most.

        Safe at any moment against a process that serves the conversation: the wish to erase
        stands in the spool until the database has done it.
        """
        self._drop(conversation)
        try:
            spooled = self._journal.erase(conversation)
        except OSError:
            found = self._erase_now(conversation, 0, (Erase(),), _Attempt())
            if not found.done:
                raise
            return found
        return self._erase_now(conversation, spooled, (), _Attempt())

    async def forget(self, conversation: str) -> None:
        """Delete `conversation` everywhere, now or as soon as that can be; blocks nothing."""
        await self._erase(conversation)

    @property
    def status(self) -> str:
        """`ok`; `down` while the database does not answer; `behind` while events wait for it."""
        if self._down:
            return "down"
        return "behind" if self._spooled or self._backlog else "ok"

    async def close(self) -> None:
        """Stop the work in the background and close the database."""
        if self._replaying is not None:
            self._replaying.cancel()
        try:
            await self._disk_work.run(self._database.close, SPOOL_SECONDS)
        except Exception as error:
            log.warning("closing the database failed: %s", type(error).__name__)

    # ---- reading

    async def _current(self, conversation: str, seconds: float, *, guess: bool) -> Live | None:
        """The conversation as the database has it now, or else as memory and spool have it.

        With `guess`, one that nothing is known of begins anew; without, it is None.
        """
        self._wake()
        since = self._erasures
        live = self._lives.get(conversation)
        if not _storable(conversation):
            return live or self._keep(conversation, Live([]))
        # While the spool is being emptied, that finds out when the database is back.
        tried = live is not None and self._down and self._emptying
        if not tried and self._breaker.closed():
            backlog = tuple(self._backlog.get(conversation, ()))
            try:
                found = await self._ask(
                    lambda attempt: self._read(conversation, live, backlog, attempt),
                    seconds,
                    conversation,
                )
            except Exception as error:
                self._failed(error)
            else:
                if not self._erased_since(conversation, since):
                    return self._seen(conversation, live, found, len(backlog))
        if self._erased_since(conversation, since):
            # What was found, or known, is of before that.
            return await self._current(conversation, seconds, guess=guess)
        return await self._without_database(conversation, live, guess)

    def _read(
        self,
        conversation: str,
        live: Live | None,
        backlog: Sequence[Step],
        attempt: _Attempt,
    ) -> _Read:
        """In a thread: give the database what waits for it, then look what it has."""
        erased, emptied = False, True
        spooled: tuple[Event, ...] = ()
        try:
            applied = self._replay(conversation, live, backlog, attempt)
            erased = applied is not None and applied.erased
        except Exception:
            emptied = False
            if live is not None:
                raise
            # It can be read perhaps, though not written.
            waiting = self._journal.of(conversation)
            rows = [(row.key, row.data) for row in (waiting.rows if waiting else [])]
            spooled = tuple(events_of(rows, conversation))
        known = live.known if live is not None and live.whole else None
        return _Read(self._database.load(conversation, known), erased, emptied, spooled)

    def _seen(self, conversation: str, live: Live | None, found: _Read, replayed: int) -> Live:
        if found.emptied:
            self._taken(conversation, replayed)
        now = found.loaded.known
        if live is not None and self._lives.get(conversation) is not live:
            live = None if found.loaded.rows is not None else live
        if live is not None and not found.erased:
            other = live.known is not None and live.known.database != now.database
            if found.loaded.rows is None or (other and live.whole):
                # Another database has taken the place of the one that this came from: what is
                # known here goes on, and is stored again with the next turn.
                live.known = live.known if other else now
                live.checked, live.away, live.mark = time.monotonic(), False, None
                return self._keep(conversation, live)
        rows = found.loaded.rows or ()
        events = shorten([*events_of(rows, conversation), *found.spooled])
        fresh = Live(events, known=now, whole=not found.spooled, checked=time.monotonic())
        return self._keep(conversation, fresh)

    async def _without_database(
        self, conversation: str, live: Live | None, guess: bool
    ) -> Live | None:
        since = self._erasures
        mark, events = await self._spooled_events(conversation, live)
        if self._erased_since(conversation, since):
            live, mark, events = None, None, []
        if live is not None and live.mark == mark:
            live.away = True
            return self._keep(conversation, live)
        if live is not None:
            # Another process has erased it, or stored what was spooled here.
            self._lives.pop(conversation, None)
        if not events:
            if not guess:
                return None
            events = [stand_in()]
        return self._keep(conversation, Live(events, whole=False, away=True, mark=mark))

    async def _spooled_events(
        self, conversation: str, live: Live | None
    ) -> tuple[tuple[int, int] | None, list[Event]]:
        def read() -> tuple[tuple[int, int] | None, list[Event]]:
            mark = self._journal.mark(conversation)
            if mark is None or (live is not None and live.mark == mark):
                return mark, []
            waiting = self._journal.of(conversation)
            rows = [(row.key, row.data) for row in (waiting.rows if waiting else [])]
            return mark, events_of(rows, conversation)

        try:
            mark, events = await self._disk_work.run(read, SPOOL_SECONDS)
        except Exception as error:
            log.error("the event spool cannot be read: %s", type(error).__name__)
            return (live.mark if live is not None else None), []
        return mark, shorten([stand_in(), *events]) if events else []

    def _tracker(self, conversation: str, live: Live) -> DialogueStateTracker:
        tracker = DialogueStateTracker.from_events(conversation, live.events, self.domain.slots)
        setattr(tracker, _LIVE, live)
        return tracker

    # ---- saving

    async def _save(self, tracker: DialogueStateTracker) -> None:
        try:
            await self._kept(tracker)
        except Exception as error:
            # Raised into Rasa, it would end in a store that forgets and never shrinks.
            log.error("a turn was not saved: %s", type(error).__name__)

    async def _kept(self, tracker: DialogueStateTracker) -> None:
        conversation = tracker.sender_id
        live = cast("Live | None", getattr(tracker, _LIVE, None)) or self._lives.get(conversation)
        fresh = [event for event in tracker.events if key_of(event) is None]
        if not fresh:
            return
        if _erasing(fresh):
            await self._erase(conversation)
            return
        if live is None:
            live = self._keep(conversation, Live([], whole=False))
        if self._erased_since(conversation, live.since):
            log.warning("a turn was left out: its conversation was erased meanwhile")
            return
        before = live.events
        turn = Turn(tuple(new_rows(fresh)), live.known)
        live.events = shorten(list(tracker.events))
        if not _storable(conversation):
            log.error("a conversation with an impossible id is kept in memory only")
            return
        if self._waits(conversation) or live.away or not self._breaker.closed():
            await self._spool(conversation, turn, live)
            return
        await self._store(conversation, turn, live, before)

    async def _store(
        self, conversation: str, turn: Turn, live: Live, before: Sequence[Event]
    ) -> None:
        def write(attempt: _Attempt) -> Applied | None:
            if self._journal.holds(conversation):
                return None
            return self._database.apply(
                conversation,
                [turn],
                earlier=lambda: rows_again(before),
                still=lambda: not attempt.given_up,
            )

        try:
            applied = await self._ask(write, self._seconds[1], conversation)
        except Exception as error:
            self._failed(error)
            applied = None
        if self._erased_since(conversation, live.since):
            log.warning("a turn was left out: its conversation was erased meanwhile")
        elif applied is None:
            await self._spool(conversation, turn, live)
        elif applied.erased:
            log.warning("a turn was left out: its conversation was erased meanwhile")
            self._lives.pop(conversation, None)
        elif self._lives.get(conversation, live) is not live:
            # Somebody else wrote to it during the turn: the database knows best.
            self._lives.pop(conversation, None)
        else:
            live.known, live.checked = applied.known, time.monotonic()

    # ---- the spool

    def _waits(self, conversation: str) -> bool:
        return conversation in self._spooled or conversation in self._backlog

    async def _spool(self, conversation: str, step: Step, live: Live | None) -> None:
        """Behind what waits already; in memory if the disk does not take it."""
        steps = [*self._backlog.get(conversation, ()), step]
        since = self._erasures

        def write(attempt: _Attempt) -> tuple[int, int] | None:
            self._journal.append(conversation, steps, lambda: not attempt.given_up)
            return self._journal.mark(conversation)

        try:
            mark = await self._attempt(self._disk_work, write, SPOOL_SECONDS, conversation)
        except Exception as error:
            log.error("the event spool cannot be written: %s", type(error).__name__)
            if self._erased_since(conversation, since):
                return
            if self._in_memory() + _size([step]) > BACKLOG:
                log.error("%s events were lost: memory for them is full", _size([step]))
            else:
                self._backlog[conversation] = steps
        else:
            if self._erased_since(conversation, since):
                return
            self._backlog.pop(conversation, None)
            self._spooled[conversation] = self._spooled.get(conversation, 0) + _size(steps)
            if live is not None:
                live.mark = mark
        self._wake(now=True)

    def _in_memory(self) -> int:
        return sum(_size(steps) for steps in self._backlog.values())

    def _replay(
        self, conversation: str, live: Live | None, backlog: Sequence[Step], attempt: _Attempt
    ) -> Applied | None:
        """In a thread: store what waits for the database; None if nothing does."""
        found: Applied | None = None
        while True:
            spooled = self._journal.of(conversation)
            steps = list(spooled.steps) if spooled else []
            # What is in memory may have got into the spool a moment ago.
            steps += [step for step in backlog if step not in steps]
            try:
                if steps:
                    applied = self._applied(conversation, steps, live, spooled, attempt)
                    found = applied.after(found)
            except GaveUp:
                if attempt.given_up:
                    raise
                # Lines were added or taken meanwhile: once more, with those.
                time.sleep(0.001)
                continue
            backlog = ()
            if spooled is None or self._journal.done(spooled):
                return found

    def _waited(
        self, conversation: str, live: Live | None, backlog: Sequence[Step], attempt: _Attempt
    ) -> Applied | None:
        """In a thread: `_replay`, which fails too if nothing waits and the database is down."""
        found = self._replay(conversation, live, backlog, attempt)
        if found is None:
            self._database.ping()
        return found

    def _applied(
        self,
        conversation: str,
        steps: Sequence[Step],
        live: Live | None,
        spooled: Spooled | None,
        attempt: _Attempt,
    ) -> Applied:
        def still() -> bool:
            return not attempt.given_up and (spooled is None or self._journal.still(spooled))

        applied = self._database.apply(
            conversation,
            steps,
            earlier=lambda: rows_again(list(live.events)) if live is not None else (),
            still=still,
        )
        if any(isinstance(step, Erase) for step in steps):
            self._database.forget()
        return applied

    def _taken(self, conversation: str, replayed: int) -> None:
        """What waited for the database was stored, with the first `replayed` steps in memory."""
        self._spooled.pop(conversation, None)
        waited = self._backlog.pop(conversation, [])
        left = waited[replayed:]
        if replayed:
            # Another call that has the same wish to erase must not do so after later turns.
            self._give_up(conversation, self._db_work)
        if left:
            self._backlog[conversation] = left

    def _wake(self, now: bool = False) -> None:
        """Have the spool emptied in the background, and foreign files looked for."""
        if self._emptying:
            return
        if now or self._spooled or self._backlog or self._due():
            self._replaying = asyncio.get_running_loop().create_task(self._empty())

    @property
    def _emptying(self) -> bool:
        return self._replaying is not None and not self._replaying.done()

    def _due(self) -> bool:
        return time.monotonic() - self._listed > LIST_SECONDS

    async def _empty(self) -> None:
        pause, longest = RETRY_SECONDS
        while True:
            try:
                if self._due():
                    await self._list()
                for conversation in [*self._spooled, *self._backlog]:
                    if not await self._emptied(conversation):
                        break
            except Exception as error:
                log.error("emptying the event spool failed: %s", type(error).__name__)
            if not self._spooled and not self._backlog:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, longest)

    async def _emptied(self, conversation: str) -> bool:
        """Whether to go on with the next conversation."""
        if not self._breaker.closed():
            return False
        backlog = tuple(self._backlog.get(conversation, ()))
        live = self._lives.get(conversation)
        before, since = self._spooled.get(conversation), self._erasures
        try:
            applied = await self._ask(
                lambda attempt: self._waited(conversation, live, backlog, attempt),
                REPLAY_SECONDS,
                conversation,
            )
        except GaveUp:
            return True
        except Refused as error:
            log.error("spooled events were refused: %s, %s", type(error).__name__, conversation)
            return True
        except Exception as error:
            self._failed(error)
            return False
        if self._erased_since(conversation, since):
            # The wish to do so waits now.
            return True
        if self._spooled.get(conversation) == before:
            self._taken(conversation, len(backlog))
            if live is not None and applied is not None:
                # Otherwise another process took it: stored it, or erased it.
                live.mark = None
        self._answers()
        if applied is not None and applied.erased:
            self._lives.pop(conversation, None)
        return True

    async def _list(self) -> None:
        """Count what lies in the spool: of an earlier process, or of another one."""

        def count() -> dict[str, int]:
            found = {}
            for file in self._journal.files():
                spooled = self._journal.read(file)
                if spooled is not None and spooled.conversation:
                    found[spooled.conversation] = len(spooled.rows)
            return found

        found = await self._disk_work.run(count, EXPORT_SECONDS)
        self._listed = time.monotonic()
        for conversation, events in found.items():
            self._spooled.setdefault(conversation, events)

    # ---- erasing

    async def _erase(self, conversation: str) -> None:
        """Erase for her, now or as soon as the database can be reached."""
        since = self._drop(conversation)
        self._spooled[conversation] = 0
        wish = Erase()

        def write(attempt: _Attempt) -> int:
            return self._journal.erase(conversation, wish, lambda: not attempt.given_up)

        # First, and not in a thread of the database: those may all be stuck.
        try:
            await self._attempt(self._disk_work, write, SPOOL_SECONDS, conversation)
        except Exception as error:
            if self._erased_since(conversation, since):
                return
            log.error("the wish to erase is kept in memory: %s", type(error).__name__)
            self._backlog[conversation] = [wish, *self._backlog.get(conversation, ())]
        if self._erased_since(conversation, since):
            # Once more, and later: that wish stands for both.
            return
        backlog = tuple(self._backlog.get(conversation, ()))
        try:
            found = await self._ask(
                lambda attempt: self._erase_now(conversation, 0, backlog, attempt),
                ERASE_SECONDS,
                conversation,
            )
        except Exception as error:
            self._failed(error)
            found = Erased(0, 0, done=False)
        if self._erased_since(conversation, since):
            return
        if found.done and not self._spooled.get(conversation):
            self._taken(conversation, len(backlog))
        if self._waits(conversation):
            self._wake(now=True)

    def _drop(self, conversation: str) -> int:
        """Forget what is in memory, and what is under way; returns the number of this erasure."""
        self._lives.pop(conversation, None)
        self._backlog.pop(conversation, None)
        self._spooled.pop(conversation, None)
        self._erasures += 1
        self._erased_at[conversation] = self._erasures
        self._erased_at.move_to_end(conversation)
        while len(self._erased_at) > LIVE:
            self._erased_at.popitem(last=False)
        self._give_up(conversation, self._db_work, self._disk_work)
        return self._erasures

    def _erased_since(self, conversation: str, since: int) -> bool:
        return self._erased_at.get(conversation, 0) > since

    def _give_up(self, conversation: str, *where: Workers) -> None:
        for attempt in self._attempts.get(conversation, ()):
            if attempt.where in where:
                attempt.given_up = True

    def _erase_now(
        self, conversation: str, spooled: int, backlog: Sequence[Step], attempt: _Attempt
    ) -> Erased:
        """In a thread, or in a command: carry out the wish that is in the spool, or `backlog`."""
        try:
            applied = self._replay(conversation, None, backlog, attempt)
        except Exception as error:
            log.error("erasing waits for the database: %s", type(error).__name__)
            return Erased(0, spooled, done=False)
        return Erased(applied.deleted if applied else 0, spooled, done=True)

    # ---- the database, at arm's length

    async def _ask(
        self, call: Callable[[_Attempt], T], seconds: float, conversation: str | None = None
    ) -> T:
        found = await self._attempt(self._db_work, call, seconds, conversation)
        self._breaker.worked()
        self._answers()
        return found

    async def _attempt(
        self,
        workers: Workers,
        call: Callable[[_Attempt], T],
        seconds: float,
        conversation: str | None,
    ) -> T:
        """Run `call` in a thread; erasing `conversation` meanwhile gives it up too."""
        attempt = _Attempt(workers)
        under_way = self._attempts.setdefault(conversation, []) if conversation else []
        under_way.append(attempt)
        try:
            return await workers.run(lambda: call(attempt), seconds)
        except BaseException:
            attempt.given_up = True
            raise
        finally:
            under_way.remove(attempt)
            if conversation and not under_way:
                self._attempts.pop(conversation, None)

    def _answers(self) -> None:
        # One that can be read but not written is not well.
        if self._down and not self._spooled and not self._backlog:
            self._down = False
            log.warning("the conversation database answers again")

    def _failed(self, error: Exception) -> None:
        if isinstance(error, Refused | GaveUp):
            log.error("the conversation database refused: %s", type(error).__name__)
            return
        self._breaker.failed()
        if not self._down:
            self._down = True
            kind = type(error).__name__
            log.warning("the conversation database does not answer (%s): events are spooled", kind)

    def _keep(self, conversation: str, live: Live) -> Live:
        live.since = self._erasures
        self._lives[conversation] = live
        self._lives.move_to_end(conversation)
        while len(self._lives) > self._most:
            self._lives.popitem(last=False)
        return live


def _storable(conversation: str) -> bool:
    """Whether the database can hold this id; the door lets no other pass."""
    try:
        conversation.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(conversation) <= LONGEST and "\x00" not in conversation


def _size(steps: Iterable[Step]) -> int:
    return sum(len(step.rows) for step in steps if isinstance(step, Turn))


def _erasing(events: Iterable[Event]) -> bool:
    states = [e.value for e in events if isinstance(e, SlotSet) and e.key == STATE_SLOT]
    return bool(states and states[-1] == ERASE)
