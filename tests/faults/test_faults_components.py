"""A part of the assistant itself raises or hangs: reading, deciding, wording, acting, sending."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import NewTrial, Start
from trial import CRISIS_SECONDS, PLAIN, REPORT

from actions.action_triage import ActionTriage
from ebb.assistant import intent_model
from ebb.assistant.nlu import Intents, Understanding
from ebb.assistant.policy import SafetyPolicy
from ebb.assistant.responses import Responses
from ebb.conversation.core import Core
from ebb.findings import Extractor


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken")


def exits(*_: Any, **__: Any) -> Any:
    raise SystemExit(1)


async def broken_later(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken")


async def hangs(*_: Any, **__: Any) -> Any:
    await asyncio.sleep(600)


class Switch:
    """A function that becomes another one while the switch is on."""

    def __init__(self, whole: Callable[..., Any], instead: Callable[..., Any]) -> None:
        self._whole, self._instead = whole, instead
        self.on = False
        self.met = 0

    def function(self) -> Callable[..., Any]:
        """What to put in the place of the whole one; a coroutine function if that was one."""
        if not inspect.iscoroutinefunction(self._whole):
            return functools.wraps(self._whole)(
                lambda *given, **named: self._now()(*given, **named)
            )

        @functools.wraps(self._whole)
        async def switched(*given: Any, **named: Any) -> Any:
            return await self._now()(*given, **named)

        return switched

    def _now(self) -> Callable[..., Any]:
        self.met += self.on
        return self._instead if self.on else self._whole


PARTS: dict[str, tuple[Any, str, Any]] = {
    "understanding raises (NLU component)": (Understanding, "process", broken),
    "intents raise (NLU component)": (Intents, "process", broken),
    "the intent model raises": (intent_model.IntentModel, "rank", broken),
    "reading facts raises": (Extractor, "extract", broken),
    "the safety policy raises": (SafetyPolicy, "predict_action_probabilities", broken),
    "deciding raises": (Core, "decide", broken),
    "the response generator raises": (Responses, "generate", broken_later),
    "rendering a reply raises": (Core, "render", broken),
    "an action raises": (Core, "turn", broken),
    "an action ends the process (SystemExit)": (Core, "turn", exits),
    "an action hangs": (ActionTriage, "run", hangs),
}


@pytest.mark.parametrize("fault", PARTS)
async def test_a_part_that_breaks(
    fault: str, start: Start, trial: NewTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name, instead = PARTS[fault]
    switch = Switch(getattr(owner, name), instead)
    monkeypatch.setattr(owner, name, switch.function())
    way = await start()
    case = trial(fault, way)
    await case.well(REPORT)
    switch.on = True
    await case.through(PLAIN, REPORT, "about a minute")
    assert switch.met, "the fault was not met"
    switch.on = False
    await case.heals(REPORT)
    await case.finish()


async def test_the_whole_pipeline_raises(start: Start, trial: NewTrial) -> None:
    way = await start()
    case = trial("the NLU pipeline raises as a whole", way)
    await case.well(REPORT)
    processor = way.agent.processor
    whole = processor.graph_runner
    processor.graph_runner = None
    await case.through(PLAIN, REPORT)
    processor.graph_runner = whole
    await case.heals(REPORT)
    await case.finish()


async def test_the_safety_net_itself_raises(
    start: Start, trial: NewTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then help numbers go out at once, with the honest line; see tests/unit too."""
    way = await start()
    case = trial("assessing danger raises", way)
    with monkeypatch.context() as broken_now:
        broken_now.setattr(Core, "assess", broken)
        for words in (PLAIN, "i want to kill myself"):
            told = await case.say(words)
            assert told[0].honest and "116 123" in told[0].text and "999" in told[0].text
            assert told[0].after < CRISIS_SECONDS
            case.worst = max(case.worst, told[0].after)
            case.honest += 1
    await case.heals()
    await case.finish()


async def test_a_line_that_fails_for_a_moment(start: Start, trial: NewTrial) -> None:
    way = await start()
    case = trial("sending fails twice for every message", way)
    for said in (case.ordinary, case.crisis, case.crisis):
        way.deliveries_fail = 2
        await said()
    await case.heals()
    await case.finish()


async def test_a_line_that_is_down(start: Start, trial: NewTrial) -> None:
    """Nothing can reach her while it is down; what she was owed comes first once it is up."""
    way = await start()
    case = trial("sending fails altogether, then works", way)
    await case.well(REPORT)
    way.deliveries_fail = 10_000
    began = time.perf_counter()
    for words in (PLAIN, "i want to kill myself"):
        case.sent.append(words)
        case.told.append(await way.say(case.conversation, words))
    assert time.perf_counter() - began < 2 * (way.seconds + 1)
    way.deliveries_fail = 0
    until = time.monotonic() + 5
    while not case.told[-1] and time.monotonic() < until:
        await asyncio.sleep(0.05)
    owed = case.told[-1]
    assert owed and owed[0].crisis, "the crisis reply was not sent again by itself"
    await case.crisis()
    await case.heals()
    await case.finish()


async def test_what_she_is_owed_comes_first_when_she_writes_again(
    start: Start, trial: NewTrial
) -> None:
    way = await start()
    case = trial("sending fails until she writes again", way)
    way.deliveries_fail = 10_000
    case.sent.append("i want to kill myself")
    case.told.append(await way.say(case.conversation, "i want to kill myself"))
    way.deliveries_fail = 0
    told = await case.say("hello?")
    assert told[0].crisis and told[0].after < CRISIS_SECONDS
    case.worst = told[0].after
    await case.heals()
    await case.finish()


@pytest.mark.parametrize("exception", [ValueError, KeyError, MemoryError, asyncio.TimeoutError])
async def test_every_kind_of_error_in_a_turn_is_survived(
    exception: type[Exception], start: Start, trial: NewTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = await start()

    async def raises(*_: Any, **__: Any) -> None:
        raise exception

    case = trial(f"Rasa's turn raises {exception.__name__}", way)
    handler: Callable[..., Any] = way.agent.processor.handle_message
    way.agent.processor.handle_message = raises
    assert (await case.say(PLAIN))[0].honest
    await case.crisis()
    way.agent.processor.handle_message = handler
    await case.heals()
    await case.finish()
