"""A circuit breaker: after a few failures in a row, what is down is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Counts failures in a row of one thing that can be down.

    After `failures` of them `closed()` is False for `rest` seconds; then one try is let through,
    and its success or failure decides. Not for several threads at once.
    """

    def __init__(
        self,
        failures: int = 3,
        rest: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._rest, self._clock = failures, rest, clock
        self._failed = 0
        self._opened = 0.0

    def closed(self) -> bool:
        """Whether the thing should be tried now."""
        if self._failed < self._most:
            return True
        if self._clock() - self._opened < self._rest:
            return False
        # One try; until it is over, nobody else waits for the same thing.
        self._opened = self._clock()
        return True

    def worked(self) -> None:
        """A try succeeded."""
        self._failed = 0

    def failed(self) -> None:
        """A try failed or took too long."""
        self._failed += 1
        self._opened = self._clock()
