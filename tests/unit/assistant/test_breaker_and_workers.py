"""Nothing that blocks, hangs or is down may hold up the event loop."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from ebb.assistant.breaker import Breaker
from ebb.assistant.workers import TooSlow, Workers


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_after_some_failures_and_lets_one_try_through_later() -> None:
    clock = Clock()
    breaker = Breaker(failures=2, rest=10, clock=clock)
    breaker.failed()
    assert breaker.closed()
    breaker.failed()
    assert not breaker.closed()
    clock.now = 10
    assert breaker.closed()
    assert not breaker.closed()
    breaker.worked()
    assert breaker.closed()


def test_a_success_forgets_earlier_failures() -> None:
    breaker = Breaker(failures=2)
    breaker.failed()
    breaker.worked()
    breaker.failed()
    assert breaker.closed()


def test_a_blocking_call_does_not_hold_up_the_loop() -> None:
    async def run() -> int:
        ticks = 0
        work = asyncio.ensure_future(Workers("test").run(lambda: time.sleep(0.2) or 7, 2))
        while not work.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert await work == 7
        return ticks

    assert asyncio.run(run()) >= 5


def test_a_call_that_hangs_is_given_up_and_keeps_its_place() -> None:
    release = threading.Event()

    async def run() -> None:
        workers = Workers("test", threads=1)
        with pytest.raises(TooSlow):
            await workers.run(release.wait, 0.05)
        started = time.perf_counter()
        with pytest.raises(TooSlow):
            await workers.run(lambda: 1, 0.05)
        assert time.perf_counter() - started < 0.2
        release.set()
        assert await workers.run(lambda: 1, 1) == 1

    asyncio.run(run())


@pytest.mark.parametrize(("raised", "seen"), [(KeyError, KeyError), (SystemExit, RuntimeError)])
def test_what_a_call_raises_reaches_the_caller_and_never_ends_the_process(
    raised: type[BaseException], seen: type[Exception]
) -> None:
    def fail() -> None:
        raise raised

    with pytest.raises(seen):
        asyncio.run(Workers("test").run(fail, 1))
