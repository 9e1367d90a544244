"""Breaks the tables at random, and tells which breaks nothing notices.

Each mutant is one small change to one row. It is caught by the cases of the rows (match, no_match,
and where they end: frozen_cases.yml) or by the proofs. A mutant that changes no outcome of any
conversation is no mistake; one that does and is not caught is printed as a survivor.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import Pool
from types import MappingProxyType

from frozen import TRIAGE, Frozen, ends, frozen

from ebb.knowledge import triage
from ebb.knowledge.triage import Conditions, Row, Tables
from ebb.triage.engine import State, move, state, understood
from ebb.triage.proofs import prove_rows
from ebb.triage.proofs.conversations import Conversations
from ebb.triage.proofs.walk import Walk, WayIn, ways_in
from ebb.types import Outcome

COUNT, SEED, PROCESSES = 200, 14, 2
Change = Callable[[Tables, Row, random.Random], Tables | None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken row: `kind` says how, `detail` what became of it."""

    kind: str
    row: str
    table: str
    detail: str
    tables: Tables


@dataclass(frozen=True, slots=True)
class Verdict:
    """What noticed a mutant: `cases`, `proofs`, `nothing changes`, or None for a survivor."""

    mutant: str
    kind: str
    table: str
    by: str | None


# ---- breaking


def with_rows(tables: Tables, table: str, rows: Sequence[Row]) -> Tables:
    """The tables with other rows in one of them."""
    return replace(
        tables,
        tables=tuple(replace(t, rows=tuple(rows)) if t.id == table else t for t in tables.tables),
    )


def _replaced(tables: Tables, row: Row, **how: object) -> Tables:
    own = next(t for t in tables.tables if t.id == row.table)
    new = replace(row, **how)  # type: ignore[arg-type]
    new = replace(new, rank=(-new.level.rank, *new.rank[1:]))
    return with_rows(tables, row.table, [new if r.id == row.id else r for r in own.rows])


def _without(conditions: Conditions, finding: str) -> Conditions:
    return MappingProxyType({f: values for f, values in conditions.items() if f != finding})


def _delete(tables: Tables, row: Row, chance: random.Random) -> Tables | None:
    own = next(t for t in tables.tables if t.id == row.table)
    return with_rows(tables, row.table, [r for r in own.rows if r.id != row.id])


def _drop_condition(tables: Tables, row: Row, chance: random.Random) -> Tables | None:
    if len(row.when) < 2:
        return None
    return _replaced(tables, row, when=_without(row.when, chance.choice(sorted(row.when))))


def _narrow(tables: Tables, row: Row, chance: random.Random) -> Tables | None:
    wide = sorted(finding for finding, values in row.when.items() if len(values) > 1)
    if not wide:
        return None
    finding = chance.choice(wide)
    lost = chance.choice(sorted(row.when[finding]))
    return _replaced(
        tables, row, when=MappingProxyType({**row.when, finding: row.when[finding] - {lost}})
    )


def _widen(tables: Tables, row: Row, chance: random.Random) -> Tables | None:
    finding = chance.choice(sorted(row.when))
    more = sorted(tables.domain[finding] - row.when[finding])
    if not more:
        return None
    added = frozenset({chance.choice(more)})
    return _replaced(
        tables, row, when=MappingProxyType({**row.when, finding: row.when[finding] | added})
    )


def _drop_not_if(tables: Tables, row: Row, chance: random.Random) -> Tables | None:
    if not row.not_if:
        return None
    return _replaced(tables, row, not_if=_without(row.not_if, chance.choice(sorted(row.not_if))))


def _lower(tables: Tables, row: Row, chance: random.Random) -> Tables | None:
    milder = sorted(o.id for o in tables.outcomes.values() if o.level.rank < row.level.rank)
    if not milder:
        return None
    outcome = chance.choice(milder)
    return _replaced(tables, row, outcome=outcome, level=tables.outcomes[outcome].level)


def _swap(tables: Tables, row: Row, chance: random.Random) -> Tables | None:
    own = next(t for t in tables.tables if t.id == row.table)
    others = [r for r in own.rows if r.outcome != row.outcome]
    if not others:
        return None
    other = chance.choice(others)
    changed = _replaced(tables, row, outcome=other.outcome, level=other.level)
    return _replaced(changed, other, outcome=row.outcome, level=row.level)


def _ask_always(tables: Tables, row: Row, chance: random.Random) -> Tables | None:
    return None if row.ask_if is None else _replaced(tables, row, ask_if=None)


KINDS: dict[str, Change] = {
    "row deleted": _delete,
    "condition dropped": _drop_condition,
    "condition narrowed": _narrow,
    "condition widened": _widen,
    "not_if dropped": _drop_not_if,
    "outcome lowered": _lower,
    "outcomes swapped": _swap,
    "ask_if removed": _ask_always,
}


def mutants(
    tables: Tables, count: int, seed: int, only: frozenset[str] | None = None
) -> Iterator[Mutant]:
    """`count` different mutants, the kinds in turn; of the tables `only`, or of all."""
    chance = random.Random(seed)
    rows = [row for row in tables.rows if only is None or row.table in only]
    seen: set[str] = set()
    made = turn = 0
    while made < count and turn < count * 50:
        kind = list(KINDS)[turn % len(KINDS)]
        turn += 1
        row = chance.choice(rows)
        broken = KINDS[kind](tables, row, chance)
        if broken is None:
            continue
        new = next((r for r in broken.rows if r.id == row.id), None)
        detail = "" if new is None else _difference(row, new)
        if f"{kind} {row.id} {detail}" in seen:
            continue
        seen.add(f"{kind} {row.id} {detail}")
        made += 1
        yield Mutant(kind, row.id, row.table, detail, broken)


def _difference(old: Row, new: Row) -> str:
    for finding in sorted({*old.when, *old.not_if}):
        for part in ("when", "not_if"):
            before, after = getattr(old, part).get(finding), getattr(new, part).get(finding)
            if before != after:
                gone = f"{part} {finding} {sorted(before or ())}"
                return f"{gone} -> {sorted(after) if after else 'anything'}"
    return "" if old.outcome == new.outcome else f"{old.outcome} -> {new.outcome}"


# ---- catching


class Catcher:
    """Judges mutants of these tables."""

    def __init__(self, tables: Tables, kept: Sequence[Frozen]) -> None:
        self._tables = tables
        self._kept = kept
        self._ways = ways_in(tables)
        self._ends: list[tuple[dict[str, str], tuple[str, ...], str]] | None = None

    def judge(self, mutant: Mutant) -> Verdict:
        """What notices `mutant`, the quickest first."""
        by: str | None = None
        if self._cases(mutant):
            by = "cases"
        elif self._proofs(mutant):
            by = "proofs"
        elif not self._changes(mutant):
            by = "nothing changes"
        return Verdict(
            f"{mutant.kind}: {mutant.row} {mutant.detail}", mutant.kind, mutant.table, by
        )

    def _cases(self, mutant: Mutant) -> bool:
        now = {row.id: row for row in mutant.tables.rows}
        for row in self._tables.rows:
            if row.table != mutant.table or row.id not in now:
                continue  # the cases of a row go with it
            for cases, wanted in ((row.match, True), (row.no_match, False)):
                for case in cases:
                    matched = state(now[row.id], understood(mutant.tables, case)) is State.MATCHED
                    if matched is not wanted:
                        return True
        topic = {t.id: t.topic for t in self._tables.tables}
        return any(
            ends(mutant.tables, one.table, one.said) != one.ends
            for one in self._kept
            if topic[one.table] == topic[mutant.table] or one.table == mutant.table
        )

    def _proofs(self, mutant: Mutant) -> bool:
        if any(proof.failures for proof in prove_rows(mutant.tables)):
            return True
        # What is wrong in the tables as they are is no mistake of the mutant.
        broken, sound = Conversations(mutant.tables), Conversations(self._tables)
        ways = [way for way in ways_in(mutant.tables) if self._concerns(way, mutant.table)]
        broken.check(ways)
        if not any(broken.failures.values()):
            return False
        sound.check([way for way in self._ways if self._concerns(way, mutant.table)])
        return any(
            len(found) > len(sound.failures.get(name, ()))
            for name, found in broken.failures.items()
        )

    def _concerns(self, way: WayIn, table: str) -> bool:
        return "baby" not in way.name.rpartition(", ")[2] and (
            table in way.in_play or way.name.startswith(f"{table} opened by")
        )

    def _changes(self, mutant: Mutant) -> bool:
        """Whether any conversation of the original tables would end in another outcome."""
        if self._ends is None:
            self._ends = []
            walk = Walk(self._tables)
            for way in self._ways:
                for visit in walk.visits(way):
                    if isinstance(visit.found, Outcome):
                        playing = tuple(t.id for t in visit.playing)
                        self._ends.append((dict(visit.known), playing, visit.found.id))
        for known, playing, outcome in self._ends:
            if mutant.table in playing:
                found = move(mutant.tables, understood(mutant.tables, known), playing)
                if isinstance(found, Outcome) and found.id != outcome:
                    return True
        return False


# ---- the command

_catcher: Catcher | None = None


def _judge(number: int) -> Verdict:
    assert _catcher is not None
    return _catcher.judge(_all[number])


_all: list[Mutant] = []


def main() -> int:
    """Judge mutants in processes of their own, and print what was caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--table", action="append", help="only mutants of this table")
    chosen = parser.parse_args()
    global _catcher
    started = time.perf_counter()
    tables = triage.load(TRIAGE)
    _catcher = Catcher(tables, frozen())
    only = frozenset(chosen.table) if chosen.table else None
    _all.extend(mutants(tables, chosen.count, chosen.seed, only))
    caught: Counter[str] = Counter()
    survivors: list[str] = []
    with Pool(PROCESSES) as pool:
        for done, verdict in enumerate(pool.imap_unordered(_judge, range(len(_all))), 1):
            caught[verdict.by or "survived"] += 1
            if verdict.by is None:
                survivors.append(verdict.mutant)
            if done % 20 == 0 or done == len(_all):
                seconds = time.perf_counter() - started
                print(f"{done} of {len(_all)} mutants, {seconds:.0f} s: {dict(caught)}", flush=True)
    print("\n".join(f"survivor: {name}" for name in sorted(survivors)))
    changing = len(_all) - caught["nothing changes"]
    print(f"{changing - len(survivors)} of {changing} mutants that change an outcome were caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
