"""What people still have to check is counted record by record, against a fixed day."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from ebb.knowledge import helplines
from ebb.knowledge.check import check, owed
from ebb.knowledge.places import PROJECT

TODAY = date(2030, 1, 1)
LINE = """
  - id: {id}
    kind: crisis
    name: "{id}"
    tel: "0800 1111"
    sms: null
    url: null
    hours: null
    languages: ["English"]
    is_crisis: true
    note: null
    sources: [OK]
    source_date: null
    confidence: {confidence}
    checked_on: {on}
    checked_by: {by}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The content, in which one country has only what a test writes."""
    for name in ("knowledge", "data"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "domain.yml", tmp_path)
    return tmp_path


def lines(root: Path, *records: tuple[str, str | None, str | None, str]) -> list[str]:
    """Write records (id, checked_on, checked_by, confidence); the problems of that file."""
    file = root / "knowledge" / "helplines" / "nz.yml"
    emergency = LINE.format(id="nz.emergency", confidence="H", on='"2029-12-31"', by='"A"')
    text = 'country: "NZ"\nname: "New Zealand"\nlines:'
    text += emergency.replace("kind: crisis", "kind: emergency")
    for name, on, by, confidence in records:
        quoted = [f'"{value}"' if value else "null" for value in (on, by)]
        text += LINE.format(id=name, confidence=confidence, on=quoted[0], by=quoted[1])
    file.write_text(text, encoding="utf-8")
    found = [p for p in check(root, today=TODAY) if p.file.endswith("nz.yml")]
    assert not any(p.fails for p in found)
    release = [p for p in check(root, release=True, today=TODAY) if p.file.endswith("nz.yml")]
    assert all(p.fails for p in release)
    assert len(release) == len(found)
    return [p.reason for p in found]


@pytest.mark.parametrize(
    ("on", "by", "reason"),
    [
        (None, None, "this help line was not checked"),
        ("2030-01-02", "A. Person", "this help line was not checked"),
        ("2030-01-01", "A. Person", None),
        ("2029-10-03", "A. Person", None),
        ("2029-10-02", "A. Person", "checked more than 90 days ago"),
        ("2020-01-01", "A. Person", "checked more than 90 days ago"),
    ],
)
def test_a_record_is_due_after_90_days_and_before_its_first_check(
    root: Path, on: str | None, by: str | None, reason: str | None
) -> None:
    assert lines(root, ("nz.one", on, by, "M")) == ([reason] if reason else [])


def test_each_record_counts_on_its_own(root: Path) -> None:
    before = owed(root, today=TODAY)
    in_nz = (root / "knowledge/helplines/nz.yml").read_text().count("checked_on: null")
    reasons = lines(
        root,
        ("nz.fresh", "2029-12-01", "A. Person", "H"),
        ("nz.new", None, None, "H"),
        ("nz.old", "2029-01-01", "A. Person", "H"),
        ("nz.hidden", None, None, "L"),
    )
    assert sorted(reasons) == [
        "checked more than 90 days ago",
        "this help line was not checked",
        "this help line was not checked",
    ]
    now = owed(root, today=TODAY)
    assert now.unchecked == before.unchecked - in_nz + 2
    assert now.old == before.old + 1
    assert now.any
    assert f"{now.unchecked} help-line records" in str(now)
    assert "ebb knowledge check" in str(now)


def test_lines_of_low_confidence_are_never_offered(root: Path) -> None:
    lines(root, ("nz.sure", None, None, "M"), ("nz.unsure", None, None, "L"))
    country = helplines.load(root / "knowledge" / "helplines").find("NZ")
    assert country is not None
    shown = [line.id for kind in helplines.Kind for line in country.of(kind)]
    assert "nz.sure" in shown and "nz.unsure" not in shown


def test_nothing_owed_is_nothing_said(root: Path) -> None:
    for file in (root / "knowledge" / "helplines").glob("*.yml"):
        text = file.read_text(encoding="utf-8")
        text = text.replace("checked_on: null", 'checked_on: "2029-12-31"')
        file.write_text(text.replace("checked_by: null", 'checked_by: "A"'), encoding="utf-8")
    for file in [*(root / "knowledge" / "triage").rglob("*.yml"), root / "domain.yml"]:
        text = file.read_text(encoding="utf-8").replace("reviewed_by: null", 'reviewed_by: "B"')
        file.write_text(text, encoding="utf-8")
    assert not owed(root, today=TODAY).any
