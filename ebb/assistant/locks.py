"""One lock per conversation: no polling, no expiry, strict order, nothing dropped.

Rasa's ticket lock makes a second message wait for up to a second, and drops it when the first is
stuck or Redis is down. Inside one process an asyncio lock is enough and can lose nothing. Where
several processes may get messages of one conversation, `url` in endpoints.yml adds locks in Redis:

    lock_store:
      type: ebb.assistant.locks.ConversationLocks
      url: redis://127.0.0.1:6379/1
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rasa.core.lock import TicketLock
from rasa.core.lock_store import LOCK_LIFETIME, InMemoryLockStore
from rasa.utils.endpoints import EndpointConfig

from ebb.assistant.shared_locks import SharedLocks


class ConversationLocks(InMemoryLockStore):
    """The lock store that endpoints.yml names. Raises `ValueError` for a wrong `url`."""

    def __init__(
        self, endpoint_config: EndpointConfig | None = None, shared: SharedLocks | None = None
    ) -> None:
        super().__init__()
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        url = endpoint_config.url if endpoint_config is not None else None
        self._shared = shared or (SharedLocks(url) if url else None)

    @property
    def status(self) -> str:
        """How turns are kept apart now: `in process`, `shared`, or `shared store down`."""
        if self._shared is None:
            return "in process"
        return "shared store down" if self._shared.down else "shared"

    @asynccontextmanager
    async def lock(
        self,
        conversation_id: str,
        lock_lifetime: float = LOCK_LIFETIME,
        wait_time_in_seconds: float = 1,
    ) -> AsyncGenerator[TicketLock, None]:
        """Hold the conversation until the turn is over; turns go in the order they came."""
        lock, users = self._locks.get(conversation_id, (None, 0))
        lock = lock or asyncio.Lock()
        self._locks[conversation_id] = (lock, users + 1)
        try:
            async with lock:
                if self._shared is None:
                    yield self.create_lock(conversation_id)
                else:
                    async with self._shared.hold(conversation_id):
                        yield self.create_lock(conversation_id)
        finally:
            lock, users = self._locks[conversation_id]
            if users > 1:
                self._locks[conversation_id] = (lock, users - 1)
            else:
                del self._locks[conversation_id]

    async def close(self) -> None:
        """Close the connections to the shared store, if there is one."""
        if self._shared is not None:
            await self._shared.close()
