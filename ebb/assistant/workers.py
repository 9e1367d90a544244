"""Runs blocking calls off the event loop, each with a deadline of our own.

A frozen database or disk obeys no time-out of its own: the thread that waits for it is given up,
and the caller goes on. Threads are daemons, so that a stuck one never holds up the end of the
process, which the standard library's pool would.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class TooSlow(Exception):
    """A call did not come back within its deadline, or nobody was free to run it."""


class Workers:
    """At most `threads` blocking calls at once, for one resource and one event loop."""

    def __init__(self, name: str, threads: int = 4) -> None:
        self._name = name
        self._free = asyncio.Semaphore(threads)

    async def run(self, call: Callable[[], T], seconds: float) -> T:
        """The result of `call`. Raises `TooSlow` after `seconds`, and what `call` raises.

        A call that was given up still runs to its end in its thread and keeps its place until
        then; what it did counts, so callers must be able to do the same thing twice.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await asyncio.wait_for(self._free.acquire(), seconds)
        except asyncio.TimeoutError:
            raise TooSlow from None
        done: asyncio.Future[T] = loop.create_future()
        done.add_done_callback(self._over)
        thread = threading.Thread(
            target=_work, args=(call, loop, done), name=f"ebb-{self._name}", daemon=True
        )
        thread.start()
        left = max(0.0, seconds - (loop.time() - started))
        await asyncio.wait({done}, timeout=left)
        if not done.done():
            raise TooSlow
        return done.result()

    def _over(self, done: asyncio.Future[T]) -> None:
        self._free.release()
        # Taking the exception keeps asyncio from printing it, with what it holds.
        if not done.cancelled():
            done.exception()


def _work(call: Callable[[], T], loop: asyncio.AbstractEventLoop, done: asyncio.Future[T]) -> None:
    try:
        tell: Callable[..., None] = done.set_result
        found: Any = call()
    except BaseException as error:  # SystemExit too: a library must not end the thread unseen
        tell, found = done.set_exception, _plain(error)
    try:
        loop.call_soon_threadsafe(_tell, done, tell, found)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more


def _plain(error: BaseException) -> Exception:
    """`error` as one that may be raised into the event loop."""
    return error if isinstance(error, Exception) else RuntimeError(type(error).__name__)


def _tell(done: asyncio.Future[T], tell: Callable[..., None], found: Any) -> None:
    if not done.done():
        tell(found)
