"""The engine on small tables: by hand, and on random tables against what a full answer shows."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import FINDINGS, VALUES, conditions, question, row, tables

from ebb.knowledge.triage import Tables
from ebb.triage import step, tables_in_play
from ebb.triage.engine import State, state
from ebb.types import NOT_SURE, REFUSED, Level, Step

ANSWERS = (*VALUES, NOT_SURE, REFUSED)


# ---- by hand


def test_the_most_urgent_row_decides_and_every_match_is_reported() -> None:
    found = tables(
        [
            row("mild", Level.SELF_CARE, conditions(a="yes"), 0),
            row("grave", Level.SAME_DAY, conditions(b="yes"), 1),
        ]
    )
    outcome = step(found, {"a": "yes", "b": "yes"}, ["t"]).outcome
    assert outcome is not None
    assert (outcome.id, outcome.level) == ("same_day", Level.SAME_DAY)
    assert [why.row for why in outcome.why] == ["t.grave", "t.mild"]


def test_of_two_rows_of_one_level_the_first_listed_decides() -> None:
    found = tables(
        [
            row("first", Level.SAME_DAY, conditions(a="yes"), 0, outcome="one"),
            row("second", Level.SAME_DAY, conditions(b="yes"), 1, outcome="two"),
        ]
    )
    outcome = step(found, {"a": "yes", "b": "yes"}, ["t"]).outcome
    assert outcome is not None
    assert outcome.id == "one"


def test_a_question_that_can_no_longer_change_the_result_is_not_asked() -> None:
    found = tables(
        [
            row("grave", Level.SAME_DAY, conditions(a="yes"), 0),
            row("mild", Level.SELF_CARE, conditions(b="yes"), 1),
        ]
    )
    assert step(found, {"a": "yes"}, ["t"]).outcome is not None
    assert step(found, {"a": "no"}, ["t"]).ask == "b"


def test_questions_come_in_the_order_of_the_inputs() -> None:
    found = tables(
        [
            row("later", Level.SAME_DAY, conditions(b="yes"), 0),
            row("sooner", Level.WITHIN_3_DAYS, conditions(a="yes"), 1),
        ]
    )
    assert step(found, {}, ["t"]).ask == "a"


def test_what_an_emergency_needs_is_asked_before_all_else() -> None:
    found = tables(
        [
            row("emergency", Level.EMERGENCY, conditions(d="yes"), 0),
            row("mild", Level.SELF_CARE, conditions(a="yes"), 1),
        ]
    )
    assert step(found, {}, ["t"]).ask == "d"


def test_a_row_waits_silently_until_its_first_sign_is_there() -> None:
    found = tables(
        [
            row(
                "two_facts",
                Level.EMERGENCY,
                conditions(a="yes", b="yes"),
                ask_if=(conditions(a="yes"),),
            )
        ]
    )
    assert step(found, {}, ["t"]).ask is None
    assert step(found, {"a": "yes"}, ["t"]).ask == "b"
    assert step(found, {"b": "yes"}, ["t"]).ask is None


def test_a_silent_row_still_matches() -> None:
    found = tables([row("said", Level.EMERGENCY, conditions(a="yes"), ask_if=())])
    outcome = step(found, {"a": "yes"}, ["t"]).outcome
    assert outcome is not None
    assert outcome.level is Level.EMERGENCY


def test_a_row_with_an_exception_fails_only_when_the_exception_is_known() -> None:
    excepted = row("a", Level.SAME_DAY, conditions(a="yes"), not_if=conditions(b="yes"))
    assert state(excepted, {"a": "yes"}) is State.MATCHED
    assert state(excepted, {"a": "yes", "b": "yes"}) is State.FAILED


def test_not_sure_is_neither_yes_nor_no() -> None:
    asks = row("a", Level.SAME_DAY, conditions(a="yes"))
    assert state(asks, {}) is State.OPEN
    assert state(asks, {"a": "not_sure"}) is State.FAILED
    assert state(row("b", Level.SAME_DAY, conditions(a="yes not_sure")), {"a": NOT_SURE}) is (
        State.MATCHED
    )


def test_after_a_loss_a_question_without_words_for_it_is_never_asked() -> None:
    asked = [question("a", {"died": None}), question("b")]
    found = tables(
        [
            row("living", Level.SAME_DAY, conditions(a="yes"), 0),
            row("anyone", Level.WITHIN_3_DAYS, conditions(b="yes"), 1),
        ],
        questions=asked,
    )
    assert step(found, {}, ["t"]).ask == "a"
    assert step(found, {"baby_situation": "died"}, ["t"]).ask == "b"


def test_a_table_opens_by_what_she_said() -> None:
    found = tables(
        [row("a", Level.SAME_DAY, conditions(a="yes"))], opens_when=(conditions(a="yes maybe"),)
    )
    assert tables_in_play(found, {"a": "maybe"}) == ("t",)
    assert tables_in_play(found, {"a": "no"}) == ()


def test_a_finding_that_follows_from_another_is_not_asked() -> None:
    derived = replace(question("b"), known_from={"a": {"yes": "no"}})
    found = tables(
        [row("ab", Level.SAME_DAY, conditions(a="yes", b="yes"))],
        questions=[question("a"), derived],
    )
    assert step(found, {"a": "yes"}, ["t"]).ask is None


def test_a_table_without_a_match_ends_in_its_own_outcome_with_a_reason() -> None:
    found = tables([row("a", Level.SAME_DAY, conditions(a="yes"))])
    outcome = step(found, {"a": "no"}, ["t"]).outcome
    assert outcome is not None
    assert outcome.id == "self_care"
    assert [why.row for why in outcome.why] == ["t.otherwise"]


# ---- on random tables

a_condition = st.dictionaries(
    st.sampled_from(FINDINGS),
    st.sets(st.sampled_from(ANSWERS), min_size=1, max_size=3).map(frozenset),
    min_size=1,
    max_size=3,
)
a_case = st.dictionaries(st.sampled_from(FINDINGS), st.sampled_from(ANSWERS))
full_answers = st.fixed_dictionaries({f: st.sampled_from(ANSWERS) for f in FINDINGS})


@st.composite
def random_tables(draw: st.DrawFn) -> Tables:
    drawn = draw(st.lists(st.tuples(st.sampled_from(Level), a_condition), min_size=1, max_size=7))
    return tables([row(str(i), level, when, i) for i, (level, when) in enumerate(drawn)])


def answered(found: Tables, said: dict[str, str], answers: dict[str, str]) -> list[Step]:
    """Every step of a conversation, the last one with the outcome."""
    known = dict(said)
    steps = [step(found, known, ["t"])]
    while (ask := steps[-1].ask) is not None:
        known[ask] = answers[ask]
        steps.append(step(found, known, ["t"]))
        assert len(steps) <= len(FINDINGS) + 1
    return steps


@given(random_tables(), a_case, full_answers)
def test_stopping_early_never_misses_what_all_answers_would_show(found, said, answers) -> None:
    outcome = answered(found, said, answers)[-1].outcome
    assert outcome is not None
    everything = {**answers, **said}
    matching = [row for row in found.rows if state(row, everything) is State.MATCHED]
    if matching:
        assert (outcome.id, outcome.level) == (matching[0].outcome, matching[0].level)
    else:
        assert outcome.id == "self_care"


@given(random_tables(), a_case, full_answers)
def test_nothing_is_asked_twice_or_without_need(found, said, answers) -> None:
    known = dict(said)
    for taken in answered(found, said, answers)[:-1]:
        assert taken.ask is not None
        assert taken.ask not in known
        needing = [
            row for row in found.rows if taken.ask in row.when and state(row, known) is State.OPEN
        ]
        assert needing
        assert taken.remaining >= 1
        known[taken.ask] = answers[taken.ask]


@given(random_tables(), a_case)
def test_the_estimate_is_exact_for_the_usual_answers(found, said) -> None:
    usual = dict.fromkeys(FINDINGS, "no")
    steps = answered(found, said, usual)
    assert [taken.remaining for taken in steps] == list(range(len(steps) - 1, -1, -1))


@given(random_tables(), a_case, st.sampled_from(FINDINGS), st.sampled_from(ANSWERS))
def test_learning_more_keeps_every_match(found, said, finding, value) -> None:
    if finding in said:
        return
    before = {row.id for row in found.rows if state(row, said) is State.MATCHED}
    after = {r.id for r in found.rows if state(r, {**said, finding: value}) is State.MATCHED}
    assert before <= after


junk = st.none() | st.integers() | st.text() | st.lists(st.text())


@settings(max_examples=50, deadline=None)
@given(
    findings=st.dictionaries(st.text() | st.sampled_from(FINDINGS), junk), play=st.lists(st.text())
)
def test_nothing_unknown_makes_an_error(real, findings, play) -> None:
    """Unknown ids, unknown values and values of a wrong kind count as unknown."""
    assert step(real, findings, play) == step(real, {}, ())


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_real_findings_never_make_an_error_and_always_lead_somewhere(real, data) -> None:
    chosen = data.draw(st.sets(st.sampled_from(sorted(real.domain)), max_size=8))
    findings = {f: data.draw(st.sampled_from(sorted(real.domain[f]))) for f in sorted(chosen)}
    taken = step(real, findings, [])
    assert (taken.ask is None) != (taken.outcome is None)
    assert taken.ask not in findings


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_she_said_and_answers_safety_was_asked_before_mild_advice_on_feelings(
    real, data
) -> None:
    chosen = data.draw(st.sets(st.sampled_from(sorted(real.domain)), max_size=6))
    known = {f: data.draw(st.sampled_from(sorted(real.domain[f]))) for f in sorted(chosen)}
    for _ in range(len(real.questions) + 1):
        taken = step(real, known, ["feelings"])
        if taken.ask is None:
            break
        choices = sorted(real.domain[taken.ask])
        known[taken.ask] = data.draw(st.sampled_from(choices))
    assert taken.outcome is not None
    if taken.outcome.level.rank < Level.SAME_DAY.rank:
        assert known.get("thoughts_of_harm") in ("no", REFUSED)
    if known.get("thoughts_of_harm") == REFUSED:
        assert taken.outcome.level.rank >= Level.WITHIN_3_DAYS.rank


# ---- the closing question


def with_closing() -> Tables:
    """Table "t", and one that closes beside it below the level of the same day."""
    first = tables(
        [
            row("grave", Level.SAME_DAY, conditions(a="yes"), 0),
            row("mild", Level.SELF_CARE, conditions(b="yes"), 1),
        ]
    )
    last = replace(row("alarm", Level.EMERGENCY, conditions(d="yes"), 0), table="end")
    closing = replace(
        first.tables[0],
        id="end",
        order=9,
        rows=(last,),
        inputs=("d",),
        closing_below=Level.SAME_DAY,
    )
    outcome = replace(first.outcomes["same_day"], id="emergency", level=Level.EMERGENCY)
    return replace(
        first,
        tables=(first.tables[0], closing),
        outcomes={**first.outcomes, "emergency": outcome},
    )


def test_the_closing_question_comes_once_all_else_is_settled() -> None:
    found = with_closing()
    assert step(found, {}, ["t"]).ask == "a"
    assert step(found, {"a": "no", "b": "yes"}, ["t"]).ask == "d"
    done = step(found, {"a": "no", "b": "yes", "d": "no"}, ["t"]).outcome
    assert done is not None and done.level is Level.SELF_CARE
    alarm = step(found, {"a": "no", "b": "yes", "d": "yes"}, ["t"]).outcome
    assert alarm is not None and alarm.level is Level.EMERGENCY


def test_the_closing_question_is_left_out_where_help_is_due_today_already() -> None:
    outcome = step(with_closing(), {"a": "yes"}, ["t"]).outcome
    assert outcome is not None and outcome.level is Level.SAME_DAY


def test_the_closing_table_opens_no_conversation_by_itself() -> None:
    assert tables_in_play(with_closing(), {}) == ()
