"""The server as its own process: killed in mid-turn, out of disk, its database frozen under it."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import NewTrial
from project import crisis_record, database, make_project
from services import FakeActions, Postgres, Server, running, wait_for
from trial import CRISES, PLAIN, REPORT, TURN_SECONDS, OverHttp, Trial

LONG = "my milk comes slowly and i feel flat, " * 80


def serving(project: Path, *, remote: bool = False) -> Server:
    """A server over `project`, not started yet."""
    actions = {"EBB_ACTIONS": "remote"} if remote else {}
    return Server(project, EBB_TURN_SECONDS=str(TURN_SECONDS), **actions)


@pytest.fixture
def slow(tmp_path: Path, fake_actions: FakeActions) -> Iterator[OverHttp]:
    """A running server whose actions can be made to hang for longer than a turn may take."""
    project = make_project(tmp_path / "project", actions=fake_actions.url, action_seconds=30.0)
    server = serving(project, remote=True)
    with running(server):
        server.start()
        yield OverHttp(server, f"sqlite:///{database(project)}")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_killed_in_mid_turn(
    how: signal.Signals, slow: OverHttp, trial: NewTrial, fake_actions: FakeActions
) -> None:
    case: Trial = trial(f"process killed in mid-turn ({how.name})", slow)
    await case.well(REPORT)
    await case.well()
    fake_actions.misbehave("hangs")
    asked = fake_actions.asked
    # This turn hangs in its action until the process ends.
    await case.ordinary(REPORT)
    assert fake_actions.asked > asked, "the turn did not get to its action"
    await case.crisis()
    server = slow.server
    family = server.family()
    server.stop(how, seconds=15)
    assert family, "the server had ended by itself"
    lines = (crisis_record(server.project) / "crisis.jsonl").read_text().splitlines()
    assert [json.loads(line)["conversation"] for line in lines] == [case.conversation]
    fake_actions.heal()
    server.start()
    # Her answer to the question about her safety is understood after the restart.
    await case.crisis("yes")
    await case.heals()
    await case.finish()


async def test_a_disk_that_is_full(tmp_path: Path, trial: NewTrial) -> None:
    """No file can grow, not the database, not the record, not the log."""
    project = make_project(tmp_path / "project")
    server = serving(project)
    with running(server):
        server.start()
        case = trial("disk full (RLIMIT_FSIZE)", OverHttp(server, f"sqlite:///{database(project)}"))
        await case.well(REPORT)
        (pid, *_) = server.family()
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        await case.through(PLAIN, LONG, REPORT)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        await case.heals()
        await case.finish()


async def test_a_database_frozen_under_the_server(
    tmp_path: Path, postgres: Postgres, trial: NewTrial
) -> None:
    project = make_project(tmp_path / "project", store=postgres.endpoint)
    server = serving(project)
    with running(server):
        server.start()
        case = trial("PostgreSQL frozen, over HTTP", OverHttp(server, postgres.url))
        await case.well(REPORT)
        postgres.freeze()
        try:
            await case.through(PLAIN, REPORT)
        finally:
            postgres.thaw()
        await case.heals()
        await case.finish()


async def test_a_server_that_starts_with_a_frozen_database(
    tmp_path: Path, postgres: Postgres, trial: NewTrial
) -> None:
    project = make_project(tmp_path / "project", store=postgres.endpoint)
    server = serving(project)
    with running(server):
        postgres.freeze()
        try:
            server.start(ready=False)
            case = trial("started while PostgreSQL is frozen", OverHttp(server, postgres.url))
            wait_for(lambda: bool(server.said) or not server.runs, "it did not start")
            assert server.runs, server.log[-2000:]
            await case.through(PLAIN)
        finally:
            postgres.thaw()
        await case.heals()
        await case.finish()


async def test_a_hundred_requests_at_once(tmp_path: Path, trial: NewTrial) -> None:
    """Twenty people at the door at once, each with a crisis among her messages."""
    project = make_project(tmp_path / "project")
    server = serving(project)
    with running(server):
        server.start()
        way = OverHttp(server, f"sqlite:///{database(project)}")

        async def person(number: int) -> Trial:
            case = trial("20 conversations at once, over HTTP", way)
            await case.ordinary(PLAIN, REPORT)
            await case.crisis(CRISES[number % len(CRISES)])
            await case.ordinary("ok", PLAIN)
            return case

        cases = await asyncio.gather(*(person(number) for number in range(20)))
        await asyncio.gather(*(case.finish() for case in cases))
