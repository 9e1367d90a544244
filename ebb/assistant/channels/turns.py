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


class Turns:
    """Runs the turns of one process. `seconds` is how long each is waited for."""

    def __init__(self, seconds: float, at_once: int = AT_ONCE) -> None:
        self._seconds = seconds
        self._free = asyncio.Semaphore(at_once)
        self._lines: dict[str, tuple[asyncio.Lock, int]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._breaker = Breaker(failures=3, rest=5.0)

    async def run(self, conversation: str, work: Callable[[], Awaitable[None]]) -> How:
        """Run `work` behind the earlier turns of `conversation`. `work` must not raise."""
        _, waiting = self._lines.get(conversation, (None, 0))
        if waiting >= WAITING:
            return How.REFUSED
        turn = asyncio.ensure_future(self._turn(conversation, work))
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

    async def _turn(self, conversation: str, work: Callable[[], Awaitable[None]]) -> None:
        lock, waiting = self._lines.get(conversation, (asyncio.Lock(), 0))
        self._lines[conversation] = (lock, waiting + 1)
        try:
            async with lock, self._place():
                await work()
        finally:
            lock, waiting = self._lines[conversation]
            if waiting > 1:
                self._lines[conversation] = (lock, waiting - 1)
            else:
                del self._lines[conversation]

    @asynccontextmanager
    async def _place(self) -> AsyncGenerator[None, None]:
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
