"""`ebb knowledge check` finds each kind of mistake and names its file and line."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from ebb.knowledge.check import Problem, check
from ebb.knowledge.places import PROJECT

TODAY = date(2030, 1, 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / "knowledge", tmp_path / "knowledge")
    shutil.copytree(PROJECT / "data" / "rules", tmp_path / "data" / "rules")
    shutil.copy(PROJECT / "domain.yml", tmp_path / "domain.yml")
    return tmp_path


def errors(root: Path, *, release: bool = False) -> list[Problem]:
    return [p for p in check(root, release=release, today=TODAY) if p.fails]


def change(root: Path, file: str, old: str, new: str) -> int:
    """Replace the first `old` in `file`; the line where that is."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_real_content_has_no_errors(root: Path) -> None:
    assert errors(root) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        (
            "knowledge/triage/tables/dmer.yml",
            "onset_relative_to_letdown: [any_time]",
            "onset_of_moon: [any_time]",
            "onset_of_moon",
        ),
        (
            "knowledge/triage/tables/dmer.yml",
            "outcome: dmer_possible",
            "outcome: dmer_perhaps",
            "dmer_perhaps",
        ),
        (
            "knowledge/triage/tables/dmer.yml",
            "sources: [S2, S3, C2]",
            "sources: [S2, S999]",
            "unknown source 'S999'",
        ),
        (
            "knowledge/replies/messages.yml",
            "Which of these is closest?",
            "Call 0300 123 4567. Which of these is closest?",
            "phone number outside",
        ),
        (
            "knowledge/replies/messages.yml",
            "I want to get this right.",
            "I want to get this right and so I will now write one very long sentence that goes on "
            "and on for far too many words.",
            "a sentence of",
        ),
        ("domain.yml", "  utter_dmer_sex:", "  utter_dmer_moon:", "no rule leads to"),
        ("domain.yml", "metadata: {sources: [", "metadata: {sources: [S998, ", "unknown source"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(
    root: Path, file: str, old: str, new: str, reason: str
) -> None:
    line = change(root, file, old, new)
    found = [p for p in errors(root) if reason in p.reason]
    assert found, errors(root)
    assert found[0].file.endswith(Path(file).name)
    assert abs(found[0].line - line) <= 3


def test_an_id_that_is_used_twice_is_found(root: Path) -> None:
    file = root / "knowledge" / "helplines" / "gb.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("id: gb.shout", "id: gb.samaritans"), encoding="utf-8")
    assert any("gb.samaritans" in p.reason for p in errors(root))


def test_broken_yaml_is_one_error_with_its_line(root: Path) -> None:
    (root / "knowledge" / "service.yml").write_text("name: [\n", encoding="utf-8")
    (found,) = errors(root)
    assert found.file.endswith("service.yml") and "not valid YAML" in found.reason


def test_a_release_needs_sign_offs_and_checked_lines(root: Path) -> None:
    reasons = {p.reason for p in errors(root, release=True)}
    assert "not signed off by a clinician" in reasons
    assert "this help line was not checked" in reasons
    assert "no review date" in reasons


def test_a_past_review_and_an_old_check_are_refused_at_release(root: Path) -> None:
    change(root, "domain.yml", "review_due: null", 'review_due: "2029-12-31"')
    gb = "knowledge/helplines/gb.yml"
    change(root, gb, "checked_on: null", 'checked_on: "2029-06-01"')
    change(root, gb, "checked_by: null", 'checked_by: "A. Person"')
    reasons = {p.reason for p in errors(root, release=True)}
    assert "the review date is past" in reasons
    assert "checked more than 90 days ago" in reasons
