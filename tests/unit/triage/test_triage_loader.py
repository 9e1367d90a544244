"""Bad content is refused with file, line, reason and hint."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ebb.knowledge import triage
from ebb.knowledge.yaml_reader import ContentError
from ebb.types import NOT_SURE, REFUSED, Level

TRIAGE = Path(__file__).parents[3] / "knowledge" / "triage"
FEELINGS = "tables/feelings.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(TRIAGE, tmp_path / "triage"))


def spoil(folder: Path, name: str, old: str, new: str) -> int:
    """Replace the first `old` in a file; its line."""
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        (FEELINGS, "outcome: suicidal_thoughts", "outcome: nothing", "no outcome 'nothing'"),
        (FEELINGS, "    outcome: suicidal_thoughts\n", "", "missing: outcome"),
        (FEELINGS, "order: 40", "order: 10", "order 10 is taken"),
        (FEELINGS, "order: 40", "order: soon", "a whole number is expected"),
        (FEELINGS, "  - pleasure_lost\n", "  - pleasure\n", "'pleasure' has no question"),
        (FEELINGS, "  - baby_age\n", "  - baby_age\n  - harm_images\n", "no row needs"),
        (FEELINGS, "- id: feelings.", "- id: other.", "row id"),
        (FEELINGS, "id: feelings.harm_not_sure", "id: feelings.thoughts_of_harm", "exists already"),
        (FEELINGS, "when: {thoughts_of_harm: [yes]}", "when: {}", "at least one condition"),
        (FEELINGS, "thoughts_of_harm: [yes]}\n", "thoughts_of_harm: []}\n", "at least one value"),
        (FEELINGS, "match: [{thoughts_of_harm: not_sure}]", "match: []", "cases that must"),
        ("outcomes/feelings.yml", "level: same_day", "level: today", "'today' is not allowed"),
        ("outcomes/worries.yml", "now if:", "now", "one call to action"),
        (
            "outcomes/worries.yml",
            "lines: [emergency, crisis]",
            "lines: [police]",
            "no kind of help line",
        ),
        ("entries.yml", "default: not_clear_yet", "default: gone", "no outcome 'gone'"),
        ("questions/mother.yml", "usual: no", "usual: perhaps", "not one of the buttons"),
        ("questions/feelings.yml", "value: no,", "value: yes,", "the same value"),
        ("questions/mood.yml", "    refusable: true", "    refusable: sure", "true or false"),
        ("entries.yml", "table: feelings,", "table: moods,", "no table 'moods'"),
        ("safety/common.yml", "{yes: same_day", "{yes: urgent", "'urgent' is not allowed"),
        ("safety/common.yml", "[dmer_pattern, not_dmer_alone]", "[dmer_pattern]", "two different"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(folder, name, old, new, reason) -> None:
    line = spoil(folder, name, old, new)
    with pytest.raises(ContentError, match=reason.replace("(", r"\(")) as refused:
        triage.load(folder)
    assert Path(refused.value.file).name == Path(name).name
    assert refused.value.line > 0
    if reason.startswith(("no outcome", "row id", "no table")):
        assert abs(refused.value.line - line) <= 1
        assert refused.value.hint


def test_every_value_that_content_names_is_known_and_so_are_unsure_and_refused(folder) -> None:
    domain = triage.load(folder).domain
    assert {"before", "at_start", "later", "any_time", NOT_SURE, REFUSED} == domain[
        "onset_relative_to_letdown"
    ]
    assert {"died", "in_hospital", "not_born", NOT_SURE, REFUSED} <= domain["baby_situation"]


def test_rows_are_ordered_by_urgency_then_by_table_then_as_listed(folder) -> None:
    rows = triage.load(folder).rows
    assert [row.level.rank for row in rows] == sorted((r.level.rank for r in rows), reverse=True)
    assert rows[0].level is Level.EMERGENCY
    listed = [row.id for row in rows if row.table == "feelings" and row.level is Level.SAME_DAY]
    assert listed[0] == "feelings.thoughts_of_harm"


def test_an_outcome_may_have_other_words_for_a_situation(folder) -> None:
    outcome = triage.load(folder).outcomes["suicidal_thoughts"]
    assert outcome.told_in("died") != outcome
    assert outcome.told_in("died").level is outcome.level
    assert outcome.told_in("with_me") is outcome
    assert outcome.told_in(None) is outcome
