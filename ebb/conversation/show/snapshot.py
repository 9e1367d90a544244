"""The content as plain lists of text, to be kept as JSON and compared with later content.

A snapshot is {"version", "date", "items": kind -> id -> field -> lines, "files": path -> hash}.
What has no kind of its own (wordings, help lines, crisis rules) is compared by file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from ebb.conversation.show.plain import Plain, level, spaced
from ebb.knowledge.everything import Knowledge, load
from ebb.knowledge.findings import FindingRule
from ebb.knowledge.places import PROJECT
from ebb.knowledge.triage import OutcomeContent, Question, Row, Table

Fields: TypeAlias = dict[str, list[str]]
Snapshot: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One item that is "added", "removed" or "changed": its fields, `before` and `after`.

    Only fields that differ are there; an item that is new or gone has one side empty.
    """

    kind: str
    id: str
    how: str
    before: Mapping[str, list[str]]
    after: Mapping[str, list[str]]


def newest(folder: Path) -> str:
    """The day on which a file below `folder` was last written, as YYYY-MM-DD, local time."""
    latest = max(file.stat().st_mtime for file in folder.rglob("*.yml"))
    return datetime.fromtimestamp(latest).astimezone().date().isoformat()


def snapshot(
    folder: Path = PROJECT / "knowledge", date: str | None = None, words: Knowledge | None = None
) -> Snapshot:
    """Of the content in `folder`. Raises `ContentError` where it is unsound.

    Conditions are told in the words of `words`, if given: of two versions told in the same words,
    a button with a new title differs once, and not in every row that uses its answer.
    """
    knowledge = load(folder)
    return {
        "version": knowledge.version,
        "date": date or newest(folder),
        "items": _items(knowledge, Plain(words or knowledge)),
        "files": {
            file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:16]
            for file in sorted(folder.rglob("*.yml"))
        },
    }


def earlier(place: Path, words: Knowledge | None = None) -> Snapshot:
    """What was saved in a JSON file, or what stands in a folder with content (or a checkout).

    `words` as for `snapshot`. Raises `LookupError` if there is neither, `ContentError` if the
    content there is unsound.
    """
    if place.is_dir():
        folder = place / "knowledge" if (place / "knowledge").is_dir() else place
        if not (folder / "triage").is_dir():
            raise LookupError(f"{place} holds no content: no folder triage/ in it")
        return snapshot(folder, words=words)
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
        if not _is_snapshot(kept):
            raise TypeError
    except OSError as error:
        raise LookupError(f"{place} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LookupError(f"{place} was not written by `ebb knowledge show --save`") from None
    return dict(kept)


def compare(old: Snapshot, new: Snapshot) -> tuple[Change, ...]:
    """Every item added, removed or changed, by kind and in the order of the content."""
    found: list[Change] = []
    for kind in dict.fromkeys([*new["items"], *old["items"]]):
        before, after = old["items"].get(kind, {}), new["items"].get(kind, {})
        for name in dict.fromkeys([*after, *before]):
            was, is_ = before.get(name), after.get(name)
            if was == is_:
                continue
            how = "added" if was is None else "removed" if is_ is None else "changed"
            fields = dict.fromkeys([*(is_ or {}), *(was or {})])
            differ = [f for f in fields if (was or {}).get(f, []) != (is_ or {}).get(f, [])]
            found.append(Change(kind, name, how, _only(was, differ), _only(is_, differ)))
    return tuple(found)


def files(old: Snapshot, new: Snapshot) -> tuple[tuple[str, str], ...]:
    """Every file that was added, removed or changed, with which of these."""
    before, after = old["files"], new["files"]
    return tuple(
        (name, "added" if name not in before else "removed" if name not in after else "changed")
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def _is_snapshot(kept: Any) -> bool:
    return (
        isinstance(kept["version"], str)
        and isinstance(kept["date"], str)
        and all(isinstance(of, str) for of in kept["files"].values())
        and all(
            isinstance(lines, list) and all(isinstance(line, str) for line in lines)
            for items in kept["items"].values()
            for fields in items.values()
            for lines in fields.values()
        )
    )


def _only(fields: Fields | None, names: Iterable[str]) -> Fields:
    return {name: fields[name] for name in names if name in fields} if fields else {}


# ---- what is kept of each kind


def _items(knowledge: Knowledge, plain: Plain) -> dict[str, dict[str, Fields]]:
    tables = knowledge.triage
    return {
        "Tables": {table.id: _table(table, plain) for table in tables.tables},
        "Rows": {row.id: _row(row, plain) for table in tables.tables for row in table.rows},
        "Outcomes": {outcome.id: _outcome(outcome, plain) for outcome in tables.outcomes.values()},
        "Questions": {q.finding: _question(q, plain) for q in tables.questions.values()},
        "Findings": {f.id: _finding(f) for f in knowledge.findings.findings.values()},
        "Red flags": _named(
            (
                flag.finding,
                {
                    "lowest level": [
                        f"{plain.value(flag.finding, value)}: {level(least)}"
                        for value, least in flag.at_least.items()
                    ],
                    "unless": plain.conditions(flag.unless),
                },
            )
            for flag in tables.red_flags
        ),
        "Gates": _named(
            (
                " + ".join(sorted(gate.outcomes)),
                {
                    "needs an answer to": list(gate.needs),
                    "lowest level where refused": [level(gate.refused_at_least)],
                },
            )
            for gate in tables.gates
        ),
        "Always asked": _named(
            (first.ask, {"before any level below": [level(first.below)], "in": list(first.tables)})
            for first in tables.safety_first
        ),
        "Never together": {" + ".join(pair): {} for pair in tables.never_together},
        "Order of severity": _named(
            (s.finding, {"mildest first": [plain.value(s.finding, v) for v in s.order]})
            for s in tables.severities
        ),
        "Ways in": {
            entry.intent: {"table": [entry.table], "already known": [plain.case(entry.findings)]}
            for entry in tables.entries.values()
        },
        "Questionnaires": {
            one.id: {
                "name": [one.name],
                "lead": [one.lead],
                "items": [item.text for item in one.items],
                "short": [f"first {one.short} items, the rest from {one.go_on_from} points"],
                "short scores": [f"from {band.least}: {band.text}" for band in one.short_bands],
                "scores": [f"from {band.least}: {band.text}" for band in one.bands],
            }
            for one in knowledge.screeners.screeners.values()
        },
    }


def _named(items: Iterable[tuple[str, Fields]]) -> dict[str, Fields]:
    found: dict[str, Fields] = {}
    for name, fields in items:
        count = sum(key.split(" #")[0] == name for key in found)
        found[f"{name} #{count + 1}" if count else name] = fields
    return found


def _table(table: Table, plain: Plain) -> Fields:
    return {
        "asks": [table.asks],
        "topic": [table.topic],
        "order": [str(table.order)],
        "opens when any of": ["; ".join(plain.conditions(c)) for c in table.opens_when],
        "questions in order": list(table.inputs),
        "rows in order": [row.id for row in table.rows],
        "otherwise": [table.otherwise],
        "otherwise because": [table.otherwise_reason],
        "otherwise sources": list(table.otherwise_sources),
        "closes below": [level(table.closing_below)] if table.closing_below else [],
        "covers": sorted(table.covers),
    }


def _row(row: Row, plain: Plain) -> Fields:
    return {
        "if": plain.conditions(row.when),
        "not if": plain.conditions(row.not_if),
        "asked only if": (
            ["always"]
            if row.ask_if is None
            else ["; ".join(plain.conditions(c)) for c in row.ask_if] or ["never"]
        ),
        "then": [row.outcome],
        "level": [level(row.level)],
        "because": [row.reason],
        "sources": list(row.sources),
        "must match": [plain.case(case) for case in row.match],
        "must not match": [plain.case(case) for case in row.no_match],
    }


def _outcome(outcome: OutcomeContent, plain: Plain) -> Fields:
    found: Fields = {"level": [level(outcome.level)], **_texts(outcome)}
    for situation, variant in outcome.variants.items():
        for name, lines in _texts(variant).items():
            if lines != found[name]:
                found[f"{name} ({plain.situation(situation)})"] = lines
    found["sources"] = list(outcome.sources)
    found["signed by"] = [outcome.reviewed_by] if outcome.reviewed_by else []
    found["review due"] = [outcome.review_due] if outcome.review_due else []
    return found


def _texts(outcome: OutcomeContent) -> Fields:
    return {
        "heading": [outcome.heading],
        "fits": [outcome.fits],
        "do": list(outcome.do),
        "meanwhile": list(outcome.practical),
        "come back if": list(outcome.come_back_if),
        "help lines": [spaced(line) for line in outcome.lines],
    }


def _question(question: Question, plain: Plain) -> Fields:
    return {
        "asks": [question.ask],
        "asked again": [question.again],
        "explained": [question.explain],
        "answers": [f"{choice.title} ({choice.value})" for choice in question.buttons],
        "may be refused": ["yes" if question.refusable else "no"],
        "usual answer": [question.usual],
        "by situation": [
            f"{plain.situation(situation)}: {ask or 'never asked'}"
            for situation, ask in question.variants.items()
        ],
        "follows from": [
            f"{plain.finding(finding)}: {value} means {ours}"
            for finding, values in question.known_from.items()
            for value, ours in values.items()
        ],
    }


def _finding(rule: FindingRule) -> Fields:
    bands = rule.quantity.bands if rule.quantity else ()
    return {
        "about": [rule.about],
        "values": [f"{value}: {said}" for value, said in rule.values.items()],
        "amounts": [
            f"{band.value}: "
            + ("all above" if band.to is None else f"up to {band.to:g}")
            + f" ({rule.quantity.unit})"
            for band in bands
            if rule.quantity
        ],
        "wordings": [p for one in (*rule.rules, *rule.answers) for p in one.patterns],
        "sources": list(rule.sources),
    }
