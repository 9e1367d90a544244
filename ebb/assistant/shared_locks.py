"""Locks in Redis, for several processes that may get messages of the same conversation.

They come on top of the locks in each process, and only ever help: with Redis down, frozen or
slow, a process goes on alone after a short deadline, and no message waits for Redis or is lost.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from ebb.assistant.breaker import Breaker

log = logging.getLogger(__name__)

T = TypeVar("T")

COMMAND_SECONDS = 0.3
"""How long one command may take, connecting included."""
LIFETIME_SECONDS = 3.0
"""How long a lock outlives a process that died. One that lives renews it."""
RENEW_SECONDS = 0.75
PATIENCE_SECONDS = 20.0
"""How long to wait for another process's turn: longer than any turn that is not stuck."""
POLL_SECONDS = (0.01, 0.1)
"""Time between two tries while another process has the lock: the first, and the longest."""

TAKE = """
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, string.len(ARGV[1])) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
"""
"""Takes a free lock, or one that this process left behind (an answer that came too late): inside
one process only one turn of a conversation gets here at a time. Other processes' are respected."""
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
GIVE_BACK = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class Client(Protocol):
    """What is needed of a Redis client."""

    def eval(self, script: str, numkeys: int, *keys_and_args: str) -> Awaitable[Any]:
        """Run a Lua script."""
        ...


class SharedLocks:
    """One lock per conversation among all processes that use the Redis at `url`.

    Raises `ValueError` if `url` is not an address of a Redis. Nothing is raised later.
    """

    def __init__(
        self,
        url: str,
        *,
        connect: Callable[[str], Client] | None = None,
        patience: float = PATIENCE_SECONDS,
        lifetime: float = LIFETIME_SECONDS,
        breaker: Breaker | None = None,
    ) -> None:
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("the address of the lock store must begin with redis://")
        self._url, self._connect = url, connect or redis_client
        self._patience, self._lifetime = patience, lifetime
        self._process = f"{uuid.uuid4().hex}:"
        self._turns = 0
        self._breaker = breaker or Breaker(failures=2, rest=5.0)
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._background: set[asyncio.Future[Any]] = set()
        self.down = False

    @asynccontextmanager
    async def hold(self, conversation: str) -> AsyncGenerator[None, None]:
        """Hold the lock of `conversation`, or go on without it where Redis does not answer.

        Callers must hold the conversation in their own process already.
        """
        key = f"ebb:lock:{conversation}"
        self._turns += 1
        turn = str(self._turns)
        held = await self._take(key, turn)
        renewing = self._in_background(self._renew(key, turn)) if held else None
        try:
            yield
        finally:
            if renewing is not None:
                renewing.cancel()
                # Her reply does not wait for this.
                self._in_background(self._give_back(key, turn))

    async def _take(self, key: str, turn: str) -> bool:
        lifetime = str(int(self._lifetime * 1000))
        until = time.monotonic() + self._patience
        pause, longest = POLL_SECONDS
        while True:
            answer = await self._ask(TAKE, key, self._process, turn, lifetime)
            if answer is None:
                return False
            if answer:
                return True
            if time.monotonic() >= until:
                log.warning("another process has kept a conversation for too long; going on")
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, longest)

    async def _renew(self, key: str, turn: str) -> None:
        lifetime = str(int(self._lifetime * 1000))
        while True:
            await asyncio.sleep(self._lifetime * RENEW_SECONDS / LIFETIME_SECONDS)
            if await self._ask(RENEW, key, self._process + turn, lifetime) == 0:
                log.warning("the lock of a conversation was lost in the middle of a turn")
                return

    async def _give_back(self, key: str, turn: str) -> None:
        # Left behind if Redis does not answer: it expires by itself.
        await self._ask(GIVE_BACK, key, self._process + turn)

    async def _ask(self, script: str, key: str, *values: str) -> int | None:
        """The answer of Redis, or None if there is none in time."""
        if not self._breaker.closed():
            return None
        try:
            client = self._of_this_loop()
            answer = await asyncio.wait_for(client.eval(script, 1, key, *values), COMMAND_SECONDS)
        except Exception as error:
            self._breaker.failed()
            if not self.down:
                self.down = True
                kind = type(error).__name__
                log.warning("the shared lock store does not answer (%s): going on alone", kind)
            return None
        self._breaker.worked()
        if self.down:
            self.down = False
            log.warning("the shared lock store answers again")
        return int(answer)

    def _of_this_loop(self) -> Client:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._client, self._loop = self._connect(self._url), loop
        return self._client

    def _in_background(self, work: Awaitable[None]) -> asyncio.Future[None]:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def close(self) -> None:
        """Give back what is held still, and close the connections."""
        if self._background:
            await asyncio.wait(set(self._background), timeout=COMMAND_SECONDS)
        close = getattr(self._client, "close", None)
        if close is not None:
            try:
                await asyncio.wait_for(close(), COMMAND_SECONDS)
            except Exception as error:
                log.warning("closing the shared lock store failed: %s", type(error).__name__)


def redis_client(url: str) -> Client:
    """A client of the Redis at `url`; nothing is connected yet."""
    from redis import asyncio as redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    client: Client = redis.from_url(
        url,
        socket_timeout=COMMAND_SECONDS,
        socket_connect_timeout=COMMAND_SECONDS,
        # Once, within the same deadline: a kept connection may be stale.
        retry=Retry(NoBackoff(), 1),
    )
    return client
