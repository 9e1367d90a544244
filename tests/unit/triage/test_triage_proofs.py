"""The proofs hold for the real tables, and find what is wrong in broken ones."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import FINDINGS, VALUES, conditions, question, row, tables
from test_triage_engine import ANSWERS, a_condition, random_tables

from ebb.knowledge.triage import Gate, RedFlag, SafetyFirst, Tables
from ebb.triage.boxes import UNKNOWN, Space
from ebb.triage.engine import State, state
from ebb.triage.proofs import Failure, Report, plausible_lengths, prove
from ebb.triage.proofs import prove_rows as proofs_of_rows
from ebb.types import NOT_SURE, REFUSED, Level


def failed(found: Tables, about: str) -> list[Failure]:
    return [failure for failure in prove(found).failures if failure.name == about]


def prove_rows(found: Tables) -> list[Failure]:
    return [failure for proof in proofs_of_rows(found) for failure in proof.failures]


# ---- the real tables


def test_every_safety_property_holds_for_the_real_tables_in_under_a_minute(real) -> None:
    started = time.process_time()
    assert [str(failure) for failure in prove(real).failures] == []
    assert time.process_time() - started < 60


@pytest.mark.parametrize("lost", ["feelings.thoughts_of_harm", "feelings.harm_refused"])
def test_without_a_row_for_suicidal_thoughts_the_proof_fails(real, lost) -> None:
    assert any("thoughts_of_harm" in str(f) for f in prove_rows(without(real, lost)))


def test_a_psychosis_row_that_is_too_mild_is_found_with_its_case(real) -> None:
    weakened = changed(real, "worries.psychosis", outcome="anxiety", level=Level.WITHIN_2_WEEKS)
    flagged = [f for f in prove_rows(weakened) if f.name == "A red flag is acted on"]
    assert any(failure.case.get("psychosis_signs") == "yes" for failure in flagged)


def test_a_dmer_outcome_without_the_safety_question_is_found(real) -> None:
    mild = next(row for row in real.rows if row.id == "dmer.mild")
    careless = {f: values for f, values in mild.when.items() if f != "thoughts_of_harm"}
    found = list(prove_rows(changed(real, mild.id, when=careless)))
    assert any(f"{mild.id} does not need thoughts_of_harm" == failure.where for failure in found)


def test_plausible_conversations_take_five_questions_or_fewer_on_average(real, capsys) -> None:
    shares = plausible_lengths(real)
    for intent, spread in shares.items():
        assert sum(spread.values()) == pytest.approx(1), intent
        average = sum(count * share for count, share in spread.items())
        with capsys.disabled():
            print(
                f"\n  {intent}: {average:.1f} questions on average, at most {max(spread)}", end=""
            )
        assert average <= 6, intent
    assert Report((), {}, shares).average <= 5


def without(real: Tables, lost: str) -> Tables:
    return replace(
        real,
        tables=tuple(
            replace(table, rows=tuple(row for row in table.rows if row.id != lost))
            for table in real.tables
        ),
    )


def changed(real: Tables, name: str, **how: object) -> Tables:
    def maybe(row):
        if row.id != name:
            return row
        new = replace(row, **how)
        return replace(new, rank=(-new.level.rank, *new.rank[1:]))

    return replace(
        real,
        tables=tuple(
            replace(table, rows=tuple(maybe(row) for row in table.rows)) for table in real.tables
        ),
    )


# ---- broken tables


def test_a_shadowed_row_is_found() -> None:
    found = tables(
        [
            row("wide", Level.SAME_DAY, conditions(a="yes no"), 0),
            row("narrow", Level.SELF_CARE, conditions(a="yes", b="yes"), 1),
        ]
    )
    (failure,) = failed(found, "No row is shadowed")
    assert "t.narrow" in failure.where
    assert "t.wide" in failure.where
    assert failure.case == {"a": "yes", "b": "yes"}


def test_a_row_shadowed_only_by_several_together_is_found() -> None:
    found = tables(
        [
            row("one", Level.SAME_DAY, conditions(a="yes", b="yes no maybe"), 0),
            row("two", Level.SAME_DAY, conditions(a="yes", b="not_sure refused"), 1),
            row("both", Level.SELF_CARE, conditions(a="yes", b=" ".join(ANSWERS)), 2),
        ]
    )
    assert [f.where.split()[0] for f in failed(found, "No row is shadowed")] == ["t.both"]


def test_a_row_that_contradicts_itself_is_found() -> None:
    found = tables([row("never", Level.SAME_DAY, conditions(a="yes"), not_if=conditions(a="yes"))])
    assert failed(found, "Every row can match")


def test_a_red_flag_that_leads_nowhere_is_found() -> None:
    flag = RedFlag("a", {"yes": Level.SAME_DAY}, {})
    found = tables(
        [row("with_b", Level.SAME_DAY, conditions(a="yes", b="yes"))],
        red_flags=(flag,),
        opens_when=(conditions(a="yes"),),
    )
    failures = failed(found, "A red flag is acted on")
    assert failures
    assert all(failure.case["a"] == "yes" for failure in failures)


def test_a_red_flag_whose_table_does_not_open_is_found() -> None:
    flag = RedFlag("a", {"yes": Level.SAME_DAY}, {})
    rows = [row("flag", Level.SAME_DAY, conditions(a="yes"))]
    assert failed(tables(rows, red_flags=(flag,)), "A red flag is acted on")
    opened = tables(rows, red_flags=(flag,), opens_when=(conditions(a="yes"),))
    assert not failed(opened, "A red flag is acted on")


def test_a_red_flag_that_lowers_the_level_is_found() -> None:
    flag = RedFlag("a", {"yes": Level.SAME_DAY}, {})
    found = tables(
        [
            row("worse_without", Level.EMERGENCY, conditions(b="yes", a="no"), 0),
            row("flag", Level.SAME_DAY, conditions(a="yes"), 1),
        ],
        red_flags=(flag,),
        opens_when=(conditions(a="yes"),),
    )
    (failure,) = failed(found, "A red flag never lowers the level")
    assert failure.case == {"a": "yes", "b": "yes"}


def test_not_sure_may_not_be_milder_than_no() -> None:
    flag = RedFlag("a", {"yes": Level.SAME_DAY, NOT_SURE: Level.WITHIN_3_DAYS}, {})
    found = tables(
        [
            row("denied", Level.SAME_DAY, conditions(a="no", b="yes"), 0),
            row("flag", Level.SAME_DAY, conditions(a="yes"), 1),
            row("unsure", Level.WITHIN_3_DAYS, conditions(a="not_sure"), 2),
        ],
        red_flags=(flag,),
        opens_when=(conditions(a="yes not_sure"),),
    )
    assert [f.case["a"] for f in failed(found, "A red flag never lowers the level")] == [NOT_SURE]


def test_an_outcome_reached_before_the_safety_question_is_found() -> None:
    found = tables(
        [row("mild", Level.SELF_CARE, conditions(a="yes"))],
        questions=[question("a"), question("b")],
        safety_first=(SafetyFirst("b", Level.SAME_DAY, ("t",)),),
    )
    assert failed(found, "The safety question comes first")


def test_a_refusal_without_consequence_is_found() -> None:
    gate = Gate(frozenset({"self_care"}), ("b",), Level.WITHIN_3_DAYS)
    found = tables(
        [row("mild", Level.SELF_CARE, conditions(a="yes", b="no refused"))], gates=(gate,)
    )
    (failure,) = failed(found, "A refusal is acted on")
    assert failure.case == {"b": REFUSED}


def test_advice_that_contradicts_itself_is_found() -> None:
    found = tables(
        [
            row("one", Level.SELF_CARE, conditions(a="yes"), 0, outcome="go_on"),
            row("two", Level.SELF_CARE, conditions(b="yes"), 1, outcome="stop"),
        ],
        never_together=(("go_on", "stop"),),
    )
    (failure,) = failed(found, "Advice never contradicts itself")
    assert failure.case == {"a": "yes", "b": "yes"}


def test_a_wrong_example_is_found_and_shown() -> None:
    wrong = replace(
        row("a", Level.SAME_DAY, conditions(a="yes")),
        match=({"a": "no"},),
        no_match=({"a": "yes"},),
    )
    found = prove(tables([wrong])).failures
    assert {"An example matches its row", "A counter-example does not match"} <= {
        failure.name for failure in found
    }
    assert "a: no" in str(found[0])


# ---- the search itself, against enumeration


def every_case() -> list[dict[str, str]]:
    values = (*ANSWERS, UNKNOWN)
    return [
        {f: v for f, v in zip(FINDINGS, chosen, strict=True) if v != UNKNOWN}
        for chosen in product(values, repeat=len(FINDINGS))
    ]


CASES = every_case()
SPACE = Space(tables([row("a", Level.SELF_CARE, conditions(a="yes"))]))


@settings(max_examples=60, deadline=None)
@given(a_condition, st.lists(a_condition, max_size=6))
def test_the_search_agrees_with_trying_every_case(box, covers) -> None:
    def inside(case: dict[str, str], of) -> bool:
        return all(case.get(finding) in values for finding, values in of.items())

    left = [c for c in CASES if inside(c, box) and not any(inside(c, cover) for cover in covers)]
    found = SPACE.left_out(box, covers)
    assert (found is None) == (not left)
    if found is not None:
        assert found in left


@settings(max_examples=30, deadline=None)
@given(random_tables())
def test_shadowed_rows_are_those_that_decide_no_case(found) -> None:
    deciding = set()
    for case in CASES:
        matching = [row.id for row in found.rows if state(row, case) is State.MATCHED]
        deciding.update(matching[:1])
    shadowed = {f.where.split()[0] for f in failed(found, "No row is shadowed")}
    assert shadowed == {row.id for row in found.rows} - deciding


def test_values_are_all_covered_by_the_small_space() -> None:
    assert SPACE.all("a") == {*VALUES, NOT_SURE, REFUSED, UNKNOWN}
