"""Shared by all tests: the trained model, loaded once and only where a test asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ebb.assistant.terminal import Talk


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop for everything that talks to the one agent."""
    found = asyncio.new_event_loop()
    yield found
    found.close()


@pytest.fixture(scope="session")
def talk(loop: asyncio.AbstractEventLoop) -> Talk:
    """The assistant behind its door: the trained model and the real actions."""
    from ebb.assistant.launcher import quiet

    quiet()
    from ebb.assistant.terminal import Talk

    return loop.run_until_complete(Talk.start())
