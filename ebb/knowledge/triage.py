"""Loads knowledge/triage: tables, outcomes, questions, red flags and entries, checked as a whole.

Conditions map a finding to the values that satisfy it. A finding that is unknown satisfies
nothing; `not_sure` and `refused` are values like any other and must be listed to count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from ebb.knowledge.yaml_reader import ContentError, Node, read, read_folder
from ebb.types import NOT_SURE, REFUSED, Level

Conditions: TypeAlias = Mapping[str, frozenset[str]]
"""Finding id to the values that satisfy it; all entries must hold."""

Case: TypeAlias = Mapping[str, str]
"""Example findings. What is not there is unknown."""

SITUATION = "baby_situation"
"""The finding that governs every text; questions and outcomes may differ by its value."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    `when` must hold and nothing of `not_if` may. While its table is in play, the row lets
    questions be asked if `ask_if` is None or any of its conditions holds; it matches either way.
    `match` and `no_match` are example cases. `rank` orders rows: most urgent, then first listed.
    """

    id: str
    table: str
    level: Level
    when: Conditions
    not_if: Conditions
    ask_if: tuple[Conditions, ...] | None
    outcome: str
    reason: str
    sources: tuple[str, ...]
    match: tuple[Case, ...]
    no_match: tuple[Case, ...]
    rank: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Table:
    """One clinical question. `opens_when`: any one; `inputs`: what may be asked, in this order.

    Where several tables are in play, the one with the lower `order` asks first. A table that is
    `closing_below` a level plays beside every other table and asks last: once all else is settled
    and the outcome would be below that level; it `covers` findings of other tables that its one
    question lists. Tables of one `topic` are about the same concern.
    """

    id: str
    topic: str
    asks: str
    order: int
    opens_when: tuple[Conditions, ...]
    inputs: tuple[str, ...]
    rows: tuple[Row, ...]
    otherwise: str
    otherwise_reason: str
    otherwise_sources: tuple[str, ...]
    closing_below: Level | None = None
    covers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that she can tap; not offered where `not_when` has the baby's situation."""

    value: str
    title: str
    not_when: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """How one finding is asked for.

    `again` is the shorter form, `explain` says what is meant. `variants` replaces `ask` by
    situation of the baby; None there means that it is never asked then. `usual` is the answer
    assumed when estimating how many questions are left. `known_from` gives the value that
    follows from another finding: finding id to its value to ours.
    """

    finding: str
    ask: str
    again: str
    explain: str
    buttons: tuple[Choice, ...]
    refusable: bool
    usual: str
    variants: Mapping[str, str | None]
    known_from: Mapping[str, Mapping[str, str]]

    def ask_in(self, situation: str | None) -> str | None:
        """The question as put in this situation of the baby, or None: never ask then."""
        return self.variants.get(situation or "", self.ask)


@dataclass(frozen=True, slots=True)
class OutcomeContent:
    """What she reads at the end. `lines` names the kinds of help line to show with it.

    `variants` holds whole replacements by situation of the baby.
    """

    id: str
    level: Level
    heading: str
    fits: str
    do: tuple[str, ...]
    come_back_if: tuple[str, ...]
    practical: tuple[str, ...]
    lines: tuple[str, ...]
    sources: tuple[str, ...]
    reviewed_by: str | None
    review_due: str | None
    variants: Mapping[str, OutcomeContent] = field(default_factory=dict)

    def told_in(self, situation: str | None) -> OutcomeContent:
        """The words for this situation of the baby."""
        return self.variants.get(situation or "", self)


@dataclass(frozen=True, slots=True)
class Entry:
    """What an intent means for triage: the table it forces open, the findings it implies."""

    intent: str
    table: str
    findings: Case


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A finding that must be acted on: `at_least` gives, by value, the lowest level allowed.

    It holds except in cases that satisfy `unless`. Values are listed with the gravest first, unless
    they are `alternatives`: kinds of which none is graver than another.
    """

    finding: str
    at_least: Mapping[str, Level]
    unless: Conditions
    alternatives: bool = False


@dataclass(frozen=True, slots=True)
class Severity:
    """Values of a finding, the mildest first: a graver one never leads to a lower level."""

    finding: str
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """`outcomes` may be reached only when every finding of `needs` was answered or refused.

    Where one of them was refused, any outcome has at least the level `refused_at_least`.
    """

    outcomes: frozenset[str]
    needs: tuple[str, ...]
    refused_at_least: Level


@dataclass(frozen=True, slots=True)
class SafetyFirst:
    """No outcome below `below` comes from `tables` before the finding `ask` is known."""

    ask: str
    below: Level
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything in knowledge/triage.

    `start` is the table that asks where none is in play, `default` the outcome of last resort.
    `domain` holds the known values of each finding.
    """

    tables: tuple[Table, ...]
    outcomes: Mapping[str, OutcomeContent]
    questions: Mapping[str, Question]
    entries: Mapping[str, Entry]
    red_flags: tuple[RedFlag, ...]
    gates: tuple[Gate, ...]
    safety_first: tuple[SafetyFirst, ...]
    never_together: tuple[tuple[str, str], ...]
    start: str
    default: str
    domain: Mapping[str, frozenset[str]]
    severities: tuple[Severity, ...] = ()
    derived: tuple[Question, ...] = field(init=False, compare=False, repr=False)
    """The questions whose answer may follow from another finding."""
    closing: tuple[Table, ...] = field(init=False, compare=False, repr=False)
    """The tables that play beside every other and ask last."""

    openers: Mapping[str, tuple[tuple[frozenset[str], Conditions, str], ...]] = field(
        init=False, compare=False, repr=False
    )
    """By finding: which of its values open a table, the whole condition, and the table's id."""

    def __post_init__(self) -> None:
        derived = tuple(q for q in self.questions.values() if q.known_from)
        object.__setattr__(self, "derived", derived)
        closing = tuple(t for t in self.tables if t.closing_below is not None)
        object.__setattr__(self, "closing", closing)
        openers: dict[str, list[tuple[frozenset[str], Conditions, str]]] = {}
        for table in self.tables:
            for alternative in table.opens_when:
                first, values = next(iter(alternative.items()))
                openers.setdefault(first, []).append((values, alternative, table.id))
        object.__setattr__(self, "openers", {f: tuple(found) for f, found in openers.items()})

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all tables, most urgent first."""
        return tuple(
            sorted((row for table in self.tables for row in table.rows), key=lambda row: row.rank)
        )


def load(folder: Path) -> Tables:
    """The content of `folder` (knowledge/triage). Raises `ContentError` on anything unsound."""
    outcomes = _outcomes(read_folder(folder / "outcomes"))
    questions = _questions(read_folder(folder / "questions"))
    tables = _tables(read_folder(folder / "tables"), outcomes, questions)
    table_ids = frozenset(table.id for table in tables)
    safety = _sections(read_folder(folder / "safety"))
    red_flags = tuple(_red_flag(node) for node in safety["red_flags"])
    start, default, entries = _entries(read(folder / "entries.yml"), table_ids, outcomes)
    return Tables(
        tables=tables,
        outcomes=outcomes,
        questions=questions,
        entries=entries,
        red_flags=red_flags,
        gates=tuple(_gate(node, outcomes) for node in safety["gates"]),
        safety_first=tuple(
            _safety_first(node, table_ids, questions) for node in safety["safety_first"]
        ),
        never_together=tuple(_pair(node, outcomes) for node in safety["never_together"]),
        severities=tuple(_severity(node) for node in safety["severities"]),
        start=start,
        default=default,
        domain=_domain(tables, questions, entries, red_flags),
    )


_SAFETY = ("red_flags", "gates", "safety_first", "never_together", "severities")


def _sections(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """What all files of safety/ hold, by section."""
    found: dict[str, list[Node]] = {name: [] for name in _SAFETY}
    for node in nodes:
        fields = node.record(set(), set(_SAFETY))
        for name in _SAFETY:
            if name in fields:
                found[name] += fields[name].items()
    return found


# ---- tables


def _tables(
    nodes: Iterable[Node],
    outcomes: Mapping[str, OutcomeContent],
    questions: Mapping[str, Question],
) -> tuple[Table, ...]:
    found: dict[str, Table] = {}
    orders: dict[int, str] = {}
    row_ids: set[str] = set()
    for node in nodes:
        table = _table(node, outcomes, questions)
        if table.id in found:
            raise node.error(f"table {table.id!r} exists already", "rename one of them")
        if table.order in orders:
            raise node.error(
                f"order {table.order} is taken by table {orders[table.order]!r}",
                "give each table its own order",
            )
        for row in table.rows:
            if row.id in row_ids:
                raise node.error(f"row {row.id!r} exists already", "row ids are unique")
            row_ids.add(row.id)
        found[table.id] = table
        orders[table.order] = table.id
    return tuple(sorted(found.values(), key=lambda table: table.order))


def _table(
    node: Node, outcomes: Mapping[str, OutcomeContent], questions: Mapping[str, Question]
) -> Table:
    fields = node.record(
        {"table", "topic", "asks", "order", "opens_when", "inputs"}
        | {"otherwise", "otherwise_reason", "rows"},
        {"otherwise_sources", "closing_below", "covers"},
    )
    name = fields["table"].text()
    order = fields["order"].integer()
    inputs = fields["inputs"].texts()
    for finding in inputs:
        if finding not in questions:
            raise fields["inputs"].error(
                f"{finding!r} has no question", "add it to questions/, or take it out of inputs"
            )
    otherwise = _known_outcome(fields["otherwise"], outcomes)
    rows: list[Row] = []
    for place, entry in enumerate(fields["rows"].items()):
        row = _row(entry, name, order, place, outcomes)
        if not row.id.startswith(f"{name}."):
            raise entry.error(f"row id {row.id!r}", f"start it with '{name}.'")
        rows.append(row)
    if not rows:
        raise fields["rows"].error("a table needs rows")
    needed = {finding for row in rows for finding in row.when}
    for finding in inputs:
        if finding not in needed:
            raise fields["inputs"].error(f"no row needs {finding!r}", "take it out of inputs")
    return Table(
        id=name,
        topic=fields["topic"].text(),
        asks=fields["asks"].text(),
        order=order,
        opens_when=_alternatives(fields["opens_when"]),
        inputs=inputs,
        rows=tuple(rows),
        otherwise=otherwise,
        otherwise_reason=fields["otherwise_reason"].text(),
        otherwise_sources=fields.get("otherwise_sources", Node.texts, ()),
        closing_below=fields.get("closing_below", lambda node: node.one_of(Level), None),
        covers=frozenset(fields["covers"].texts() if "covers" in fields else ()),
    )


def _row(
    node: Node, table: str, order: int, place: int, outcomes: Mapping[str, OutcomeContent]
) -> Row:
    fields = node.record(
        {"id", "when", "outcome", "reason", "sources", "match", "no_match"}, {"not_if", "ask_if"}
    )
    when = _conditions(fields["when"])
    if not when:
        raise fields["when"].error("a row needs at least one condition")
    outcome = _known_outcome(fields["outcome"], outcomes)
    level = outcomes[outcome].level
    match = tuple(_case(case) for case in fields["match"].items())
    no_match = tuple(_case(case) for case in fields["no_match"].items())
    if not match or not no_match:
        raise node.error("a row needs cases that must and that must not match")
    return Row(
        id=fields["id"].text(),
        table=table,
        level=level,
        when=when,
        not_if=fields.get("not_if", _conditions, MappingProxyType({})),
        ask_if=_alternatives(fields["ask_if"]) if "ask_if" in fields else None,
        outcome=outcome,
        reason=fields["reason"].text(),
        sources=fields["sources"].texts(),
        match=match,
        no_match=no_match,
        rank=(-level.rank, order, place),
    )


def _conditions(node: Node) -> Conditions:
    found: dict[str, frozenset[str]] = {}
    for finding, values in node.fields().items():
        listed = values.texts()
        if not listed:
            raise values.error("a condition needs at least one value")
        if len(set(listed)) != len(listed):
            raise values.error("a value stands here twice")
        found[finding] = frozenset(listed)
    return MappingProxyType(found)


def _alternatives(node: Node) -> tuple[Conditions, ...]:
    return tuple(_conditions(item) for item in node.items())


def _case(node: Node) -> Case:
    return MappingProxyType({finding: value.text() for finding, value in node.fields().items()})


def _known_outcome(node: Node, outcomes: Mapping[str, OutcomeContent]) -> str:
    outcome = node.text()
    if outcome not in outcomes:
        raise node.error(f"no outcome {outcome!r}", "add it to outcomes/")
    return outcome


# ---- outcomes


_WORDS = {"heading", "fits", "do", "come_back_if"}
_CARDS_ENDING_IN_IF = (Level.SAME_DAY, Level.EMERGENCY)
_LINES = frozenset(
    {"crisis", "maternal_mental_health", "breastfeeding", "emergency", "bereavement"}
)


def _outcomes(nodes: Iterable[Node]) -> dict[str, OutcomeContent]:
    found: dict[str, OutcomeContent] = {}
    for entry in (
        entry for node in nodes for entry in node.record({"outcomes"})["outcomes"].items()
    ):
        outcome = _outcome(entry)
        if outcome.id in found:
            raise entry.error(f"there is an outcome {outcome.id!r} already")
        found[outcome.id] = outcome
    return found


def _outcome(node: Node) -> OutcomeContent:
    fields = node.record(
        {"id", "level", "sources", "reviewed_by", "review_due"} | _WORDS,
        {"practical", "lines", "when_died", "when_in_hospital", "when_not_born"},
    )
    base = OutcomeContent(
        id=fields["id"].text(),
        level=fields["level"].one_of(Level),
        heading=fields["heading"].text(),
        fits=fields["fits"].text(),
        do=fields["do"].texts(),
        come_back_if=fields["come_back_if"].texts(),
        practical=fields.get("practical", Node.texts, ()),
        lines=fields.get("lines", Node.texts, ()),
        sources=fields["sources"].texts(),
        reviewed_by=fields.get("reviewed_by", Node.text, None),
        review_due=fields.get("review_due", Node.text, None),
    )
    if unknown := sorted(set(base.lines) - _LINES):
        raise fields["lines"].error(f"no kind of help line {unknown[0]!r}", ", ".join(_LINES))
    _check_heading(fields["heading"], base)
    variants: dict[str, OutcomeContent] = {}
    for situation in _SITUATIONS:
        if (key := f"when_{situation}") in fields:
            variants[situation] = _outcome_variant(fields[key], base)
    return replace(base, variants=MappingProxyType(variants))


def _outcome_variant(node: Node, base: OutcomeContent) -> OutcomeContent:
    fields = node.record(set(), _WORDS | {"practical", "lines"})
    variant = replace(
        base,
        heading=fields.get("heading", Node.text, base.heading),
        fits=fields.get("fits", Node.text, base.fits),
        do=fields.get("do", Node.texts, base.do),
        come_back_if=fields.get("come_back_if", Node.texts, base.come_back_if),
        practical=fields.get("practical", Node.texts, base.practical),
        lines=fields.get("lines", Node.texts, base.lines),
    )
    _check_heading(node, variant)
    return variant


def _check_heading(node: Node, outcome: OutcomeContent) -> None:
    if outcome.level in _CARDS_ENDING_IN_IF and not outcome.heading.endswith("if:"):
        raise node.error(
            "the heading of an urgent or emergency card is one call to action",
            "end it with 'if:'; `do` then lists when",
        )


# ---- questions


_SITUATIONS = ("in_hospital", "died", "not_born")


def _questions(nodes: Iterable[Node]) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for entry in (e for node in nodes for e in node.record({"questions"})["questions"].items()):
        question = _question(entry)
        if question.finding in found:
            raise entry.error(f"{question.finding!r} has a question already")
        found[question.finding] = question
    return found


def _question(node: Node) -> Question:
    fields = node.record(
        {"finding", "ask", "again", "explain", "buttons", "usual"},
        {"refusable", "known_from", *(f"when_{situation}" for situation in _SITUATIONS)},
    )
    buttons = tuple(_choice(item) for item in fields["buttons"].items())
    if len({choice.value for choice in buttons}) != len(buttons):
        raise fields["buttons"].error("two buttons give the same value")
    usual = fields["usual"].text()
    if usual not in {choice.value for choice in buttons}:
        raise fields["usual"].error(f"{usual!r} is not one of the buttons")
    variants: dict[str, str | None] = {}
    for situation in _SITUATIONS:
        if (key := f"when_{situation}") in fields:
            variants[situation] = None if fields[key].is_null() else fields[key].text()
    no_source: dict[str, Case] = {}
    known_from = fields.get("known_from", _known_from, no_source)
    return Question(
        finding=fields["finding"].text(),
        ask=fields["ask"].text(),
        again=fields["again"].text(),
        explain=fields["explain"].text(),
        buttons=buttons,
        refusable=fields.get("refusable", Node.flag, False),
        usual=usual,
        variants=MappingProxyType(variants),
        known_from=MappingProxyType(known_from),
    )


def _known_from(node: Node) -> dict[str, Case]:
    return {finding: _case(values) for finding, values in node.fields().items()}


def _choice(node: Node) -> Choice:
    fields = node.record({"value", "title"}, {"not_when"})
    not_when = frozenset(fields["not_when"].texts()) if "not_when" in fields else frozenset()
    if unknown := sorted(not_when - set(_SITUATIONS)):
        raise fields["not_when"].error(f"no situation {unknown[0]!r}", ", ".join(_SITUATIONS))
    return Choice(fields["value"].text(), fields["title"].text(), not_when)


# ---- entries and safety


def _entries(
    node: Node, table_ids: frozenset[str], outcomes: Mapping[str, OutcomeContent]
) -> tuple[str, str, dict[str, Entry]]:
    document = node.record({"start", "default", "entries"})
    found: dict[str, Entry] = {}
    for intent, entry in document["entries"].fields().items():
        fields = entry.record({"table"}, {"findings"})
        found[intent] = Entry(
            intent,
            _known_table(fields["table"], table_ids),
            fields.get("findings", _case, MappingProxyType({})),
        )
    start = _known_table(document["start"], table_ids)
    return start, _known_outcome(document["default"], outcomes), found


def _known_table(node: Node, table_ids: frozenset[str]) -> str:
    table = node.text()
    if table not in table_ids:
        raise node.error(f"no table {table!r}", f"one of: {', '.join(sorted(table_ids))}")
    return table


def _severity(node: Node) -> Severity:
    fields = node.record({"finding", "order"})
    order = fields["order"].texts()
    if len(order) < 2 or len(set(order)) != len(order):
        raise fields["order"].error("an order needs two or more different values")
    return Severity(fields["finding"].text(), order)


def _red_flag(node: Node) -> RedFlag:
    fields = node.record({"finding", "at_least"}, {"unless", "alternatives"})
    at_least = {value: level.one_of(Level) for value, level in fields["at_least"].fields().items()}
    if not at_least:
        raise fields["at_least"].error("a red flag needs at least one value with a level")
    return RedFlag(
        fields["finding"].text(),
        MappingProxyType(at_least),
        fields.get("unless", _conditions, MappingProxyType({})),
        fields.get("alternatives", Node.flag, False),
    )


def _gate(node: Node, outcomes: Mapping[str, OutcomeContent]) -> Gate:
    fields = node.record({"outcomes", "needs"}, {"refused_at_least"})
    return Gate(
        frozenset(_known_outcome(item, outcomes) for item in fields["outcomes"].items()),
        fields["needs"].texts(),
        fields.get("refused_at_least", lambda level: level.one_of(Level), Level.SELF_CARE),
    )


def _safety_first(
    node: Node, table_ids: frozenset[str], questions: Mapping[str, Question]
) -> SafetyFirst:
    fields = node.record({"ask", "below", "tables"})
    ask = fields["ask"].text()
    if ask not in questions:
        raise fields["ask"].error(f"{ask!r} has no question")
    return SafetyFirst(
        ask,
        fields["below"].one_of(Level),
        tuple(_known_table(item, table_ids) for item in fields["tables"].items()),
    )


def _pair(node: Node, outcomes: Mapping[str, OutcomeContent]) -> tuple[str, str]:
    listed = [_known_outcome(item, outcomes) for item in node.items()]
    if len(listed) != 2 or listed[0] == listed[1]:
        raise node.error("two different outcomes are expected here")
    return listed[0], listed[1]


def _domain(
    tables: Iterable[Table],
    questions: Mapping[str, Question],
    entries: Mapping[str, Entry],
    red_flags: Iterable[RedFlag],
) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}

    def add(finding: str, values: Iterable[str]) -> None:
        found.setdefault(finding, set()).update(values)

    for table in tables:
        for alternative in table.opens_when:
            for finding, values in alternative.items():
                add(finding, values)
        for row in table.rows:
            for conditions in (row.when, row.not_if, *(row.ask_if or ())):
                for finding, values in conditions.items():
                    add(finding, values)
            for case in (*row.match, *row.no_match):
                for finding, value in case.items():
                    add(finding, (value,))
    add(SITUATION, _SITUATIONS)
    for question in questions.values():
        add(question.finding, (choice.value for choice in question.buttons))
        for finding, derived in question.known_from.items():
            add(finding, derived)
            add(question.finding, derived.values())
    for entry in entries.values():
        for finding, value in entry.findings.items():
            add(finding, (value,))
    for flag in red_flags:
        add(flag.finding, flag.at_least)
        for finding, values in flag.unless.items():
            add(finding, values)
    return MappingProxyType(
        {finding: frozenset(values | {NOT_SURE, REFUSED}) for finding, values in found.items()}
    )


__all__ = [
    "SITUATION",
    "Case",
    "Choice",
    "Conditions",
    "ContentError",
    "Entry",
    "Gate",
    "OutcomeContent",
    "Question",
    "RedFlag",
    "Row",
    "SafetyFirst",
    "Table",
    "Tables",
    "load",
]
