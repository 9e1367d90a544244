"""Searches the whole answer space of the triage tables for a case that breaks a safety property.

Two exact searches. Properties of the rows are settled over every combination of values, unknown
included, by splitting boxes (`boxes.py`). Properties of the conversation are settled by walking
every sequence of questions and answers from every way in, where answers that no condition tells
apart count as one, and states reached in several ways are visited once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ebb.knowledge.triage import SITUATION, Case, Conditions, RedFlag, Row, Tables
from ebb.triage.boxes import UNKNOWN, Space
from ebb.triage.engine import State, decide, move, playing_tables, state, understood
from ebb.types import REFUSED, Level, Outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """A property that does not hold, where, and a case that shows it."""

    property: str
    where: str
    case: Mapping[str, str]

    def __str__(self) -> str:
        shown = ", ".join(f"{finding}: {value}" for finding, value in self.case.items())
        return f"{self.property}: {self.where}. Case: {{{shown}}}"


def prove(tables: Tables) -> list[Failure]:
    """Every failed proof, with a counter-example each; empty if all properties hold."""
    return [*prove_rows(tables), *prove_conversations(tables)]


# ---- rows


def prove_rows(tables: Tables) -> Iterator[Failure]:
    """What fails of the rows, over every combination of values."""
    space = Space(tables)
    yield from _examples(tables)
    yield from _deciding(tables, space)
    yield from _red_flags(tables, space)
    yield from _never_lower(tables, space)
    yield from _gates(tables, space)
    yield from _never_together(tables, space)


def _examples(tables: Tables) -> Iterator[Failure]:
    for row in tables.rows:
        for case in row.match:
            if state(row, understood(tables, case)) is not State.MATCHED:
                yield Failure("An example matches its row", f"{row.id} does not match", case)
        for case in row.no_match:
            if state(row, understood(tables, case)) is State.MATCHED:
                yield Failure("A counter-example does not match", f"{row.id} matches", case)


def _deciding(tables: Tables, space: Space) -> Iterator[Failure]:
    """Every row can match, and can be the one that decides."""
    before: list[Row] = []
    for row in tables.rows:
        box = space.row(row)
        if space.left_out(box, []) is None:
            yield Failure("Every row can match", f"{row.id} contradicts itself", {})
        elif space.left_out(box, [space.row(other) for other in before]) is None:
            case = {f: min(v) for f, v in box.items() if UNKNOWN not in v}
            ahead = [other.id for other in before if space.both(box, space.row(other))]
            where = f"{row.id} never decides, because of {', '.join(ahead)}"
            yield Failure("No row is shadowed", where, case)
        before.append(row)


def _red_flags(tables: Tables, space: Space) -> Iterator[Failure]:
    openers = {table.id: table.opens_when for table in tables.tables}
    for flag in tables.red_flags:
        for value, level in flag.at_least.items():
            covers = space.matching(_at_least(tables, level), openers)
            case = space.left_out({flag.finding: frozenset({value})}, [*covers, *_exempt(flag)])
            if case is not None:
                where = f"{flag.finding}: {value} does not always lead to {level.value} or above"
                yield Failure("A red flag is acted on", where, case)


def _never_lower(tables: Tables, space: Space) -> Iterator[Failure]:
    """Unknown, or a milder value, replaced by a red flag: the level is never lower after.

    `at_least` lists the gravest value first; what it does not list is milder than all it lists.
    """
    highest_otherwise = max(tables.outcomes[table.otherwise].level.rank for table in tables.tables)
    for flag in tables.red_flags:
        for value, level in flag.at_least.items():
            if level.rank < highest_otherwise:
                where = f"{flag.finding}: {value} may be less urgent than an unknown"
                yield Failure("A red flag never lowers the level", where, {flag.finding: value})
            graver = list(flag.at_least)[: list(flag.at_least).index(value) + 1]
            milder = space.all(flag.finding) - frozenset(graver)
            for row in tables.rows:
                before = space.both(space.row(row), {flag.finding: milder})
                if before is None:
                    continue
                after = {**before, flag.finding: frozenset({value})}
                covers = [space.row(other) for other in _at_least(tables, row.level)]
                case = space.left_out(after, [*covers, *_exempt(flag)])
                if case is not None:
                    where = f"{row.id} ({row.level.value}) is lost with {flag.finding}: {value}"
                    yield Failure("A red flag never lowers the level", where, case)


def _gates(tables: Tables, space: Space) -> Iterator[Failure]:
    openers = {table.id: table.opens_when for table in tables.tables}
    for gate in tables.gates:
        for row in tables.rows:
            if row.outcome in gate.outcomes:
                for need in gate.needs:
                    if UNKNOWN in space.row(row).get(need, space.all(need)):
                        where = f"{row.id} does not need {need}"
                        shown = space.left_out(space.row(row), []) or {}
                        yield Failure("A gated outcome needs its answers", where, shown)
        covers = space.matching(_at_least(tables, gate.refused_at_least), openers)
        for need in gate.needs:
            if gate.refused_at_least is Level.SELF_CARE:
                continue
            case = space.left_out({need: frozenset({REFUSED})}, covers)
            if case is not None:
                where = f"{need}: {REFUSED} may end below {gate.refused_at_least.value}"
                yield Failure("A refusal is acted on", where, case)


def _never_together(tables: Tables, space: Space) -> Iterator[Failure]:
    by_outcome: dict[str, list[Row]] = defaultdict(list)
    for row in tables.rows:
        by_outcome[row.outcome].append(row)
    for first, second in tables.never_together:
        for one, other in product(by_outcome[first], by_outcome[second]):
            shared = space.both(space.row(one), space.row(other))
            if shared is not None and (case := space.left_out(shared, [])) is not None:
                where = f"{one.id} and {other.id} match together"
                yield Failure("Advice never contradicts itself", where, case)


def _at_least(tables: Tables, level: Level) -> list[Row]:
    return [row for row in tables.rows if row.level.rank >= level.rank]


def _exempt(flag: RedFlag) -> list[Conditions]:
    return [flag.unless] if flag.unless else []


# ---- conversations


Known = frozenset[tuple[str, str]]
Start = tuple[str, tuple[str, ...], dict[str, str]]


def prove_conversations(tables: Tables) -> Iterator[Failure]:
    """What fails of the conversations, over every way in and every sequence of answers."""
    answers = _classes(tables)
    seen: set[tuple[Known, bool, tuple[str, ...]]] = set()
    ended: set[str] = set()
    for name, in_play, said in ways_in(tables):
        stack = [understood(tables, said)]
        while stack:
            known = stack.pop()
            playing = playing_tables(tables, known, in_play)
            if not playing:
                playing = playing_tables(tables, known, (tables.start,))
            key = (frozenset(known.items()), not in_play, tuple(table.id for table in playing))
            if key in seen:
                continue
            seen.add(key)
            found = decide(tables, known, playing)
            if isinstance(found, Outcome):
                ended.add(found.id)
                yield from _ending(tables, name, known, in_play, found)
                continue
            problem = _question(tables, known, found)
            if problem:
                yield Failure("Every question can be asked, and only once", problem, known)
                continue
            stack.extend(understood(tables, {**known, found: value}) for value in answers[found])
    for outcome in sorted({row.outcome for row in tables.rows} - ended):
        yield Failure("Every outcome is reached", f"no conversation ends in {outcome}", {})


def _question(tables: Tables, known: Mapping[str, str], ask: str) -> str | None:
    if ask in known:
        return f"{ask} is asked although it is known"
    question = tables.questions.get(ask)
    if question is None or question.ask_in(known.get(SITUATION)) is None:
        return f"{ask} is asked although it must not be"
    return None


def _ending(
    tables: Tables, name: str, known: Mapping[str, str], in_play: Sequence[str], outcome: Outcome
) -> Iterator[Failure]:
    if outcome.id not in tables.outcomes:
        yield Failure("Every conversation ends in an outcome", f"{name}: {outcome.id}", known)
    playing = {table.id for table in playing_tables(tables, known, in_play)}
    for rule in tables.safety_first:
        own = playing.intersection(rule.tables) and any(
            why.row.partition(".")[0] in rule.tables for why in outcome.why
        )
        if own and outcome.level.rank < rule.below.rank and rule.ask not in known:
            where = f"{name} ends in {outcome.id} without {rule.ask}"
            yield Failure("The safety question comes first", where, known)
    for gate in tables.gates:
        if outcome.id in gate.outcomes and (missing := [n for n in gate.needs if n not in known]):
            where = f"{name} ends in {outcome.id} without {', '.join(missing)}"
            yield Failure("A gated outcome needs its answers", where, known)
    for flag in tables.red_flags:
        least = flag.at_least.get(known.get(flag.finding, ""))
        exempt = flag.unless and all(known.get(f) in v for f, v in flag.unless.items())
        if least is not None and outcome.level.rank < least.rank and not exempt:
            where = f"{name} ends in {outcome.id} despite {flag.finding}"
            yield Failure("A red flag is acted on", where, known)


def ways_in(tables: Tables) -> Iterator[Start]:
    """How a conversation can start: name, tables forced open, findings already said.

    Nothing said at all; each intent; each condition that opens a table; each of these again for
    every situation of the baby that some text or row tells apart. Of values that no condition
    tells apart, one is taken.
    """
    classes = _classes(tables)
    starts: list[Start] = [("nothing said", (), {})]
    for entry in tables.entries.values():
        starts.append((entry.intent, (entry.table,), dict(entry.findings)))
    for table in tables.tables:
        for opener in table.opens_when:
            allowed = ([v for v in classes[f] if v in values] for f, values in opener.items())
            for values in product(*allowed):
                said = dict(zip(opener, values, strict=True))
                starts.append((f"{table.id} opened by {said}", (), said))
    for name, in_play, said in starts:
        yield name, in_play, said
        for situation in classes.get(SITUATION, ()):
            if SITUATION not in said:
                yield f"{name}, baby {situation}", in_play, {**said, SITUATION: situation}


def _classes(tables: Tables) -> dict[str, list[str]]:
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
        classes: dict[tuple[bool, ...], str] = {}
        for value in sorted(tables.domain[finding]):
            classes.setdefault(tuple(value in set_ for set_ in told_apart[finding]), value)
        found[finding] = list(classes.values())
    return found


# ---- figures


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
