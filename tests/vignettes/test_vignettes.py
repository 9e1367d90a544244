"""Whole stories in free text: nobody who needs help today is told that it can wait."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from play import Played, Vignette, load, play

from ebb.assistant.terminal import Talk
from ebb.types import Level

HERE = Path(__file__).parent
VIGNETTES = load(HERE)
KNOWN_FAULTS = frozenset((HERE / "known_faults.txt").read_text(encoding="utf-8").split())
"""Stories that do not reach their level yet. Each must go on failing, or leave the list. The list
excuses nobody who needs help today: that test does not look at it."""
OVER_TRIAGE = 0.15


def marked(story: Vignette) -> object:
    fault = pytest.mark.xfail(strict=True, reason="known fault")
    return pytest.param(story, id=story.id, marks=[fault] if story.id in KNOWN_FAULTS else [])


@pytest.fixture(scope="module")
def played(talk: Talk, loop: asyncio.AbstractEventLoop) -> dict[str, Played]:
    return {
        story.id: loop.run_until_complete(play(talk, story, f"vignette-{story.id}"))
        for story in VIGNETTES
    }


@pytest.mark.parametrize("story", [marked(story) for story in VIGNETTES])
def test_a_story_reaches_its_level(story: Vignette, played: dict[str, Played]) -> None:
    found = played[story.id]
    assert found.level is story.level, f"{story.why}\n{found}"


def test_no_emergency_or_same_day_case_is_told_to_wait(played: dict[str, Played]) -> None:
    urgent = [story for story in VIGNETTES if story.level.rank >= Level.SAME_DAY.rank]
    under = [
        story.id
        for story in urgent
        if (found := played[story.id].level) is None or found.rank < story.level.rank
    ]
    assert urgent and not under, under


def test_few_who_could_care_for_themselves_are_sent_to_be_seen(played: dict[str, Played]) -> None:
    calm = [story for story in VIGNETTES if story.level is Level.SELF_CARE]
    over = [
        story.id
        for story in calm
        if (found := played[story.id].level) is not None and found is not Level.SELF_CARE
    ]
    # Beside the stories on the list: the goal is that all of these are within the share.
    assert calm and len(set(over) - KNOWN_FAULTS) <= OVER_TRIAGE * len(calm), over


def test_the_questions_are_few(
    played: dict[str, Played], capsys: pytest.CaptureFixture[str]
) -> None:
    counts = [found.questions for found in played.values()]
    with capsys.disabled():
        spread = {n: counts.count(n) for n in sorted(set(counts))}
        print(f"\n  questions per story: {sum(counts) / len(counts):.1f} on average, {spread}")
    assert max(counts) <= 8 and sum(counts) / len(counts) <= 5
