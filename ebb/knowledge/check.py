"""Finds mistakes in the content that no single loader can see, with file and line.

`ebb knowledge check` prints what is found here. Errors fail; warnings tell of what people still
have to do (sign-offs, calls to help lines). With `release`, those fail as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import yaml

from ebb.knowledge import (
    conversation,
    crisis,
    diary,
    findings,
    helplines,
    language,
    replies,
    screeners,
    service,
    sources,
    triage,
)
from ebb.knowledge.places import PROJECT
from ebb.knowledge.yaml_reader import ContentError, Node, read, read_folder
from ebb.types import NOT_SURE, REFUSED

LONGEST_SENTENCE = 20
"""Words in one sentence of a text that she reads."""
CHECK_EVERY = timedelta(days=90)
"""How old the check of a help line may be."""
NOT_READ = frozenset(
    {"about", "note", "notes", "patterns", "rules", "match", "no_match", "when", "not_if",
     "skip", "stop", "yes", "no", "ago", "clock",
     "sources", "id", "payload", "metadata", "condition", "never", "phrases", "asks", "kind",
     "conversation_start", "intents", "entities", "slots", "actions", "session_config"}
)  # fmt: skip
"""Keys under which nothing stands that she reads."""
UNCHECKED = "this help line was not checked"
OLD = f"checked more than {CHECK_EVERY.days} days ago"
UNSIGNED = "not signed off by a clinician"
OVERDUE = "the review date is past"
PHONE = re.compile(r"(?<![\w.])\+?\d[\d ()-]{5,}\d(?!\w)")
SHORT = re.compile(r"(?<![\w.-])\d{3,4}(?![\w.-])")
"""Digits that may be a short number, such as that of an emergency service."""
NUMBERS_ALLOWED = frozenset({"sources.yml", "service.yml"})
RENDERED = frozenset(
    {"utter_crisis", "utter_human", "utter_menu", "utter_country", "utter_default"}
)
"""Responses that are rendered from knowledge/ or predicted without a rule."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or (`fails` false) that people still have to do."""

    file: str
    line: int
    reason: str
    hint: str = ""
    fails: bool = True

    def __str__(self) -> str:
        kind = "error" if self.fails else "warning"
        hint = f" Hint: {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}: {kind}: {self.reason}.{hint}"


def check(
    root: Path = PROJECT, *, release: bool = False, today: date | None = None
) -> list[Problem]:
    """All problems of the content below `root`: knowledge/, domain.yml and data/."""
    folder = root / "knowledge"
    found = list(_loading(folder))
    if any(problem.fails for problem in found):
        return _placed(found, root)
    domain = read(root / "domain.yml")
    found += _triage(folder)
    found += _sources(folder, domain)
    found += _phones(folder, domain)
    found += _sentences(folder, domain)
    found += _duplicate_ids(folder)
    found += _unreachable(root, domain)
    now = today or datetime.now(timezone.utc).date()
    unsigned = [
        *_sign_offs(folder, domain, now),
        *_lines(folder, now),
    ]
    found += [replace(problem, fails=release) for problem in unsigned]
    return _placed(found, root)


def _placed(found: Iterable[Problem], root: Path) -> list[Problem]:
    def inside(file: str) -> str:
        return str(Path(file).relative_to(root)) if Path(file).is_relative_to(root) else file

    unique = {replace(problem, file=inside(problem.file)) for problem in found}
    return sorted(unique, key=lambda p: (not p.fails, p.file, p.line, p.reason))


# ---- loading


def _loading(folder: Path) -> Iterator[Problem]:
    loaders: dict[str, Callable[[Path], object]] = {
        "language": language.load,
        "crisis": crisis.load,
        "findings": findings.load,
        "triage": triage.load,
        "replies": replies.load,
        "helplines": helplines.load,
        "service.yml": service.load,
        "sources.yml": sources.load,
        "conversation.yml": conversation.load,
        "screeners": screeners.load,
        "diary.yml": diary.load,
    }
    for name, load in loaders.items():
        try:
            load(folder / name)
        except ContentError as error:
            yield Problem(error.file, error.line, error.reason, error.hint)
        except FileNotFoundError:
            yield Problem(str(folder / name), 1, "the file is missing")


# ---- triage against findings


def _triage(folder: Path) -> Iterator[Problem]:
    known = {
        name: frozenset(rule.values) | {NOT_SURE, REFUSED}
        for name, rule in findings.load(folder / "findings").findings.items()
    }
    for document in read_folder(folder / "triage"):
        for node, key in _walk(document):
            if key in ("when", "not_if", "unless") or key.startswith(
                ("match[", "no_match[", "opens_when[", "ask_if[")
            ):
                yield from _conditions(node, known)
            elif (
                key == "finding"
                and isinstance(node.raw, yaml.ScalarNode)
                and node.text() not in known
            ):
                yield _unknown(node, node.text(), known)
    tables = triage.load(folder / "triage")
    for question in tables.questions.values():
        for button in question.buttons:
            if question.finding in known and button.value not in known[question.finding]:
                file, place = _find(folder / "triage" / "questions", button.value)
                yield Problem(
                    str(file),
                    place,
                    f"{question.finding} has no value {button.value!r}",
                    f"one of: {', '.join(sorted(known[question.finding]))}",
                )


def _conditions(node: Node, known: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    if not isinstance(node.raw, yaml.MappingNode):
        return
    for name, values in node.fields().items():
        if name not in known:
            yield _unknown(values, name, known)
            continue
        for value in values.texts():
            if value not in known[name]:
                yield _problem(
                    values,
                    f"{name} has no value {value!r}",
                    f"one of: {', '.join(sorted(known[name]))}",
                )


def _unknown(node: Node, name: str, known: Iterable[str]) -> Problem:
    return _problem(node, f"unknown finding {name!r}", f"one of: {', '.join(sorted(known))}")


# ---- sources


def _sources(folder: Path, domain: Node) -> Iterator[Problem]:
    known = {source.id for source in sources.load(folder / "sources.yml")}
    documents = [d for d in _documents(folder) if d.file.name != "sources.yml"]
    for document in [*documents, domain]:
        for node, key in _walk(document):
            if key != "sources" or isinstance(node.raw, yaml.MappingNode):
                continue
            tags = node.texts()
            if not tags:
                yield _problem(node, "no source is given", "name at least one tag of sources.yml")
            for tag in tags:
                if tag not in known:
                    yield _problem(
                        node, f"unknown source {tag!r}", "add it to knowledge/sources.yml"
                    )
    for name, variation in _responses(domain):
        if (
            "metadata" not in variation.fields()
            or "sources" not in variation.fields()["metadata"].fields()
        ):
            yield _problem(variation, f"{name} names no sources", "metadata: {sources: [...]}")


# ---- words


def _phones(folder: Path, domain: Node) -> Iterator[Problem]:
    lines = helplines.load(folder / "helplines")
    short = {line.tel for country in lines.countries.values() for line in country.lines if line.tel}
    for document in [*_documents(folder), domain]:
        if document.file.parent.name == "helplines" or document.file.name in NUMBERS_ALLOWED:
            continue
        for node, text in _texts(document):
            found = [n for n in PHONE.findall(text) if 7 <= len(re.sub(r"\D", "", n)) <= 15]
            found += [n for n in SHORT.findall(text) if n in short]
            for number in found[:1]:
                yield _problem(
                    node,
                    f"a phone number outside the help-line records: {number!r}",
                    "numbers stand in knowledge/helplines/ only",
                )


def _sentences(folder: Path, domain: Node) -> Iterator[Problem]:
    read_by_her = [*read_folder(folder / "replies"), *read_folder(folder / "triage"), domain]
    read_by_her += [*read_folder(folder / "screeners"), read(folder / "diary.yml")]
    for document in read_by_her:
        for node, text in _texts(document):
            for sentence in re.split(r"(?<=[.!?:])\s+|\n", text):
                words = len(sentence.split())
                if words > LONGEST_SENTENCE:
                    yield _problem(
                        node,
                        f"a sentence of {words} words: {sentence[:60]!r} ...",
                        f"at most {LONGEST_SENTENCE} words",
                    )


def _texts(document: Node) -> Iterator[tuple[Node, str]]:
    """Everything below `document` that she may read."""
    for node, key in _walk(document, skip=NOT_READ):
        if isinstance(node.raw, yaml.ScalarNode) and key.partition("[")[0] not in NOT_READ:
            text = node.raw.value
            if isinstance(text, str) and " " in text.strip():
                yield node, text


# ---- ids and reach


def _duplicate_ids(folder: Path) -> Iterator[Problem]:
    for part in ("crisis", "findings", "helplines", "replies"):
        seen: dict[tuple[str, str], Node] = {}
        for document in read_folder(folder / part):
            for node, key in _walk(document):
                if key != "id" or not isinstance(node.raw, yaml.ScalarNode):
                    continue
                list_path = re.sub(r"\[\d+\]\.id$", "", node.path)
                first = seen.setdefault((list_path, node.text()), node)
                if first is not node:
                    yield _problem(
                        node,
                        f"the id {node.text()!r} is used twice",
                        f"first in {first.file.name}:{first.line}",
                    )


def _unreachable(root: Path, domain: Node) -> Iterator[Problem]:
    used = set(RENDERED)
    for file in sorted((root / "data").rglob("*.yml")):
        for line in file.read_text(encoding="utf-8").splitlines():
            match = re.match(r"\s*- action: (\w+)", line)
            if match:
                used.add(match.group(1))
    for name, node in domain.fields()["responses"].fields().items():
        if name not in used:
            yield _problem(
                node, f"no rule leads to {name}", "add a rule in data/rules/, or remove it"
            )
    tables = triage.load(root / "knowledge" / "triage")
    led_to = {row.outcome for row in tables.rows} | {t.otherwise for t in tables.tables}
    for outcome in set(tables.outcomes) - led_to - {tables.default}:
        file, place = _find(root / "knowledge" / "triage" / "outcomes", outcome)
        yield Problem(str(file), place, f"no row leads to the outcome {outcome!r}")


# ---- what people have to do


@dataclass(frozen=True, slots=True)
class Owed:
    """How much of the content waits for a person: help-line records and texts."""

    unchecked: int = 0
    old: int = 0
    unsigned: int = 0
    overdue: int = 0

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return any(self.counts.values())

    @property
    def counts(self) -> dict[str, int]:
        """By what it is."""
        return {
            "help_lines_unchecked": self.unchecked,
            "help_lines_old": self.old,
            "not_signed_off": self.unsigned,
            "review_overdue": self.overdue,
        }

    def __str__(self) -> str:
        return (
            f"{self.unchecked} help-line records were never checked, {self.old} are older than "
            f"{CHECK_EVERY.days} days; {self.unsigned} texts are not signed off by a clinician, "
            f"{self.overdue} are past their review date. See them: ebb knowledge check"
        )


def owed(root: Path = PROJECT, *, today: date | None = None) -> Owed:
    """What people still have to check or sign below `root`. Raises `ContentError`."""
    now = today or datetime.now(timezone.utc).date()
    folder = root / "knowledge"
    reasons = [
        problem.reason
        for problem in (
            *_sign_offs(folder, read(root / "domain.yml"), now),
            *_lines(folder, now),
        )
    ]
    return Owed(
        unchecked=reasons.count(UNCHECKED),
        old=reasons.count(OLD),
        unsigned=reasons.count(UNSIGNED),
        overdue=reasons.count(OVERDUE),
    )


def _sign_offs(folder: Path, domain: Node, today: date) -> Iterator[Problem]:
    for document in [*read_folder(folder / "triage"), domain]:
        for node, key in _walk(document):
            if key == "reviewed_by" and node.is_null():
                yield _problem(node, UNSIGNED, "reviewed_by: their name")
            elif key == "review_due":
                if node.is_null():
                    yield _problem(node, "no review date", "review_due: YYYY-MM-DD")
                elif _date(node) < today:
                    yield _problem(node, OVERDUE)


def _lines(folder: Path, today: date) -> Iterator[Problem]:
    """Each record counts on its own: one that was checked says nothing of its neighbour."""
    for document in read_folder(folder / "helplines"):
        for record in document.fields()["lines"].items():
            checked = record.fields()["checked_on"]
            if checked.is_null():
                hint = "call or open it, then fill in checked_on and checked_by"
                yield _problem(checked, UNCHECKED, hint)
            elif _date(checked) > today:
                yield _problem(checked, UNCHECKED, "checked_on is a day that has not come yet")
            elif _date(checked) < today - CHECK_EVERY:
                yield _problem(checked, OLD, "call or open it again")


def _date(node: Node) -> date:
    try:
        return date.fromisoformat(node.text())
    except ValueError:
        raise node.error("a date such as 2030-01-31 is expected") from None


# ---- walking


def _documents(folder: Path) -> list[Node]:
    return list(read_folder(folder))


def _responses(domain: Node) -> Iterator[tuple[str, Node]]:
    for name, node in domain.fields()["responses"].fields().items():
        for variation in node.items():
            if name not in RENDERED:
                yield name, variation


def _walk(node: Node, skip: frozenset[str] = frozenset()) -> Iterator[tuple[Node, str]]:
    """Every value below `node` with its own key (a list's entries as `key[0]`)."""
    pending = [(node, "")]
    while pending:
        current, key = pending.pop()
        yield current, key
        if isinstance(current.raw, yaml.MappingNode):
            pending += [(n, k) for k, n in current.fields().items() if k not in skip]
        elif isinstance(current.raw, yaml.SequenceNode):
            pending += [(n, f"{key}[{i}]") for i, n in enumerate(current.items())]


def _problem(node: Node, reason: str, hint: str = "") -> Problem:
    return Problem(str(node.file), node.line, reason, hint)


def _find(folder: Path, text: str) -> tuple[Path, int]:
    """The first file below `folder` that has `text`, and the line, from 1."""
    for file in sorted(folder.rglob("*.yml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if text in line:
                return file, number
    return folder, 1
