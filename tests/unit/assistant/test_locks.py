"""Turns of one conversation go one after another, and no lock store can stop or drop one."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest
from rasa.core.lock_store import LockStore
from rasa.utils.endpoints import EndpointConfig

from ebb.assistant.breaker import Breaker
from ebb.assistant.locks import ConversationLocks
from ebb.assistant.shared_locks import GIVE_BACK, RENEW, TAKE, SharedLocks

WRITING = 0.03


class FakeRedis:
    """Does what the scripts say, in this process; breaks, freezes or slows when told to."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, float]] = {}
        self.state = "up"
        self.asked = 0
        self.delay = 0.0

    async def eval(self, script: str, numkeys: int, *keys_and_args: str) -> Any:
        self.asked += 1
        if self.state == "down":
            raise ConnectionError("refused redis://secret@host")
        if self.state == "frozen":
            await asyncio.sleep(60)
        await asyncio.sleep(self.delay)
        key, *values = keys_and_args
        held, until = self.kept.get(key, ("", 0.0))
        held = held if time.monotonic() < until else ""
        if script == TAKE:
            process, turn, lifetime = values
            if held and not held.startswith(process):
                return 0
            self.kept[key] = (process + turn, time.monotonic() + int(lifetime) / 1000)
            return 1
        if held != values[0]:
            return 0
        if script == RENEW:
            self.kept[key] = (held, time.monotonic() + int(values[1]) / 1000)
        if script == GIVE_BACK:
            del self.kept[key]
        return 1


def process(redis: FakeRedis, **options: Any) -> ConversationLocks:
    """The lock store of one process."""
    return ConversationLocks(shared=SharedLocks("redis://fake", connect=lambda _: redis, **options))


class Turns:
    """Turns that take a while and would be seen to overlap."""

    def __init__(self) -> None:
        self.running: dict[str, int] = {}
        self.overlapped = False
        self.order: list[Any] = []

    async def one(self, locks: ConversationLocks, conversation: str, name: Any) -> None:
        async with locks.lock(conversation):
            running = self.running.get(conversation, 0)
            self.overlapped = self.overlapped or running > 0
            self.running[conversation] = running + 1
            await asyncio.sleep(WRITING)
            self.order.append(name)
            self.running[conversation] -= 1


def test_two_hundred_messages_at_once_keep_their_order() -> None:
    async def run() -> Turns:
        locks, turns = ConversationLocks(), Turns()
        await asyncio.gather(*(turns.one(locks, "c", n) for n in range(200)))
        assert not locks._locks, "a lock was left behind"
        return turns

    global WRITING
    before, WRITING = WRITING, 0.0
    try:
        turns = asyncio.run(run())
    finally:
        WRITING = before
    assert turns.order == list(range(200))
    assert not turns.overlapped


def test_other_conversations_do_not_wait() -> None:
    async def run() -> float:
        locks, turns = ConversationLocks(), Turns()
        started = time.perf_counter()
        await asyncio.gather(*(turns.one(locks, f"c{n}", n) for n in range(20)))
        return time.perf_counter() - started

    assert asyncio.run(run()) < 10 * WRITING


def test_a_turn_that_fails_or_is_cancelled_frees_the_conversation() -> None:
    async def run() -> None:
        redis = FakeRedis()
        for locks in (ConversationLocks(), process(redis)):
            with pytest.raises(RuntimeError):
                async with locks.lock("c"):
                    raise RuntimeError
            waiting = asyncio.ensure_future(Turns().one(locks, "c", "cancelled"))
            await asyncio.sleep(WRITING / 3)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await asyncio.wait_for(Turns().one(locks, "c", "next"), 1)
            assert not locks._locks
        await asyncio.sleep(0.01)
        assert redis.kept == {}

    asyncio.run(run())


def test_two_processes_never_have_turns_of_one_conversation_at_once() -> None:
    async def run() -> Turns:
        redis, turns = FakeRedis(), Turns()
        one, two = process(redis), process(redis)
        await asyncio.gather(*(turns.one(locks, "c", n) for n in range(5) for locks in (one, two)))
        return turns

    turns = asyncio.run(run())
    assert len(turns.order) == 10
    assert not turns.overlapped


def test_a_long_turn_keeps_its_lock_by_renewing_it() -> None:
    async def run() -> bool:
        redis, second = FakeRedis(), Turns()
        one, two = process(redis, lifetime=0.1), process(redis, lifetime=0.1)
        async with one.lock("c"):
            other = asyncio.ensure_future(second.one(two, "c", "second"))
            await asyncio.sleep(0.4)
            early = bool(second.order or second.running)
        await other
        return early

    assert not asyncio.run(run())


def test_a_process_that_died_costs_no_more_than_the_lifetime() -> None:
    async def run() -> float:
        redis = FakeRedis()
        redis.kept["ebb:lock:c"] = ("dead:1", time.monotonic() + 0.3)
        started = time.perf_counter()
        await Turns().one(process(redis), "c", "next")
        return time.perf_counter() - started

    assert 0.25 < asyncio.run(run()) < 1


def test_an_answer_that_came_too_late_does_not_lock_its_own_process_out() -> None:
    async def run() -> float:
        redis = FakeRedis()
        locks = process(redis)
        assert locks._shared is not None
        late = locks._shared._process + "7"
        redis.kept["ebb:lock:c"] = (late, time.monotonic() + 60)
        started = time.perf_counter()
        await Turns().one(locks, "c", "next")
        return time.perf_counter() - started

    assert asyncio.run(run()) < 0.3


def test_no_process_is_waited_for_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        redis = FakeRedis()
        redis.kept["ebb:lock:c"] = ("stuck:1", time.monotonic() + 60)
        await asyncio.wait_for(Turns().one(process(redis, patience=0.2), "c", "next"), 2)

    asyncio.run(run())
    assert "too long" in caplog.text


@pytest.mark.parametrize("state", ["down", "frozen"])
def test_an_outage_blocks_no_message_and_is_logged_once(
    state: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def run() -> tuple[list[float], Turns, FakeRedis, ConversationLocks]:
        redis, turns = FakeRedis(), Turns()
        redis.state = state
        locks = process(redis)
        waited = []
        for n in range(6):
            started = time.perf_counter()
            await turns.one(locks, "c", n)
            waited.append(time.perf_counter() - started - WRITING)
        assert locks.status == "shared store down"
        return waited, turns, redis, locks

    waited, turns, redis, _ = asyncio.run(run())
    assert turns.order == list(range(6))
    assert max(waited) < 0.5
    assert sum(waited) < 1.2, "what is down must be left alone after a few tries"
    assert redis.asked <= 3
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text


def test_redis_that_freezes_and_thaws_in_mid_turn_stops_nothing() -> None:
    async def run() -> tuple[Turns, str]:
        redis, turns = FakeRedis(), Turns()
        locks = process(redis, breaker=Breaker(failures=2, rest=0.1))
        async with locks.lock("c"):
            redis.state = "frozen"
        started = time.perf_counter()
        await turns.one(locks, "c", "during")
        assert time.perf_counter() - started < 0.5
        redis.state = "up"
        await asyncio.sleep(0.5)
        await turns.one(locks, "c", "after")
        return turns, locks.status

    turns, status = asyncio.run(run())
    assert turns.order == ["during", "after"]
    assert status == "shared"


def test_a_slow_redis_costs_a_message_one_answer_at_most() -> None:
    async def run() -> float:
        redis = FakeRedis()
        redis.delay = 0.25
        started = time.perf_counter()
        await Turns().one(process(redis), "c", 1)
        return time.perf_counter() - started - WRITING

    assert asyncio.run(run()) < 0.5


def test_endpoints_yml_chooses_what_is_used() -> None:
    name = "ebb.assistant.locks.ConversationLocks"
    alone = LockStore.create(EndpointConfig(type=name))
    assert isinstance(alone, ConversationLocks)
    assert alone.status == "in process"
    shared = LockStore.create(EndpointConfig(type=name, url="redis://127.0.0.1:1/0"))
    assert isinstance(shared, ConversationLocks)
    assert shared.status == "shared"
    with pytest.raises(ValueError, match="redis://"):
        LockStore.create(EndpointConfig(type=name, url="http://127.0.0.1"))


def test_the_real_client_goes_on_alone_when_nothing_listens() -> None:
    async def run() -> tuple[float, str]:
        locks = ConversationLocks(EndpointConfig(url="redis://127.0.0.1:1/0"))
        started = time.perf_counter()
        await Turns().one(locks, "c", 1)
        waited = time.perf_counter() - started
        await locks.close()
        return waited, locks.status

    waited, status = asyncio.run(run())
    assert waited < 0.5 + WRITING
    assert status == "shared store down"
