"""Rasa's turns: in order within a conversation, few at once, and never waited for too long.

A turn that is late is never cancelled, since its events are stored only at its end: it goes on,
gives its place to another conversation, and keeps its own conversation in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum

from ebb.assistant.breaker import Breaker

AT_ONCE = 2
"""One process does one thing at a time; more turns at once would only make each of them late."""
WAITING = 300
"""Turns of one conversation that may wait. More is no person."""
IMPATIENT = 1.0
"""Seconds to wait for a turn while the turns before it were all late."""


class How(Enum):
    """How a turn went, as far as it was waited for."""

    DONE = "done"
    LATE = "late"
    REFUSED = "refused"


class Place:
    """A message's place in the line of its conversation, from when it arrived until it is over."""

    def __init__(self, before: asyncio.Future[None] | None, number: int) -> None:
        self.before, self.number = before, number
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.taken = False

    def leave(self) -> None:
        """Let the next one on; does nothing if that was done."""
        if not self.over.done():
            self.over.set_result(None)


class Turns:
    """Runs the turns of one process. `seconds` is how long each is waited for."""

    def __init__(self, seconds: float, at_once: int = AT_ONCE) -> None:
        self._seconds = seconds
        self._free = asyncio.Semaphore(at_once)
        self._lines: dict[str, list[Place]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._breaker = Breaker(failures=3, rest=5.0)

    def arrive(self, conversation: str) -> Place:
        """Take a place behind the earlier messages of `conversation`, before anything waits."""
        line = self._lines.setdefault(conversation, [])
        place = Place(line[-1].over if line else None, len(line))
        line.append(place)
        place.over.add_done_callback(lambda _: self._left(conversation, place))
        return place

    def _left(self, conversation: str, place: Place) -> None:
        line = self._lines.get(conversation, [])
        if place in line:
            line.remove(place)
        if not line:
            self._lines.pop(conversation, None)

    async def run(self, place: Place, work: Callable[[], Awaitable[None]]) -> How:
        """Run `work` when it is its place's turn. `work` must not raise."""
        if place.number >= WAITING:
            place.leave()
            return How.REFUSED
        place.taken = True
        turn = asyncio.ensure_future(self._turn(place, work))
        self._running.add(turn)
        turn.add_done_callback(self._running.discard)
        patience = self._seconds if self._breaker.closed() else min(IMPATIENT, self._seconds)
        done, _ = await asyncio.wait({turn}, timeout=patience)
        if done:
            self._breaker.worked()
            return How.DONE
        self._breaker.failed()
        return How.LATE

    async def finish(self, seconds: float) -> int:
        """Wait for what still runs, at the end of the process; returns how many are left."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=seconds)
        return len(self._running)

    async def _turn(self, place: Place, work: Callable[[], Awaitable[None]]) -> None:
        try:
            if place.before is not None:
                await asyncio.shield(place.before)
            async with self._running_place():
                await work()
        finally:
            place.leave()

    @asynccontextmanager
    async def _running_place(self) -> AsyncGenerator[None, None]:
        """One of the few places, for `seconds` at most: a turn that hangs runs on without one."""
        await self._free.acquire()
        held = True

        def give_up() -> None:
            nonlocal held
            if held:
                held = False
                self._free.release()

        timer = asyncio.get_running_loop().call_later(self._seconds, give_up)
        try:
            yield
        finally:
            timer.cancel()
            give_up()
