"""Questionnaires in the chat: scored as published, interruptible, and only ever raising."""

from __future__ import annotations

import pytest

from ebb.conversation.asides import Asides
from ebb.conversation.core import core
from ebb.conversation.screeners import NO, OFFER, SKIP, STOP, YES
from ebb.conversation.state import Heard, State
from ebb.types import Finding, Tier

SCREENING = core().aside.screening


def answered(*values: str, whole: bool = True, name: str = "phq9") -> Asides:
    asides = SCREENING.start(Asides(), name, whole=whole)
    for value in values:
        asides = SCREENING.hear(asides, value, 1.0)
    return asides


@pytest.mark.parametrize(
    ("words", "points"),
    [
        ("Not at all", "0"),
        ("nope never", "0"),
        ("a few days", "1"),
        ("sometimes", "1"),
        ("more than half the days", "2"),
        ("most days tbh", "2"),
        ("nearly everyday", "3"),
        ("3", "3"),
        ("not sure", SKIP),
        ("skip", SKIP),
        ("stop", STOP),
        ("7", None),
        ("not often", None),
        ("what do you mean by that", None),
    ],
)
def test_an_answer_in_words_is_read_as_one_of_the_four_options(
    words: str, points: str | None
) -> None:
    assert SCREENING.reading(words) == points


def test_the_whole_questionnaire_adds_up() -> None:
    (score,) = answered(*"123012300").scores
    assert (score.total, score.items, score.skipped) == (12, 9, 0)
    assert "12 of 27" in SCREENING.result(score).text


def test_a_skipped_item_is_said_with_the_score() -> None:
    (score,) = answered("3", SKIP, *"0000000").scores
    assert (score.total, score.skipped) == (3, 1)
    assert "skipped 1" in SCREENING.result(score).text


def test_the_rest_is_offered_from_three_points_on_and_never_forced() -> None:
    assert answered("1", "1", whole=False).scores[0].items == 2
    asked = answered("2", "1", whole=False)
    assert asked.open == "screener_more" and not asked.scores
    assert SCREENING.hear(asked, NO, 1.0).scores[0].total == 3
    assert SCREENING.hear(asked, YES, 1.0).open == "phq9_3"


def test_going_back_takes_one_answer_back() -> None:
    assert SCREENING.back(answered("3", "3")).open == "phq9_2"


def test_the_last_item_above_zero_is_danger_whatever_the_words() -> None:
    for words in ("several days", "1", "yes", "nearly every day"):
        found = SCREENING.danger("phq9_9", None, words)
        assert found is not None and found.tier is Tier.URGENT
    for words in ("not at all", "0", "no"):
        assert SCREENING.danger("phq9_9", None, words) is None
    assert SCREENING.danger("phq9_8", None, "several days") is None


def test_the_last_item_tells_triage_even_where_the_score_is_low() -> None:
    state = State(asides=answered(*"00000000"))
    heard = Heard(at=2.0, text="several days")
    state, left, _ = core().aside.hear(state, heard, "phq9_9")
    assert state.values["phq9_item9"] == "above_zero"
    assert left.assessment.tier is Tier.URGENT
    assert state.values["phq9_score"] == "to_4"


def test_a_lower_score_never_replaces_a_higher_one() -> None:
    before = State(findings=(Finding("phq9_score", "to_27"),), asides=answered(*"00000000"))
    after, _, _ = core().aside.hear(before, Heard(at=2.0, text="not at all"), "phq9_9")
    assert after.values["phq9_score"] == "to_27"


def test_words_to_another_question_are_no_answer_to_an_item() -> None:
    state = State(asides=answered("0"))
    after, _, became = core().aside.hear(state, Heard(at=2.0, text="no"), "safety.now")
    assert not became and after.asides == state.asides


def test_nothing_is_offered_twice_or_after_it_was_declined() -> None:
    offered = SCREENING.offered(Asides(), "low_mood_two_weeks")
    assert offered is not None and offered.open == OFFER
    declined = SCREENING.hear(offered, NO, 1.0)
    assert SCREENING.offered(declined, "low_mood_two_weeks") is None


def test_what_is_offered_after_exists() -> None:
    known = core().knowledge
    assert set(known.screeners.offers) <= set(known.triage.outcomes)
    assert known.diary.offer_after <= set(known.triage.outcomes)


def test_an_older_state_without_questionnaires_is_read() -> None:
    kept = State(tables=("feelings",)).to_json()
    del kept["asides"]
    assert State.from_json(kept) == State(tables=("feelings",))


def test_a_questionnaire_in_progress_survives_storage() -> None:
    state = State(asides=answered("3", SKIP))
    assert State.from_json(state.to_json()) == state


def test_a_low_score_says_that_earlier_advice_stands() -> None:
    state = State(outcome="low_mood_two_weeks", asides=answered(*"000000000"))
    told, reply = core().aside.result(state)
    assert reply is not None and "stands" in reply.text
    assert core().aside.result(told)[1] is None
