"""From findings to the next question, or to the outcome with its reasons.

A row has three states: it matched, it failed, or it is open because something it needs is
unknown. Every matching row is reported and the most urgent one decides. Pure, and without
errors: findings and values that no content knows count as unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from ebb.knowledge.triage import SITUATION, Conditions, Row, Table, Tables
from ebb.types import Findings, Level, Outcome, Step, Why


class State(Enum):
    """How a row stands, given what is known."""

    MATCHED = "matched"
    FAILED = "failed"
    OPEN = "open"


def step(
    tables: Tables, findings: Findings, in_play: Sequence[str], topic: str | None = None
) -> Step:
    """The next move, given what is known and the ids of the tables opened so far.

    Tables that the findings open by themselves are in play as well; where there is none at all,
    the table to start with is. With a `topic`, only its tables and closing ones are.
    """
    known = understood(tables, findings)
    found = move(tables, known, in_play, topic)
    if isinstance(found, Outcome):
        return Step(outcome=found)
    return Step(ask=found, remaining=_remaining(tables, known, in_play, topic, found))


def move(
    tables: Tables, known: Findings, in_play: Sequence[str], topic: str | None = None
) -> Outcome | str:
    """The outcome, or the finding to ask, for findings that were `understood`."""
    playing = playing_tables(tables, known, in_play)
    if topic is not None:
        playing = tuple(t for t in playing if t.topic == topic or t.closing_below is not None)
    if not playing:
        playing = playing_tables(tables, known, (tables.start,))
    return decide(tables, known, playing)


def tables_in_play(tables: Tables, findings: Findings) -> tuple[str, ...]:
    """The ids of the tables that the findings open, in the order in which they ask."""
    return tuple(table.id for table in playing_tables(tables, understood(tables, findings), ()))


def understood(tables: Tables, findings: Findings) -> dict[str, str]:
    """The findings that content knows, with those that follow from them."""
    known = {
        finding: value
        for finding, value in findings.items()
        if isinstance(value, str) and value in tables.domain.get(finding, ())
    }
    for question in tables.derived:
        if question.finding in known:
            continue
        for finding, derived in question.known_from.items():
            value = derived.get(known.get(finding, ""))
            if value is not None:
                known[question.finding] = value
                break
    return known


def state(row: Row, known: Findings) -> State:
    """How `row` stands."""
    for finding, values in row.not_if.items():
        if known.get(finding) in values:
            return State.FAILED
    open_ = False
    for finding, values in row.when.items():
        value = known.get(finding)
        if value is None:
            open_ = True
        elif value not in values:
            return State.FAILED
    return State.OPEN if open_ else State.MATCHED


def holds(conditions: Conditions, known: Findings) -> bool:
    """Whether every condition is satisfied by what is known."""
    for finding, values in conditions.items():  # noqa: SIM110 - a generator costs twice as much
        if known.get(finding) not in values:
            return False
    return True


def opened(tables: Tables, known: Findings) -> set[str]:
    """The ids of the tables that what is known opens by itself."""
    found: set[str] = set()
    for finding, value in known.items():
        for values, conditions, table in tables.openers.get(finding, ()):
            if value in values and (len(conditions) == 1 or holds(conditions, known)):
                found.add(table)
    return found


def playing_tables(tables: Tables, known: Findings, in_play: Sequence[str]) -> tuple[Table, ...]:
    """The tables of `in_play`, those that the findings open, and what closes beside any of them."""
    ids = opened(tables, known)
    ids.update(in_play)
    playing = tuple([table for table in tables.tables if table.id in ids])
    closing = tuple([table for table in tables.closing if table.id not in ids])
    return (*playing, *closing) if playing and closing else playing


def decide(tables: Tables, known: Findings, playing: tuple[Table, ...]) -> Outcome | str:
    """The outcome, or the finding to ask, with these tables in play."""
    matched: list[Row] = []
    open_: list[tuple[Table, Row]] = []
    for table in playing:
        for row in table.rows:
            stands = state(row, known)
            if stands is State.MATCHED:
                matched.append(row)
            elif stands is State.OPEN:
                open_.append((table, row))
    matched.sort(key=_rank)
    best = matched[0] if matched else None
    needed: list[tuple[tuple[bool, int, int, int], tuple[int, int, int], str]] = []
    for table, row in open_:
        if best is not None and (row.rank >= best.rank or row.outcome == best.outcome):
            continue
        place = _first_input(tables, table, row, known) if _may_ask(row, known) else None
        if place is not None:
            urgent = 0 if row.level is Level.EMERGENCY else 1
            key = (table.closing_below is not None, urgent, table.order, place)
            needed.append((key, row.rank, table.inputs[place]))
    if needed:
        closing, ask = min(needed)[0][0], min(needed)[2]
        if not closing or _closes(playing, best):
            return ask
    return _outcome(tables, playing, matched)


def _rank(row: Row) -> tuple[int, int, int]:
    return row.rank


def _closes(playing: tuple[Table, ...], best: Row | None) -> bool:
    """Whether the closing question is due: below its level, everything else being settled."""
    level = best.level if best is not None else Level.SELF_CARE
    return any(t.closing_below is not None and level.rank < t.closing_below.rank for t in playing)


def may_be_asked(tables: Tables, row: Row, known: Findings) -> bool:
    """Whether all that `row` misses can be asked for now."""
    table = next(table for table in tables.tables if table.id == row.table)
    return _may_ask(row, known) and _first_input(tables, table, row, known) is not None


def _may_ask(row: Row, known: Findings) -> bool:
    return row.ask_if is None or any(holds(alternative, known) for alternative in row.ask_if)


def _first_input(tables: Tables, table: Table, row: Row, known: Findings) -> int | None:
    """Place in `inputs` of the first finding to ask for this row; None if it can not be settled.

    A row that needs something that may not be asked now stays open, and asks for nothing.
    """
    first: int | None = None
    for finding in row.when:
        if finding in known:
            continue
        question = tables.questions.get(finding)
        if question is None or finding not in table.inputs:
            return None
        if question.ask_in(known.get(SITUATION)) is None:
            return None
        place = table.inputs.index(finding)
        first = place if first is None else min(first, place)
    return first


def _outcome(tables: Tables, playing: tuple[Table, ...], matched: list[Row]) -> Outcome:
    if matched:
        best = matched[0]
        why = tuple(Why(row.id, row.reason, row.sources) for row in matched)
        return Outcome(best.outcome, best.level, why)
    if playing:
        own = [table for table in playing if table.closing_below is None] or playing
        table = min(
            own, key=lambda table: (-tables.outcomes[table.otherwise].level.rank, table.order)
        )
        content = tables.outcomes[table.otherwise]
        reason = Why(f"{table.id}.otherwise", table.otherwise_reason, table.otherwise_sources)
        return Outcome(content.id, content.level, (reason,))
    content = tables.outcomes[tables.default]
    return Outcome(content.id, content.level, ())


def _remaining(
    tables: Tables, known: Findings, in_play: Sequence[str], topic: str | None, ask: str
) -> int:
    """How many questions are left if every answer is the usual one, `ask` included."""
    supposed = dict(known)
    count = 0
    found: Outcome | str = ask
    while isinstance(found, str):
        count += 1
        supposed[found] = tables.questions[found].usual
        supposed = understood(tables, supposed)
        found = move(tables, supposed, in_play, topic)
    return count
