"""Puts replies on the wire: tried again when that fails, and never raised to whoever replies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ebb.types import Reply

log = logging.getLogger(__name__)

Deliver = Callable[[Reply], Awaitable[None]]
"""A channel's way to her. Raises when the reply did not go out, `Gone` when none ever can."""
PAUSES = (0.1, 0.4)
"""Seconds before each further try while somebody waits."""
LATER = (1.0, 3.0, 10.0, 30.0, 60.0)
"""Seconds before each further try of a crisis reply in the background."""
SECONDS = 2.0
"""How long one try may take."""


class Gone(Exception):
    """The way to her is closed for good, such as the end of an HTTP request."""


async def send(deliver: Deliver, reply: Reply, pauses: Sequence[float] = PAUSES) -> bool:
    """Whether `reply` went out, after one try and one more after each pause. Raises nothing."""
    for pause in (0.0, *pauses):
        if pause:
            await asyncio.sleep(pause)
        try:
            await asyncio.wait_for(deliver(reply), SECONDS)
        except Gone:
            return False
        except Exception as error:
            # Only the kind of error: its text may hold what she wrote.
            log.warning("sending a reply failed: %s", type(error).__name__)
        else:
            return True
    return False
