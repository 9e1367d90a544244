"""What of a state can still make a difference; states with the same rest are one.

Known findings never change on the way, so a condition that they satisfy or break is settled. What
is left of a row is what it still misses; of all rows that matched for good, only the best one
counts. Beside that, everything a property looks at is kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeAlias

from ebb.knowledge.triage import SITUATION, Conditions, Row, Table, Tables

Residual: TypeAlias = Hashable
Findings: TypeAlias = Mapping[str, str]
_Rank: TypeAlias = tuple[int, int, int]
_Rows: TypeAlias = tuple[_Rank | None, list[Hashable], list[tuple[_Rank, Hashable]]]
"""Of one table: the best row that matched for good, those that may fail yet, those still open."""


class Residues:
    """Residuals of states of these tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._asked = frozenset(rule.ask for rule in tables.safety_first) | frozenset(
            need for gate in tables.gates for need in gate.needs
        )
        flags = {flag.finding for flag in tables.red_flags}
        flags |= {finding for flag in tables.red_flags for finding in flag.unless or ()}
        derived = {
            finding for question in tables.questions.values() for finding in question.known_from
        }
        self._values = sorted(flags | derived | {SITUATION})
        self._needs = {
            table.id: _findings(
                conditions
                for row in table.rows
                for conditions in (row.when, row.not_if, *(row.ask_if or ()))
            )
            for table in tables.tables
        }
        self._opens = {table.id: _findings(table.opens_when) for table in tables.tables}
        self._seen: dict[Hashable, _Rows] = {}
        self._openings: dict[Hashable, Hashable] = {}

    def of(self, known: Findings, playing: Sequence[Table]) -> Residual:
        """The residual of a state with these tables in play."""
        best: tuple[int, int, int] | None = None
        shaky: list[Hashable] = []
        open_: list[tuple[tuple[int, int, int], Hashable]] = []
        for table in playing:
            first, may_fail, missing = self._rows(table, known)
            if first is not None and (best is None or first < best):
                best = first
            shaky += may_fail
            open_ += missing
        rest = tuple([entry for rank, entry in open_ if best is None or rank < best])
        ids = {table.id for table in playing}
        return (
            best,
            tuple(shaky),
            rest,
            tuple([table.id for table in playing]),
            tuple([self._opening(t, known) for t in self._tables.tables if t.id not in ids]),
            tuple([known.get(finding) for finding in self._values]),
            tuple([finding for finding in self._asked if finding in known]),
        )

    def _rows(self, table: Table, known: Findings) -> _Rows:
        """The rows of one table, which depend on few findings: remembered by those."""
        key = (table.id, tuple([known.get(finding) for finding in self._needs[table.id]]))
        if key not in self._seen:
            self._seen[key] = _rows(table, known)
        return self._seen[key]

    def _opening(self, table: Table, known: Findings) -> Hashable:
        """What would still open a table, remembered by the findings that it depends on."""
        key = (table.id, tuple([known.get(finding) for finding in self._opens[table.id]]))
        if key not in self._openings:
            self._openings[key] = (table.id, _alternatives(table.opens_when, known))
        return self._openings[key]


def _rows(table: Table, known: Findings) -> _Rows:
    best: tuple[int, int, int] | None = None
    shaky: list[Hashable] = []
    open_: list[tuple[tuple[int, int, int], Hashable]] = []
    for row in table.rows:
        missing = _missing(row.when, known)
        if missing is None or any(known.get(f) in values for f, values in row.not_if.items()):
            continue
        may_fail = tuple(f for f in row.not_if if f not in known)
        if missing:
            open_.append((row.rank, (row.id, missing, may_fail, _asking(row, known))))
        elif may_fail:
            shaky.append((row.id, may_fail))
        elif best is None or row.rank < best:
            best = row.rank
    return best, shaky, open_


def _findings(conditions: Iterable[Conditions]) -> tuple[str, ...]:
    return tuple(sorted({finding for condition in conditions for finding in condition}))


def _missing(conditions: Conditions, known: Findings) -> tuple[str, ...] | None:
    """The findings that conditions still miss; None where they are broken for good."""
    missing = []
    for finding, values in conditions.items():
        value = known.get(finding)
        if value is None:
            missing.append(finding)
        elif value not in values:
            return None
    return tuple(missing)


def _alternatives(alternatives: Iterable[Conditions], known: Findings) -> Hashable:
    """What each alternative that can still hold misses; True where one holds."""
    found = []
    for place, conditions in enumerate(alternatives):
        missing = _missing(conditions, known)
        if missing == ():
            return True
        if missing is not None:
            found.append((place, missing))
    return tuple(found)


def _asking(row: Row, known: Findings) -> Hashable:
    return None if row.ask_if is None else _alternatives(row.ask_if, known)
