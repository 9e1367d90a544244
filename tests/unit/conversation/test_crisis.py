"""Which crisis reply comes next."""

from __future__ import annotations

import pytest

from ebb.conversation.crisis import CRISIS, Crisis, Told, comes_back, next_move, standing
from ebb.types import Assessment, Tier

REPLIES = frozenset({"self.urgent.1", "self.again.1", "safe.1"})
NOTHING = Assessment()
OPEN = Crisis(asked="safety.now", seen=("self.urgent.1",))


def move(assessment: Assessment, own: Assessment, answer: str | None, crisis: Crisis, **more: bool):
    options = {"moves_on": False, "in_triage": False, **more}
    found = next_move(assessment, own, answer, crisis, **options)
    return found.kind if found else None


@pytest.mark.parametrize("tier", [Tier.CHECK, Tier.URGENT, Tier.EMERGENCY])
@pytest.mark.parametrize("answer", [None, "safe", "go_on"])
@pytest.mark.parametrize("crisis", [Crisis(), OPEN])
def test_words_of_danger_are_met_as_a_crisis_whatever_else_they_answer(
    tier, answer, crisis
) -> None:
    danger = Assessment(tier, "ideation_active")
    assert move(danger, danger, answer, crisis) == CRISIS


def test_a_thought_split_over_messages_is_a_crisis() -> None:
    assert move(Assessment(Tier.URGENT, "ideation_active"), NOTHING, None, Crisis()) == CRISIS


def test_an_answer_to_the_safety_question_leads_to_its_follow_up() -> None:
    assert move(NOTHING, NOTHING, "safe", OPEN) == "safe"


def test_anything_else_meets_the_open_question_once_more_and_then_goes_on() -> None:
    assert move(NOTHING, NOTHING, None, OPEN) == "again"
    again = Crisis(asked="safety.now", again=True, seen=("self.urgent.1", "self.again.1"))
    assert move(NOTHING, NOTHING, None, again) is None


def test_an_ordinary_message_is_left_to_the_conversation() -> None:
    assert move(NOTHING, NOTHING, None, Crisis()) is None


def test_triage_itself_answers_an_unsure_answer_to_its_safety_question() -> None:
    unsure = Assessment(Tier.CHECK, "ambiguous")
    assert move(unsure, NOTHING, None, Crisis(), in_triage=True) is None
    assert move(Assessment(Tier.URGENT), NOTHING, None, Crisis(), in_triage=True) == CRISIS


def test_the_question_stays_open_while_she_is_told_other_numbers() -> None:
    told = [Told("self.urgent.1", "safety.now"), Told("country.confirmed", None)]
    assert standing(told, REPLIES) == Crisis("safety.now", False, ("self.urgent.1",))


def test_the_question_is_closed_by_a_reply_of_another_kind() -> None:
    told = [Told("self.urgent.1", "safety.now"), Told("utter_dmer_what", None)]
    assert standing(told, REPLIES) == Crisis(None, False, ("self.urgent.1",))


def test_a_second_asking_is_known_as_such() -> None:
    told = [Told("self.urgent.1", "safety.now"), Told("self.again.1", "safety.now")]
    assert standing(told, REPLIES).again


def test_a_question_passed_over_twice_comes_back_once_after_her_answer() -> None:
    replies = REPLIES | {"self.later.1"}
    told = [Told("self.urgent.1", "safety.now"), Told("self.again.1", "safety.now")]
    assert not comes_back(standing(told[:1], replies))
    assert comes_back(standing(told, replies))
    told += [Told("utter_dmer_what", None), Told("self.later.1", "safety.thoughts")]
    after = standing(told, replies)
    assert after.asked == "safety.thoughts" and after.again
    assert not comes_back(after)
