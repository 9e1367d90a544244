"""What a clinician is shown is complete, safe to open, and tells every change."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import pytest

from ebb.conversation.show import compare, earlier, page, review, show, snapshot
from ebb.conversation.show.reading import readability, syllables
from ebb.conversation.show.snapshot import files
from ebb.conversation.show.summary import summary
from ebb.knowledge.everything import Knowledge, load
from ebb.knowledge.places import PROJECT
from ebb.triage.proofs import Failure, Proof, Report

HELD = TemporaryDirectory()
KNOWLEDGE = Path(shutil.copytree(PROJECT / "knowledge", Path(HELD.name) / "knowledge"))
"""A copy, so that nobody's edit in the meantime counts as a change."""
NOW = snapshot(KNOWLEDGE, date="2025-05-14")
VOID = {"meta", "br", "rect", "path"}


class Outline(HTMLParser):
    """Elements, ids, links and text of a document; fails on tags that do not close."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(document)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


@pytest.fixture(scope="module")
def document() -> str:
    return page(load(KNOWLEDGE), NOW)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(KNOWLEDGE, tmp_path / "knowledge"))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# ---- the document


def test_every_row_outcome_question_and_source_stands_in_the_document(document: str) -> None:
    outline, tables = Outline(document), load(KNOWLEDGE).triage
    for row in tables.rows:
        assert f"row-{row.id}" in outline.ids
        assert row.reason in outline.text
    for outcome in tables.outcomes.values():
        for told in (outcome, *outcome.variants.values()):
            for line in (told.heading, told.fits, *told.do, *told.practical, *told.come_back_if):
                assert line in outline.text
    for question in tables.questions.values():
        assert question.ask in outline.text
    for source in load(KNOWLEDGE).sources:
        assert source.title in outline.text


def test_every_link_inside_leads_somewhere_and_no_id_stands_twice(document: str) -> None:
    outline = Outline(document)
    inside = {link[1:] for link in outline.links if link.startswith("#")}
    assert len(outline.ids) == len(set(outline.ids))
    assert inside <= set(outline.ids)
    assert {"tables", "proofs", "sign-off"} <= inside


def test_the_document_runs_nothing_and_loads_nothing(document: str) -> None:
    outline = Outline(document)
    assert not outline.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert not [name for name, _ in outline.attributes if name.startswith("on") or name == "src"]
    assert all(link.startswith(("#", "https://")) for link in outline.links)
    assert "url(" not in document and "@import" not in document


def test_markup_in_any_content_is_shown_and_not_obeyed() -> None:
    bad = "<script>alert(1)</script>\"'&"
    knowledge = load(KNOWLEDGE)
    tables = knowledge.triage
    first, *rest = tables.tables
    row = replace(first.rows[0], reason=bad)
    outcome = replace(tables.outcomes[row.outcome], heading=bad, do=(bad,), reviewed_by=bad)
    question = replace(tables.questions[first.inputs[0]], ask=bad, explain=bad)
    hostile: Knowledge = replace(
        knowledge,
        triage=replace(
            tables,
            tables=(replace(first, asks=bad, rows=(row, *first.rows[1:])), *rest),
            outcomes=MappingProxyType({**tables.outcomes, row.outcome: outcome}),
            questions=MappingProxyType({**tables.questions, question.finding: question}),
        ),
    )
    before = {
        "version": bad,
        "date": bad,
        "items": {"Rows": {bad: {bad: [bad]}}},
        "files": {bad: "1"},
    }
    report = Report((Proof(bad, bad, 1, 0.0, (Failure(bad, bad, {bad: bad}),)),), {}, {})
    document = page(hostile, {**NOW, "version": bad}, before, report)
    assert "<script" not in document
    assert bad in Outline(document).text


def test_without_proofs_the_document_says_so_and_a_failed_one_is_told(document: str) -> None:
    assert "proofs were not run" in document
    failure = Failure("It holds", "here", {"tired": "yes"})
    report = Report((Proof("It holds", "by looking", 1234, 2.5, (failure,)),), {}, {"x": {3: 1.0}})
    text = Outline(page(load(KNOWLEDGE), NOW, report=report)).text
    assert "fails: 1" in text and "1,234" in text and "2.5 s" in text
    assert "- {tired: yes}" in text and "3.0 on average" in text


def test_the_same_content_gives_the_same_document(document: str) -> None:
    assert page(load(KNOWLEDGE), NOW) == document


def test_the_document_is_there_within_five_seconds_without_the_proofs() -> None:
    start = time.perf_counter()
    page(load(KNOWLEDGE), NOW)
    assert time.perf_counter() - start < 5


def test_lines_for_an_unknown_table_name_those_that_exist() -> None:
    with pytest.raises(LookupError, match="feelings"):
        list(show("nothing"))
    assert any(line.startswith("TABLE feelings") for line in show("feelings"))


# ---- against an earlier version


def test_content_compared_with_itself_has_no_change() -> None:
    assert compare(NOW, NOW) == () and files(NOW, NOW) == ()


def test_a_snapshot_survives_being_saved(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(NOW), encoding="utf-8")
    assert earlier(tmp_path / "old.json") == NOW


def test_a_changed_threshold_is_told_with_both_sides(copy: Path) -> None:
    edit(copy, "findings/baby.yml", "{value: from_8, to: 11.9}", "{value: from_8, to: 9.9}")
    changed = {(c.kind, c.id): c for c in compare(NOW, snapshot(copy))}
    change = changed.pop(("Findings", "hours_since_wet_nappy"))
    assert not changed
    assert list(change.before) == ["amounts"] and change.how == "changed"
    assert "from_8: up to 11.9 (hours)" in change.before["amounts"]
    assert "from_8: up to 9.9 (hours)" in change.after["amounts"]


def test_a_button_with_a_new_title_differs_once_and_not_in_every_row(copy: Path) -> None:
    edit(copy, "triage/questions/baby.yml", '"12 hours or more"', '"Half a day or more"')
    found = review(KNOWLEDGE, copy)
    assert [(c.kind, c.id) for c in found.changes] == [("Questions", "hours_since_wet_nappy")]


def test_a_raised_level_is_told_for_the_outcome_and_its_rows(copy: Path) -> None:
    file = "triage/outcomes/common.yml"
    edit(copy, file, "level: within_2_weeks", "level: within_3_days")
    changed = [c for c in compare(NOW, snapshot(copy)) if c.kind == "Outcomes"]
    assert [(c.how, c.before, c.after) for c in changed] == [
        ("changed", {"level": ["Within 2 weeks"]}, {"level": ["Within 3 days"]})
    ]


def test_an_item_that_is_gone_or_new_is_told_as_such() -> None:
    items = {kind: dict(of) for kind, of in NOW["items"].items()}
    gone = next(iter(items["Rows"]))
    del items["Rows"][gone]
    less = {**NOW, "items": items}
    assert [(c.kind, c.id, c.how) for c in compare(NOW, less)] == [("Rows", gone, "removed")]
    assert [(c.kind, c.id, c.how) for c in compare(less, NOW)] == [("Rows", gone, "added")]


def test_a_change_of_what_has_no_kind_is_told_by_its_file(copy: Path) -> None:
    with (copy / "service.yml").open("a", encoding="utf-8") as file:
        file.write("# reviewed\n")
    new = snapshot(copy)
    assert compare(NOW, new) == () and files(NOW, new) == (("service.yml", "changed"),)
    assert "service.yml" in Outline(page(load(KNOWLEDGE), new, NOW)).text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"items": 1}', '{"items": {}, "files": {}}'])
def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "old.json").write_text(text, encoding="utf-8")
    with pytest.raises(LookupError, match="was not written by"):
        earlier(tmp_path / "old.json")


def test_a_place_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="cannot be read"):
        earlier(tmp_path / "nothing.json")
    with pytest.raises(LookupError, match="no content"):
        earlier(tmp_path)


# ---- review


def test_a_review_of_unchanged_content_finds_nothing() -> None:
    found = review(KNOWLEDGE, KNOWLEDGE)
    assert not (found.changes or found.files or found.broken or found.moved or found.heard)
    assert found.cases > 100 and found.messages > 100
    assert list(summary(found)) == ["CHANGES: none. The content is what git has."]


def test_a_review_tells_which_messages_a_threshold_changes(copy: Path) -> None:
    edit(copy, "findings/baby.yml", "{value: from_8, to: 11.9}", "{value: from_8, to: 8.9}")
    found = review(KNOWLEDGE, copy)
    assert any("from_8 -> from_12" in line for line in found.heard)
    assert not found.broken and not found.moved
    # Words in digits and in letters, in buttons, reasons and advice.
    assert any("12 hours or more" in line for line in found.words)
    assert any("twelve hours" in line for line in found.words)
    assert not any("24 hours" in line and "12 hours" not in line for line in found.words)


def test_a_review_tells_which_cases_a_weaker_row_breaks_and_moves(copy: Path) -> None:
    edit(
        copy,
        "triage/tables/emergencies.yml",
        "when: {hours_since_wet_nappy: [from_12]}",
        "when: {hours_since_wet_nappy: [not_sure]}",
    )
    found = review(KNOWLEDGE, copy)
    assert any("emergencies.no_wet_nappy_12_hours must match" in line for line in found.broken)
    assert any("before: Emergency" in line for line in found.moved)
    assert any("CASES that no longer hold: " in line for line in summary(found))


def test_a_signature_on_a_text_that_changed_is_told(copy: Path, tmp_path: Path) -> None:
    file = "triage/outcomes/common.yml"
    edit(copy, file, "reviewed_by: null", "reviewed_by: A. Midwife")
    later = Path(shutil.copytree(copy, tmp_path / "later"))
    assert review(KNOWLEDGE, copy).sign == ()  # signed just now
    edit(later, file, "heading: Keep short notes", "heading: Keep notes")
    assert review(copy, later).sign == ("not_clear_yet",)


# ---- reading age


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *[("milk", 1), ("baby", 2), ("feeding", 2), ("emergency", 4), ("make", 1), ("little", 2)],
        *[("asked", 1), ("wanted", 2), ("nappies", 2), ("38", 1), ("can't", 1), ("self-care", 2)],
    ],
)
def test_syllables_are_counted_as_spoken(word: str, count: int) -> None:
    assert syllables(word) == count


def test_a_plain_sentence_is_for_children_and_a_learned_one_is_not() -> None:
    plain = readability(["Call your midwife today. Tell her how you feel."])
    learned = readability(
        ["Immediate multidisciplinary evaluation is recommended for symptomatic individuals."]
    )
    assert plain.age < 9 and learned.age > 18
    assert plain.longest == 5 and plain.words == 9


def test_no_words_have_no_reading_age_above_the_youngest() -> None:
    assert readability([]).words == 0
    assert re.match(r"5", f"{readability(['...']).age}")
