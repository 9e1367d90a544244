"""Redis, where locks are shared through it, stopped and frozen in mid-conversation."""

from __future__ import annotations

import signal

from conftest import NewTrial, Start
from services import Redis
from trial import PLAIN, REPORT


async def test_redis_stopped(start: Start, trial: NewTrial, redis: Redis) -> None:
    way = await start(locks={"url": f"redis://127.0.0.1:{redis.port}/1"})
    case = trial("Redis stopped", way)
    await case.well(REPORT)
    redis.stop(signal.SIGKILL)
    await case.through(PLAIN, REPORT, "about a minute")
    assert case.honest == 0, "a lock is no reason not to answer"
    redis.start()
    await case.heals()
    await case.finish()


async def test_redis_frozen(start: Start, trial: NewTrial, redis: Redis) -> None:
    way = await start(locks={"url": f"redis://127.0.0.1:{redis.port}/1"})
    case = trial("Redis frozen (SIGSTOP)", way)
    await case.well(REPORT)
    redis.freeze()
    await case.through(PLAIN, REPORT, "about a minute")
    redis.thaw()
    await case.heals()
    await case.finish()


async def test_redis_absent_at_the_start(start: Start, trial: NewTrial, redis: Redis) -> None:
    redis.stop(signal.SIGKILL)
    way = await start(locks={"url": f"redis://127.0.0.1:{redis.port}/1"})
    case = trial("Redis absent at the start", way)
    await case.through(PLAIN, REPORT)
    redis.start()
    await case.heals()
    await case.finish()
