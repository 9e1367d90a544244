"""What a change of the content does: to the tables, to its cases, and to what is heard.

Compares content as it is edited with content as it was, and decides every case under both.
"""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

from ebb.conversation.show import snapshot as kept
from ebb.conversation.show.plain import Plain, level
from ebb.conversation.show.wording import still_says
from ebb.findings import Extractor
from ebb.knowledge.everything import Knowledge, load
from ebb.knowledge.places import PROJECT
from ebb.knowledge.triage import Case, Tables
from ebb.knowledge.yaml_reader import read
from ebb.text import Reader, Scopes
from ebb.triage.engine import State, move, state, understood
from ebb.types import Outcome

EXAMPLES = "tests/unit/findings"
"""Where the example messages are, in a checkout."""
_A_DAY = date(2025, 5, 14)
"""Weekdays in the example messages count from here."""


@dataclass(frozen=True, slots=True)
class Review:
    """`changes` of the content, `files` that differ, row cases that no longer hold (`broken`),
    cases that now end elsewhere (`moved`), example messages now heard otherwise (`heard`), lines
    of content that still tell a threshold that moved (`words`), and outcomes that `sign` must be
    given for again. All but `changes` are lines to read.
    """

    changes: tuple[kept.Change, ...]
    files: tuple[tuple[str, str], ...]
    broken: tuple[str, ...]
    moved: tuple[str, ...]
    heard: tuple[str, ...]
    words: tuple[str, ...]
    sign: tuple[str, ...]
    cases: int
    messages: int


def committed(into: Path, revision: str = "HEAD", root: Path = PROJECT) -> Path:
    """Unpacks knowledge/ as of `revision` below `into`; returns its folder.

    Raises `LookupError` where git cannot give it.
    """
    try:
        found = subprocess.run(
            ["git", "archive", "--format=tar", "--end-of-options", revision, "knowledge"],
            cwd=root,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise LookupError(
            f"git cannot give the content of {revision!r}. Run this in a checkout with git."
        ) from None
    with tarfile.open(fileobj=BytesIO(found.stdout)) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                (into / member.name).parent.mkdir(parents=True, exist_ok=True)
                (into / member.name).write_bytes(content.read())
    return into / "knowledge"


def review(old: Path, new: Path, root: Path = PROJECT) -> Review:
    """Compares the content in the folders. Raises `ContentError` where either is unsound."""
    before, after = load(old), load(new)
    then, now = kept.snapshot(old, words=after), kept.snapshot(new)
    messages = tuple(_messages(root / EXAMPLES))
    cases = tuple(_cases(before.triage, after.triage))
    return Review(
        changes=kept.compare(then, now),
        files=kept.files(then, now),
        broken=tuple(_broken(after)),
        moved=tuple(_moved(before, after, cases)),
        heard=tuple(_heard(before, after, messages)),
        words=tuple(still_says(before, after, new)),
        sign=tuple(_sign(before, after)),
        cases=len(cases),
        messages=len(messages),
    )


# ---- cases


def _broken(knowledge: Knowledge) -> Iterator[str]:
    tables, plain = knowledge.triage, Plain(knowledge)
    for row in tables.rows:
        for cases, wanted in ((row.match, True), (row.no_match, False)):
            for case in cases:
                if (state(row, understood(tables, case)) is State.MATCHED) is not wanted:
                    must = "must match, and does not" if wanted else "must not match, and does"
                    yield f"{row.id} {must}: {plain.case(case)}"


def _cases(*all_: Tables) -> Iterator[tuple[str, Case]]:
    seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    for tables in all_:
        for row in tables.rows:
            for case in (*row.match, *row.no_match):
                key = (row.table, frozenset(case.items()))
                if key not in seen:
                    seen.add(key)
                    yield row.table, case


def _moved(before: Knowledge, after: Knowledge, cases: Iterable[tuple[str, Case]]) -> Iterator[str]:
    plain = Plain(after)
    for table, case in cases:
        was, is_ = _ends(before, table, case), _ends(after, table, case)
        if was != is_:
            yield f"{table}: {plain.case(case)}\n      before: {was}\n      now:    {is_}"


def _ends(knowledge: Knowledge, table: str, case: Case) -> str:
    tables = knowledge.triage
    if all(table != one.id for one in tables.tables):
        return "no such table"
    found = move(tables, understood(tables, case), (table,))
    if isinstance(found, Outcome):
        return f"{level(found.level)}: {found.id}"
    return f"asks for: {Plain(knowledge).finding(found)}"


# ---- what is heard


def _messages(folder: Path) -> Iterator[tuple[str, str | None]]:
    for file in sorted(folder.glob("examples*.yml")):
        for node in read(file).record({"examples"})["examples"].items():
            fields = node.fields()
            asked = fields["asked"].text() if "asked" in fields else None
            yield fields["say"].text(), asked


def _heard(
    before: Knowledge, after: Knowledge, messages: Iterable[tuple[str, str | None]]
) -> Iterator[str]:
    if before.findings == after.findings and before.language == after.language:
        return
    old, new, plain = _Ear(before), _Ear(after), Plain(after)
    for said, asked in messages:
        was, is_ = old(said, asked), new(said, asked)
        for finding in dict.fromkeys([*was, *is_]):
            if was.get(finding) != is_.get(finding):
                yield (
                    f"“{said}”\n      {plain.finding(finding)}: "
                    f"{was.get(finding, 'nothing')} -> {is_.get(finding, 'nothing')}"
                )


class _Ear:
    """What one version hears in a message: finding to value."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._reader = Reader(knowledge.language)
        self._extractor = Extractor(knowledge.findings, self._reader, Scopes(knowledge.language))

    def __call__(self, said: str, asked: str | None) -> Mapping[str, str]:
        found = self._extractor.extract(self._reader.read(said), asked, _A_DAY)
        return {one.id: one.value for one in found}


def _sign(before: Knowledge, after: Knowledge) -> Iterator[str]:
    for name, outcome in after.triage.outcomes.items():
        was = before.triage.outcomes.get(name)
        if outcome.reviewed_by and outcome != was and (was and was.reviewed_by):
            same = (was.reviewed_by, was.review_due) == (outcome.reviewed_by, outcome.review_due)
            if same:
                yield name
