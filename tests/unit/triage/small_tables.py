"""Small tables for tests, built without files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ebb.knowledge.triage import (
    Choice,
    Conditions,
    Entry,
    Gate,
    OutcomeContent,
    Question,
    RedFlag,
    Row,
    SafetyFirst,
    Table,
    Tables,
)
from ebb.types import NOT_SURE, REFUSED, Level

VALUES = ("no", "yes", "maybe")
FINDINGS = ("a", "b", "c", "d")
NOTHING: Mapping[str, str | None] = MappingProxyType({})


def conditions(**found: str) -> Conditions:
    """`conditions(a="yes no")` is `{a: [yes, no]}`."""
    return {finding: frozenset(values.split()) for finding, values in found.items()}


def row(
    name: str,
    level: Level,
    when: Conditions,
    place: int = 0,
    *,
    outcome: str | None = None,
    ask_if: tuple[Conditions, ...] | None = None,
    not_if: Conditions = MappingProxyType({}),
) -> Row:
    """A row of the only table."""
    return Row(
        id=f"t.{name}",
        table="t",
        level=level,
        when=when,
        not_if=not_if,
        ask_if=ask_if,
        outcome=outcome or level.value,
        reason=f"You said {name}.",
        sources=("OK",),
        match=(),
        no_match=(),
        rank=(-level.rank, 1, place),
    )


def question(finding: str, variants: Mapping[str, str | None] = NOTHING) -> Question:
    """A question with every value as a button."""
    return Question(
        finding=finding,
        ask=f"{finding}?",
        again=f"{finding}?",
        explain=finding,
        buttons=tuple(Choice(value, value) for value in VALUES),
        refusable=True,
        usual="no",
        variants=variants,
        known_from={},
    )


def outcome(name: str, level: Level) -> OutcomeContent:
    """An outcome with little to say."""
    return OutcomeContent(
        id=name,
        level=level,
        heading="Call now if:",
        fits="This fits.",
        do=("this",),
        come_back_if=("that",),
        practical=(),
        lines=(),
        sources=("OK",),
        reviewed_by=None,
        review_due=None,
    )


def tables(
    rows: Sequence[Row],
    *,
    opens_when: tuple[Conditions, ...] = (),
    questions: Sequence[Question] | None = None,
    red_flags: tuple[RedFlag, ...] = (),
    gates: tuple[Gate, ...] = (),
    safety_first: tuple[SafetyFirst, ...] = (),
    never_together: tuple[tuple[str, str], ...] = (),
    otherwise: str = "self_care",
) -> Tables:
    """One table "t" of these rows, asked in the order of the alphabet."""
    asked = list(questions) if questions is not None else [question(f) for f in FINDINGS]
    outcomes = {level.value: outcome(level.value, level) for level in Level}
    outcomes |= {r.outcome: outcome(r.outcome, r.level) for r in rows}
    needed = {finding for r in rows for finding in r.when}
    table = Table(
        id="t",
        topic="t",
        asks="What?",
        order=1,
        opens_when=opens_when,
        inputs=tuple(q.finding for q in asked if q.finding in needed),
        rows=tuple(rows),
        otherwise=otherwise,
        otherwise_reason="Nothing fits.",
        otherwise_sources=("OK",),
    )
    domain = frozenset({*VALUES, NOT_SURE, REFUSED})
    return Tables(
        tables=(table,),
        outcomes=outcomes,
        questions={q.finding: q for q in asked},
        entries={"report": Entry("report", "t", {})},
        red_flags=red_flags,
        gates=gates,
        safety_first=safety_first,
        never_together=never_together,
        start="t",
        default=otherwise,
        domain={
            **dict.fromkeys(FINDINGS, domain),
            "baby_situation": frozenset({"died", "with_me", NOT_SURE, REFUSED}),
        },
    )
