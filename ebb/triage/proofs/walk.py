"""Every conversation that the tables allow, each state visited once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from ebb.knowledge.triage import SITUATION, Case, Conditions, Table, Tables
from ebb.triage.engine import decide, move, playing_tables, understood
from ebb.triage.proofs.residual import Residual, Residues
from ebb.types import Outcome

Known = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class WayIn:
    """How a conversation can start: tables forced open, and findings already said."""

    name: str
    in_play: tuple[str, ...]
    said: Case


@dataclass(frozen=True, slots=True)
class Visit:
    """A state of a conversation: what is known, which tables play, and what comes next."""

    way_in: WayIn
    known: Mapping[str, str]
    playing: tuple[Table, ...]
    found: Outcome | str


class Walk:
    """Visits states in the depth; `longest` fills up as it goes.

    States that can not differ in anything to come, nor in any property, are visited once; see
    `ebb.triage.proofs.residual`.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.answers = classes(tables)
        self.longest: dict[Residual, int] = {}
        self._residues = Residues(tables)

    def visits(self, way_in: WayIn) -> Iterator[Visit]:
        """All states that were not visited before, a state before those that follow from it."""
        yield from self._visit(way_in, understood(self.tables, way_in.said))

    def questions(self, way_in: WayIn) -> int:
        """The most questions after this way in, once it was walked."""
        known = understood(self.tables, way_in.said)
        return self.longest[self._residues.of(known, self._playing(way_in, known))]

    def _playing(self, way_in: WayIn, known: Mapping[str, str]) -> tuple[Table, ...]:
        playing = playing_tables(self.tables, known, way_in.in_play)
        return playing or playing_tables(self.tables, known, (self.tables.start,))

    def _visit(self, way_in: WayIn, known: dict[str, str]) -> Generator[Visit, None, int]:
        playing = self._playing(way_in, known)
        key = self._residues.of(known, playing)
        if key in self.longest:
            return self.longest[key]
        found = decide(self.tables, known, playing)
        self.longest[key] = 0
        yield Visit(way_in, known, playing, found)
        if isinstance(found, Outcome) or found in known:
            return 0
        most = 0
        for value in self.answers[found]:
            then = understood(self.tables, {**known, found: value})
            most = max(most, (yield from self._visit(way_in, then)))
        self.longest[key] = most + 1
        return most + 1


def ways_in(tables: Tables) -> list[WayIn]:
    """Nothing said at all; each intent; each condition that opens a table; each example of a row.

    Each of these again for every situation of the baby that some text or row tells apart. Of
    values that no condition tells apart, one is taken.
    """
    told_apart = classes(tables)
    starts = [WayIn("nothing said", (), {})]
    for entry in tables.entries.values():
        starts.append(WayIn(entry.intent, (entry.table,), dict(entry.findings)))
    for table in tables.tables:
        for opener in table.opens_when:
            allowed = ([v for v in told_apart[f] if v in values] for f, values in opener.items())
            for values in product(*allowed):
                said = dict(zip(opener, values, strict=True))
                starts.append(WayIn(f"{table.id} opened by {said}", (), said))
    for row in tables.rows:
        starts += [WayIn(f"{row.id} told at once", (row.table,), dict(case)) for case in row.match]
    found: list[WayIn] = []
    for start in starts:
        found.append(start)
        if SITUATION not in start.said:
            for situation in told_apart.get(SITUATION, ()):
                said = {**start.said, SITUATION: situation}
                found.append(WayIn(f"{start.name}, baby {situation}", start.in_play, said))
    return found


def classes(tables: Tables) -> dict[str, list[str]]:
    """For each finding one value of every set of values that no condition tells apart."""
    told_apart: dict[str, list[frozenset[str]]] = defaultdict(list)

    def add(conditions: Conditions) -> None:
        for finding, values in conditions.items():
            told_apart[finding].append(values)

    for table in tables.tables:
        for opener in table.opens_when:
            add(opener)
        for row in table.rows:
            for conditions in (row.when, row.not_if, *(row.ask_if or ())):
                add(conditions)
    for question in tables.questions.values():
        for finding, derived in question.known_from.items():
            for value in derived:
                told_apart[finding].append(frozenset({value}))
        for situation in question.variants:
            told_apart[SITUATION].append(frozenset({situation}))
    for flag in tables.red_flags:
        for value in flag.at_least:
            told_apart[flag.finding].append(frozenset({value}))
    found: dict[str, list[str]] = {}
    for finding in tables.domain:
        apart: dict[tuple[bool, ...], str] = {}
        for value in sorted(tables.domain[finding]):
            apart.setdefault(tuple(value in set_ for set_ in told_apart[finding]), value)
        found[finding] = list(apart.values())
    return found


def lengths(tables: Tables, intent: str, answers: Case) -> dict[int, float]:
    """How many questions a conversation takes that starts with `intent`: number to share.

    Questions of `answers` get that answer; of others every button counts as equally likely.
    """
    entry = tables.entries[intent]
    known_to: dict[Known, dict[int, float]] = {}

    def ahead(known: dict[str, str]) -> dict[int, float]:
        key = frozenset(known.items())
        if key not in known_to:
            shares: dict[int, float] = defaultdict(float)
            found = move(tables, known, (entry.table,))
            if isinstance(found, Outcome):
                shares[0] = 1.0
            else:
                values = [choice.value for choice in tables.questions[found].buttons]
                if found in answers:
                    values = [answers[found]]
                for value in values:
                    then = understood(tables, {**known, found: value})
                    for count, share in ahead(then).items():
                        shares[count + 1] += share / len(values)
            known_to[key] = shares
        return known_to[key]

    return dict(sorted(ahead(understood(tables, entry.findings)).items()))


def plausible_lengths(tables: Tables) -> dict[str, dict[int, float]]:
    """By intent, how many questions plausible conversations take: number to share.

    Plausible means: she comes with no more than what the intent says, no danger sign is there
    (which would end it early and flatter the figure), and every other button is equally likely.
    """
    flagged: dict[str, set[str]] = defaultdict(set)
    for flag in tables.red_flags:
        flagged[flag.finding] |= set(flag.at_least)
    answers: dict[str, str] = {}
    for finding, values in flagged.items():
        question = tables.questions.get(finding)
        calm = [c.value for c in question.buttons if c.value not in values] if question else []
        if len(calm) == 1:
            answers[finding] = calm[0]
    return {intent: lengths(tables, intent, answers) for intent in tables.entries}
