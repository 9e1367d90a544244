"""The action server absent, hanging, failing, and answering what nobody can read."""

from __future__ import annotations

import pytest
from conftest import NewTrial, Start
from services import FakeActions, RealActions
from trial import PLAIN, REPORT

MESSAGES = (PLAIN, REPORT, "not sure")


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        ("hangs", "action server accepts and never answers"),
        ("500", "action server answers 500"),
        ("not json", "action server answers no JSON"),
        ("wrong schema", "action server answers a wrong schema"),
        ("huge", "action server answers 50 MB"),
    ],
)
async def test_an_action_server_that_misbehaves(
    behaviour: str, fault: str, start: Start, trial: NewTrial, fake_actions: FakeActions
) -> None:
    way = await start(actions=fake_actions.url)
    case = trial(fault, way)
    await case.well(REPORT)
    fake_actions.misbehave(behaviour)
    await case.through(*MESSAGES)
    assert fake_actions.asked > 1, "the fault was not met"
    fake_actions.heal()
    await case.heals(REPORT)
    await case.finish()
    assert case.honest, "an action that was never run cannot have answered"


async def test_an_action_server_that_is_absent_and_comes_back(
    start: Start, trial: NewTrial, real_actions: RealActions
) -> None:
    way = await start(actions=real_actions.url, action_seconds=1.0)
    case = trial("action server absent", way)
    await case.well(REPORT)
    real_actions.stop()
    await case.through(*MESSAGES)
    real_actions.start()
    await case.heals(REPORT)
    await case.finish()


async def test_an_action_server_that_is_frozen(
    start: Start, trial: NewTrial, real_actions: RealActions
) -> None:
    way = await start(actions=real_actions.url, action_seconds=1.0)
    case = trial("action server frozen (SIGSTOP)", way)
    await case.well(REPORT)
    real_actions.freeze()
    await case.through(*MESSAGES)
    real_actions.thaw()
    await case.heals(REPORT)
    await case.finish()
