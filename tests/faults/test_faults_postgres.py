"""PostgreSQL stopped, restarted, frozen and absent at the start, in mid-conversation."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from conftest import NewTrial, Start
from services import Postgres
from trial import PLAIN, REPORT


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Postgres]:
    """The server, whole again after the test, whatever the test left."""
    yield postgres
    postgres.thaw()
    if not postgres.family():
        postgres.start()


async def test_postgresql_works(start: Start, trial: NewTrial, database: Postgres) -> None:
    way = await start(store=database.endpoint, url=database.url)
    case = trial("nothing (PostgreSQL)", way)
    await case.through(PLAIN, REPORT)
    await case.finish()
    assert not case.honest


async def test_postgresql_stopped(start: Start, trial: NewTrial, database: Postgres) -> None:
    way = await start(store=database.endpoint, url=database.url)
    case = trial("PostgreSQL stopped", way)
    await case.well(REPORT)
    database.stop(signal.SIGQUIT)
    await case.through(PLAIN, REPORT, "about a minute")
    database.start()
    await case.heals()
    await case.finish()


async def test_postgresql_restarted(start: Start, trial: NewTrial, database: Postgres) -> None:
    way = await start(store=database.endpoint, url=database.url)
    case = trial("PostgreSQL restarted between two messages", way)
    await case.well(REPORT)
    database.stop()
    database.start()
    await case.through(PLAIN, REPORT, "about a minute")
    database.stop()
    database.start()
    await case.heals()
    await case.finish()


async def test_postgresql_frozen(start: Start, trial: NewTrial, database: Postgres) -> None:
    way = await start(store=database.endpoint, url=database.url)
    case = trial("PostgreSQL frozen (SIGSTOP)", way)
    await case.well(REPORT)
    database.freeze()
    await case.through(PLAIN, REPORT, "about a minute")
    database.thaw()
    await case.heals()
    await case.finish()


async def test_postgresql_absent_at_the_start(
    start: Start, trial: NewTrial, database: Postgres
) -> None:
    database.execute("DROP TABLE IF EXISTS events")
    database.stop()
    way = await start(store=database.endpoint, url=database.url)
    case = trial("PostgreSQL absent at the start", way)
    await case.through(PLAIN, REPORT)
    database.start()
    await case.heals()
    await case.finish()
