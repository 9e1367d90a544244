"""Shared by the fault tests: servers to break, projects to break them in, and the matrix."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from matrix import Matrix
from project import database, make_project
from services import FakeActions, Postgres, RealActions, Redis, running
from trial import TURN_SECONDS, InProcess, Trial

from ebb.conversation.core import core
from ebb.knowledge.places import PROJECT

MATRIX = Matrix()
MOST_SECONDS = 75
Start = Callable[..., Awaitable[InProcess]]
NewTrial = Callable[[str, Any], Trial]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/faults --write-matrix` renews the table in docs/safety.md."""
    parser.addoption("--write-matrix", action="store_true", help="write docs/safety.md's matrix")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the matrix; write it if that was asked for."""
    if not MATRIX.rows:
        return
    terminalreporter.section("faults and outcomes")
    terminalreporter.write_line(MATRIX.markdown())
    if config.getoption("--write-matrix", default=False):
        MATRIX.write(PROJECT / "docs" / "safety.md")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Whatever hangs in spite of all must fail its test, not the suite."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"the test took more than {MOST_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(MOST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def trial() -> NewTrial:
    """Makes a trial: a fault's name, and the way to the assistant."""
    return lambda fault, way: Trial(fault, way, MATRIX)


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts the assistant in this process, over a project of its own; options as for it."""
    from ebb.assistant import launcher

    launcher.quiet()
    core().warm()
    started: list[InProcess] = []

    async def begin(
        *, url: str | None = None, seconds: float = TURN_SECONDS, **options: Any
    ) -> InProcess:
        project = make_project(tmp_path / "project", **options)
        monkeypatch.setattr(launcher, "PROJECT", project)
        monkeypatch.chdir(project)
        if "actions" in options:
            monkeypatch.setenv("EBB_ACTIONS", "remote")
        agent = await launcher.load_agent(memory_only=False)
        way = InProcess(agent, project, url or f"sqlite:///{database(project)}", seconds)
        started.append(way)
        return way

    yield begin
    for way in started:
        await way.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server; a test that breaks it heals it."""
    with running(Postgres()) as server:
        yield server


@pytest.fixture
def redis() -> Iterator[Redis]:
    """A Redis server."""
    with running(Redis()) as server:
        yield server


@pytest.fixture
def real_actions() -> Iterator[RealActions]:
    """The real action server as its own process."""
    with running(RealActions()) as server:
        yield server


@pytest.fixture
def fake_actions() -> Iterator[FakeActions]:
    """An action server that misbehaves on demand."""
    server = FakeActions()
    yield server
    server.close()
