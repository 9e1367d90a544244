"""She comes back after a pause; she comes with two things."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ebb.conversation.core import core
from ebb.conversation.flow import DAY
from ebb.conversation.state import Heard, State
from ebb.types import Finding, Level

HOUR = 3600.0
THEN = 1_700_000_000.0


def finding(name: str, value: str, amount: float | None = None) -> Finding:
    return Finding(name, value, source="answered", amount=amount)


def state(*findings: Finding, open_: str | None = "episode_length") -> State:
    return State(
        findings=findings, tables=("feelings",), open=open_, answered=("x",), heard_until=THEN
    )


ASKED = state(
    finding("feeling_at_letdown", "yes"),
    finding("onset_relative_to_letdown", "before"),
    finding("mood_between_feeds", "fine"),
    finding("thoughts_of_harm", "no"),
    finding("baby_age", "week_3_8", 42),
)


def test_a_short_silence_changes_nothing() -> None:
    assert core().flow.picked_up(ASKED, THEN + 0.9 * HOUR) == ASKED


@pytest.mark.parametrize("hours", [1.1, 5, 23.9])
def test_after_a_pause_she_is_asked_whether_to_carry_on(hours: float) -> None:
    back = core().flow.picked_up(ASKED, THEN + hours * HOUR)
    after, (reply,) = core().flow.next(back, Heard(intent="greet"), "GB", answered=False)
    assert reply.id == "resume" and after.listening_for is None and after.waiting
    on = replace(after, heard_until=THEN + hours * HOUR)
    again, (question,) = core().flow.next(on, Heard(answer=("resume", "yes")), "GB", False)
    assert question.asked == "episode_length"
    assert again.values == ASKED.values


def test_an_answer_to_the_waiting_question_goes_straight_on() -> None:
    back = core().flow.picked_up(ASKED, THEN + 3 * HOUR)
    told = replace(back.with_finding(finding("episode_length", "up_to_2_min")), open=None)
    after, (reply, *_) = core().flow.next(told, Heard(), "GB", answered=False)
    assert reply.id != "resume" and after.resuming == "no"


def test_after_a_day_only_the_baby_s_age_as_it_is_now_is_left() -> None:
    back = core().flow.picked_up(ASKED, THEN + 30 * DAY)
    (age,) = back.findings
    assert (age.id, age.value, age.amount, age.source) == ("baby_age", "month_2_3", 72, "carried")
    assert back.open is None and back.tables == ()


def test_that_a_baby_died_is_never_forgotten() -> None:
    lost = ASKED.with_finding(finding("baby_situation", "died"))
    there = ASKED.with_finding(finding("baby_situation", "with_me"))
    assert "baby_situation" in core().flow.picked_up(lost, THEN + 3 * DAY).values
    assert "baby_situation" not in core().flow.picked_up(there, THEN + 3 * DAY).values


TWO = State(
    findings=(
        finding("feeling_at_letdown", "yes"),
        finding("onset_relative_to_letdown", "before"),
        finding("episode_length", "up_to_2_min"),
        finding("mood_between_feeds", "fine"),
        finding("thoughts_of_harm", "no"),
        finding("how_often", "every_feed"),
        finding("strength", "severe"),
        finding("breast_hot_red", "yes"),
        finding("mother_fever", "yes"),
        finding("sepsis_signs", "no"),
        finding("closing_signs", "none"),
    ),
    tables=("feelings",),
    heard_until=THEN,
)


def test_of_two_things_the_urgent_one_comes_first_and_the_other_is_offered() -> None:
    after, (outcome, offer) = core().flow.next(TWO, Heard(), "GB", answered=False)
    assert outcome.card is not None and outcome.card["level"] == Level.SAME_DAY.value
    assert offer.asked == "next_topic" and after.waiting
    then, replies = core().flow.next(after, Heard(answer=("next_topic", "yes")), "GB", False)
    assert replies[0].id == "outcome.dmer_pattern_severe"
    assert "feelings" in then.done and not then.waiting


def test_the_other_thing_is_not_pressed_on_her() -> None:
    after, _ = core().flow.next(TWO, Heard(), "GB", answered=False)
    then, replies = core().flow.next(after, Heard(intent="thank"), "GB", answered=False)
    assert [reply.id for reply in replies] == ["next_topic.no"]
    _, replies = core().flow.next(then, Heard(intent="greet"), "GB", answered=False)
    assert [reply.id for reply in replies] == ["nothing_open"]


def test_nothing_stands_between_her_and_an_emergency_call() -> None:
    urgent = TWO.with_finding(finding("chest_pain_or_breathless", "yes"))
    after, replies = core().flow.next(urgent, Heard(), "GB", answered=False)
    assert len(replies) == 1 and not after.waiting


def test_an_emergency_breaks_into_the_other_thing() -> None:
    after, _ = core().flow.next(TWO, Heard(), "GB", answered=False)
    then = replace(after, offered=None, topic="feelings")
    then = then.with_finding(finding("chest_pain_or_breathless", "yes"))
    _, (outcome, *_) = core().flow.next(then, Heard(), "GB", answered=False)
    assert outcome.card is not None and outcome.card["level"] == Level.EMERGENCY.value
