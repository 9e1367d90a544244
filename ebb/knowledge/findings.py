"""Loads knowledge/findings/: every fact Ebb knows how to hear, its values, and its wordings.

In: the folder, one file per topic, and answers.yml for what answers any question. Out: one
frozen `FindingRules`. Bad content raises `ContentError`. Patterns are kept as strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ebb.knowledge.language import Words, concepts
from ebb.knowledge.yaml_reader import ContentError, Node, Record, read_folder
from ebb.types import NOT_SURE, REFUSED

SCOPES = frozenset(
    {"negated", "other_person", "past", "hypothetical", "question", "quoted", "uncertain"}
)
COMMON = "answers.yml"
_NOTHING: Words = ()
_NO_CONCEPTS: dict[str, Words] = {}


@dataclass(frozen=True, slots=True)
class Rule:
    """Wordings for one value. `value` None: the words tell an amount, or a day since when.

    `unless` patterns must not share a clause with the hit; `somewhere` ones must, and `nowhere`
    ones must not stand anywhere in the message. `even` are scopes that do not drop a hit.
    `days_since`: a weekday counts back from today.
    """

    value: str | None
    patterns: Words
    unless: Words = ()
    negated_value: str | None = None
    uncertain: str | None = None
    even: frozenset[str] = frozenset()
    days_since: bool = False
    somewhere: Words = ()
    nowhere: Words = ()


@dataclass(frozen=True, slots=True)
class Band:
    """Amounts up to and including `to`; without it, all the rest."""

    value: str
    to: float | None


@dataclass(frozen=True, slots=True)
class Quantity:
    """How an amount becomes a value.

    `default`: the unit of a bare number, if any; `default_to`: the largest number read so.
    `larger`: which end of a range counts. `plausible`: amounts outside are not heard.
    """

    unit: str
    bands: tuple[Band, ...]
    default: str | None = None
    default_to: float | None = None
    larger: bool = True
    plausible: tuple[float, float] | None = None

    def value(self, amount: float) -> str:
        """The band of `amount`."""
        for band in self.bands:
            if band.to is None or amount <= band.to:
                return band.value
        return self.bands[-1].value


@dataclass(frozen=True, slots=True)
class Derive:
    """A value that follows from another finding: by its amount where known, else its value."""

    source: str
    bands: tuple[Band, ...]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FindingRule:
    """One finding: its closed values with how we say each back to her, and how it is heard.

    `yes` and `no` are the values that a bare yes or no means as an answer.
    """

    id: str
    about: str
    values: Mapping[str, str]
    sources: Words
    rules: tuple[Rule, ...] = ()
    answers: tuple[Rule, ...] = ()
    quantity: Quantity | None = None
    derive: Derive | None = None
    yes: str | None = None
    no: str | None = None


@dataclass(frozen=True, slots=True)
class Common:
    """What answers any question, and what takes back what was just said."""

    yes: Words
    no: Words
    not_sure: Words
    refused: Words
    correction: Words


@dataclass(frozen=True, slots=True)
class FindingRules:
    """All findings by id, in the order of the files."""

    findings: Mapping[str, FindingRule]
    common: Common
    concepts: Mapping[str, Words] = field(default_factory=dict)

    def said(self, finding: str, value: str) -> str | None:
        """How we say `value` back to her, or None where there are no words for it."""
        rule = self.findings.get(finding)
        return rule.values.get(value) if rule else None

    def allowed(self, finding: str) -> frozenset[str]:
        """Every value that `finding` may take, "not_sure" and "refused" included."""
        rule = self.findings.get(finding)
        return frozenset({*rule.values, NOT_SURE, REFUSED}) if rule else frozenset()


def load(folder: Path) -> FindingRules:
    """The findings of `folder`. Raises `ContentError`."""
    findings: dict[str, FindingRule] = {}
    local: dict[str, Words] = {}
    common: Common | None = None
    for node in read_folder(folder):
        if node.file.name == COMMON:
            common = _common(node)
            continue
        record = node.record({"findings"}, {"concepts"})
        for name, patterns in record.get("concepts", concepts, _NO_CONCEPTS).items():
            if name in local:
                raise node.error(f"concept {name!r} is defined in another file too")
            local[name] = patterns
        for item in record["findings"].items():
            rule = _finding(item)
            if rule.id in findings:
                raise item.error(f"finding {rule.id!r} is defined twice")
            findings[rule.id] = rule
    if common is None:
        raise ContentError(folder / COMMON, 1, "the file is missing")
    for rule in findings.values():
        if rule.derive:
            _check_source(folder, rule, findings)
    return FindingRules(findings, common, local)


def _check_source(folder: Path, rule: FindingRule, findings: Mapping[str, FindingRule]) -> None:
    assert rule.derive is not None
    source = findings.get(rule.derive.source)
    if source is None or source.derive is not None:
        raise ContentError(folder, 1, f"{rule.id}: cannot derive from {rule.derive.source!r}")
    if unknown := sorted(rule.derive.values.keys() - source.values.keys()):
        raise ContentError(folder, 1, f"{rule.id}: {rule.derive.source} has no value {unknown[0]}")


def _common(node: Node) -> Common:
    record = node.record({"yes", "no", "not_sure", "refused", "correction"})
    return Common(**{name: found.texts() for name, found in record.found.items()})


def _finding(node: Node) -> FindingRule:
    record = node.record(
        {"id", "about", "values", "sources"},
        {"rules", "answers", "quantity", "derive", "yes", "no"},
    )
    values = {name: said.text() for name, said in record["values"].fields().items()}
    for reserved in (NOT_SURE, REFUSED):
        if reserved in values:
            raise record["values"].error(f"{reserved!r} belongs to every finding", "remove it")
    quantity = record.get("quantity", lambda n: _quantity(n, values), None)

    def rules(part: Node) -> tuple[Rule, ...]:
        return tuple(_rule(item, values, quantity is not None) for item in part.items())

    return FindingRule(
        id=record["id"].text(),
        about=record["about"].text(),
        values=values,
        sources=record["sources"].texts(),
        rules=record.get("rules", rules, ()),
        answers=record.get("answers", rules, ()),
        quantity=quantity,
        derive=record.get("derive", lambda n: _derive(n, values), None),
        yes=record.get("yes", lambda n: _value(n, values), "yes" if "yes" in values else None),
        no=record.get("no", lambda n: _value(n, values), "no" if "no" in values else None),
    )


def _value(node: Node, values: Mapping[str, str]) -> str:
    value = node.text()
    if value not in values and value not in (NOT_SURE, REFUSED):
        raise node.error(f"{value!r} is not a value here", f"one of: {', '.join(values)}")
    return value


def _rule(node: Node, values: Mapping[str, str], counted: bool) -> Rule:
    record = node.record(
        {"patterns"},
        {
            "value",
            "amount",
            "days_since",
            "unless",
            "somewhere",
            "nowhere",
            "negated_value",
            "uncertain",
            "even",
        },
    )
    amount = record.get("amount", Node.flag, False)
    days_since = record.get("days_since", Node.flag, False)
    if sum((amount, days_since, "value" in record)) != 1:
        raise node.error("one of value, amount, days_since is expected")
    if (amount or days_since) and not counted:
        raise node.error("this finding has no quantity")
    return Rule(
        value=record.get("value", lambda n: _value(n, values), None),
        patterns=record["patterns"].texts(),
        unless=record.get("unless", Node.texts, _NOTHING),
        negated_value=record.get("negated_value", lambda n: _value(n, values), None),
        uncertain=record.get("uncertain", lambda n: _value(n, values), None),
        even=_even(record),
        days_since=days_since,
        somewhere=record.get("somewhere", Node.texts, _NOTHING),
        nowhere=record.get("nowhere", Node.texts, _NOTHING),
    )


def _even(record: Record) -> frozenset[str]:
    even = record.get("even", Node.texts, _NOTHING)
    for scope in even:
        if scope not in SCOPES:
            raise record["even"].error(f"{scope!r} is no scope", ", ".join(sorted(SCOPES)))
    return frozenset(even)


def _bands(node: Node, values: Mapping[str, str]) -> tuple[Band, ...]:
    bands: list[Band] = []
    for item in node.items():
        record = item.record({"value"}, {"to"})
        band = Band(_value(record["value"], values), record.get("to", Node.number, None))
        if bands and (
            bands[-1].to is None or (band.to is not None and band.to <= (bands[-1].to or 0))
        ):
            raise item.error("bands must rise, and only the last has no `to`")
        bands.append(band)
    if not bands or bands[-1].to is not None:
        raise node.error("the last band must have no `to`")
    return tuple(bands)


def _quantity(node: Node, values: Mapping[str, str]) -> Quantity:
    record = node.record({"unit", "bands"}, {"default", "default_to", "range", "plausible"})
    end = record.get("range", Node.text, "larger")
    if end not in ("larger", "smaller"):
        raise record["range"].error("larger or smaller is expected")
    plausible = record.get("plausible", lambda n: tuple(i.number() for i in n.items()), None)
    if plausible is not None and len(plausible) != 2:
        raise record["plausible"].error("two numbers are expected")
    return Quantity(
        unit=record["unit"].text(),
        bands=_bands(record["bands"], values),
        default=record.get("default", Node.text, None),
        default_to=record.get("default_to", Node.number, None),
        larger=end == "larger",
        plausible=(plausible[0], plausible[1]) if plausible else None,
    )


def _derive(node: Node, values: Mapping[str, str]) -> Derive:
    record = node.record({"from", "values"}, {"bands"})
    return Derive(
        source=record["from"].text(),
        bands=record.get("bands", lambda n: _bands(n, values), ()),
        values={name: _value(item, values) for name, item in record["values"].fields().items()},
    )
