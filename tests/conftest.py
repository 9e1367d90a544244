"""Shared by all tests: the trained model, loaded once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from ebb.assistant.launcher import quiet

quiet()

from ebb.assistant.terminal import Talk  # noqa: E402 - after Rasa was told to be quiet


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop for everything that talks to the one agent."""
    found = asyncio.new_event_loop()
    yield found
    found.close()


@pytest.fixture(scope="session")
def talk(loop: asyncio.AbstractEventLoop) -> Talk:
    """The assistant behind its door: the trained model and the real actions."""
    return loop.run_until_complete(Talk.start())
