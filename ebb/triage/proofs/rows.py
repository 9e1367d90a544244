"""Properties of the rows, over every combination of values, unknown included.

Settled exactly by splitting boxes (`ebb.triage.boxes`), without enumerating cases.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from ebb.knowledge.triage import Conditions, RedFlag, Row, Tables
from ebb.triage.boxes import UNKNOWN, Box, Space
from ebb.triage.engine import State, state, understood
from ebb.triage.proofs.report import BOXES, Failure, Proof
from ebb.types import REFUSED, Level

Openers = Mapping[str, Sequence[Conditions]]


def prove_rows(tables: Tables) -> tuple[Proof, ...]:
    """One proof for each property of the rows."""
    space = Space(tables)
    found: dict[str, Proof] = {}
    for check in (
        _examples,
        _deciding,
        _red_flags,
        _never_lower,
        _severities,
        _gates,
        _never_together,
    ):
        for name, proof in _timed(check, tables, space).items():
            found[name] = proof
    return tuple(found.values())


Check = Callable[[Tables, Space], Iterator[Failure | str]]


def _timed(check: Check, tables: Tables, space: Space) -> dict[str, Proof]:
    """Run a check, which yields the name of a property for each case that holds, or a failure."""
    started = time.perf_counter()
    cases: dict[str, int] = defaultdict(int)
    failures: dict[str, list[Failure]] = defaultdict(list)
    for one in check(tables, space):
        name = one if isinstance(one, str) else one.name
        cases[name] += 1
        if isinstance(one, Failure):
            failures[name].append(one)
    seconds = (time.perf_counter() - started) / max(1, len(cases))
    return {
        name: Proof(name, BOXES, count, seconds, tuple(failures[name]))
        for name, count in cases.items()
    }


EXAMPLES = "An example matches its row"
COUNTER = "A counter-example does not match"
CAN_MATCH = "Every row can match"
DECIDES = "No row is shadowed"
ACTED_ON = "A red flag is acted on"
NEVER_LOWER = "A red flag never lowers the level"
SEVERITY = "A graver answer never lowers the level"
GATED = "A gated outcome needs its answers"
REFUSAL = "A refusal is acted on"
TOGETHER = "Advice never contradicts itself"


def _examples(tables: Tables, _: Space) -> Iterator[Failure | str]:
    for row in tables.rows:
        for case in row.match:
            matches = state(row, understood(tables, case)) is State.MATCHED
            yield EXAMPLES if matches else Failure(EXAMPLES, f"{row.id} does not match", case)
        for case in row.no_match:
            matches = state(row, understood(tables, case)) is State.MATCHED
            yield Failure(COUNTER, f"{row.id} matches", case) if matches else COUNTER


def _deciding(tables: Tables, space: Space) -> Iterator[Failure | str]:
    """Every row can match, and can be the one that decides."""
    before: list[Row] = []
    for row in tables.rows:
        box = space.row(row)
        if space.left_out(box, []) is None:
            yield Failure(CAN_MATCH, f"{row.id} contradicts itself", {})
        elif space.left_out(box, [space.row(other) for other in before]) is None:
            case = {f: min(v) for f, v in box.items() if UNKNOWN not in v}
            ahead = [other.id for other in before if space.both(box, space.row(other))]
            yield CAN_MATCH
            yield Failure(DECIDES, f"{row.id} never decides, because of {', '.join(ahead)}", case)
        else:
            yield CAN_MATCH
            yield DECIDES
        before.append(row)


def _openers(tables: Tables) -> Openers:
    return {table.id: table.opens_when for table in tables.tables}


def _red_flags(tables: Tables, space: Space) -> Iterator[Failure | str]:
    openers = _openers(tables)
    for flag in tables.red_flags:
        for value, level in flag.at_least.items():
            covers = space.matching(_at_least(tables, level), openers)
            case = space.left_out({flag.finding: frozenset({value})}, [*covers, *_exempt(flag)])
            if case is None:
                yield ACTED_ON
            else:
                where = f"{flag.finding}: {value} does not always lead to {level.value} or above"
                yield Failure(ACTED_ON, where, case)


def _never_lower(tables: Tables, space: Space) -> Iterator[Failure | str]:
    """Unknown, or a milder value, replaced by a red flag: the level is never lower after.

    `at_least` lists the gravest value first; what it does not list is milder than all it lists.
    Of a flag whose values are `alternatives`, only what no flag of the finding lists is milder.
    """
    highest_otherwise = max(tables.outcomes[table.otherwise].level.rank for table in tables.tables)
    for flag in tables.red_flags:
        for value, level in flag.at_least.items():
            if level.rank < highest_otherwise:
                where = f"{flag.finding}: {value} may be less urgent than an unknown"
                yield Failure(NEVER_LOWER, where, {flag.finding: value})
            graver = list(flag.at_least)[: list(flag.at_least).index(value) + 1]
            if flag.alternatives:
                graver = [
                    v for f in tables.red_flags if f.finding == flag.finding for v in f.at_least
                ]
            milder = space.all(flag.finding) - frozenset(graver)
            change = _Change(flag.finding, milder, value, _exempt(flag))
            yield from _kept(tables, space, NEVER_LOWER, change)


def _severities(tables: Tables, space: Space) -> Iterator[Failure | str]:
    """A milder value replaced by a graver one: the level is never lower after."""
    for severity in tables.severities:
        for mild, grave in pairwise(severity.order):
            change = _Change(severity.finding, frozenset({mild}), grave, [])
            yield from _kept(tables, space, SEVERITY, change)


@dataclass(frozen=True, slots=True)
class _Change:
    """A finding whose value, one of `before`, becomes `after`; `exempt` are not looked at."""

    finding: str
    before: frozenset[str]
    after: str
    exempt: Sequence[Box]


def _kept(tables: Tables, space: Space, name: str, change: _Change) -> Iterator[Failure | str]:
    """Wherever a row matched before the change, one as urgent matches after it.

    That row stands in the same table, or in one that the findings open by themselves.
    """
    openers = _openers(tables)
    for row in tables.rows:
        if change.finding not in row.when and change.finding not in row.not_if:
            yield name  # the row itself matches after the change as well
            continue
        before = space.both(space.row(row), {change.finding: change.before})
        if before is None:
            continue
        after = {**before, change.finding: frozenset({change.after})}
        graver = _at_least(tables, row.level)
        covers = [space.row(other) for other in graver if other.table == row.table]
        covers += space.matching(graver, openers)
        case = space.left_out(after, [*covers, *change.exempt])
        if case is None:
            yield name
        else:
            where = f"{row.id} ({row.level.value}) is lost with {change.finding}: {change.after}"
            yield Failure(name, where, case)


def _gates(tables: Tables, space: Space) -> Iterator[Failure | str]:
    openers = _openers(tables)
    for gate in tables.gates:
        for row in tables.rows:
            if row.outcome in gate.outcomes:
                for need in gate.needs:
                    if UNKNOWN in space.row(row).get(need, space.all(need)):
                        shown = space.left_out(space.row(row), []) or {}
                        yield Failure(GATED, f"{row.id} does not need {need}", shown)
                    else:
                        yield GATED
        if gate.refused_at_least is Level.SELF_CARE:
            continue
        covers = space.matching(_at_least(tables, gate.refused_at_least), openers)
        for need in gate.needs:
            case = space.left_out({need: frozenset({REFUSED})}, covers)
            if case is None:
                yield REFUSAL
            else:
                where = f"{need}: {REFUSED} may end below {gate.refused_at_least.value}"
                yield Failure(REFUSAL, where, case)


def _never_together(tables: Tables, space: Space) -> Iterator[Failure | str]:
    by_outcome: dict[str, list[Row]] = defaultdict(list)
    for row in tables.rows:
        by_outcome[row.outcome].append(row)
    for first, second in tables.never_together:
        for one, other in product(by_outcome[first], by_outcome[second]):
            shared = space.both(space.row(one), space.row(other))
            if shared is not None and (case := space.left_out(shared, [])) is not None:
                yield Failure(TOGETHER, f"{one.id} and {other.id} match together", case)
            else:
                yield TOGETHER


def _at_least(tables: Tables, level: Level) -> list[Row]:
    return [row for row in tables.rows if row.level.rank >= level.rank]


def _exempt(flag: RedFlag) -> list[Box]:
    return [flag.unless] if flag.unless else []
