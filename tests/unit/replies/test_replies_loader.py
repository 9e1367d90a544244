"""What the loaders of the texts and of the host's file refuse."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ebb.knowledge import replies, service
from ebb.knowledge.yaml_reader import ContentError
from ebb.replies.fill import fill
from ebb.replies.words import faults

REAL = Path(__file__).parents[3] / "knowledge" / "replies"


def _with(tmp_path: Path, file: str, old: str, new: str) -> Path:
    folder = tmp_path / "replies"
    shutil.copytree(REAL, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("crisis_self.yml", "tiers: [emergency]", "tiers: [check]", "already"),
        ("crisis_self.yml", "categories: [past]", "categories: [future]", "no such category"),
        ("crisis_self.yml", "{bot}", "{robot}", "no such slot"),
        ("crisis_self.yml", "{bot}", "{bot", "lone"),
        ("crisis_self.yml", "      {bot}\n", "\n      {bot}\n", "blank line"),
        ("crisis_self.yml", "asked: safety.now", "asked: safety.never", "no such safety question"),
        ("crisis_self.yml", "help: [emergency, crisis]", "help: [magic]", "not allowed here"),
        ("crisis_mind.yml", "  psychosis: What", "  psycho: What", "no acknowledgement"),
        ("crisis_mind.yml", "tiers: [check, urgent, emergency]", "tiers: [check]", "two more"),
        ("follow_ups.yml", "id: safe.2", "id: safe.1", "twice"),
        ("follow_ups.yml", "id: safe.2", "id: sage.2", "must start with its kind"),
        ("safety_questions.yml", "refused: refused}", "refused: nowhere}", "no follow-up"),
        ("safety_questions.yml", "yes_means: danger", "yes_means: maybe", "not allowed"),
        ("messages.yml", "payload: /menu", "payload: menu", "not a payload"),
        ("messages.yml", "  menu:\n", "  late:\n", "twice"),
        ("fragments.yml", "    same_day: {", "    some_day: {", "no such level"),
    ],
)
def test_unsound_content_is_refused_with_its_reason(
    tmp_path: Path, file: str, old: str, new: str, reason: str
) -> None:
    with pytest.raises(ContentError, match=reason):
        replies.load(_with(tmp_path, file, old, new))


def test_a_category_without_a_text_is_refused(tmp_path: Path) -> None:
    folder = _with(tmp_path, "crisis_mind.yml", "tiers: [urgent, emergency]", "tiers: [emergency]")
    with pytest.raises(ContentError, match="no crisis text for psychosis, urgent"):
        replies.load(folder)


def _service(tmp_path: Path, text: str) -> service.Service:
    file = tmp_path / "service.yml"
    file.write_text(text, encoding="utf-8")
    return service.load(file)


NOBODY = "contact: {name: null, tel: null, email: null, url: null, hours: null}\n"


def test_a_service_may_say_nothing_of_itself(tmp_path: Path) -> None:
    found = _service(tmp_path, "name: null\ncountry: null\n" + NOBODY)
    assert found.country is None and not found.contact.reachable


def test_norway_is_a_country_and_not_false(tmp_path: Path) -> None:
    assert _service(tmp_path, "name: null\ncountry: NO\n" + NOBODY).country == "NO"


@pytest.mark.parametrize(
    "text",
    [
        "name: null\ncountry: Norway\n" + NOBODY,
        "name: null\ncountry: null\n" + NOBODY.replace("tel: null", "tel: call us"),
        "name: null\ncountry: null\n" + NOBODY.replace("email: null", "email: nowhere"),
        "name: null\ncountry: null\n" + NOBODY.replace("url: null", "url: http://x.org"),
        "name: null\n" + NOBODY,
    ],
)
def test_an_unsound_service_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ContentError):
        _service(tmp_path, text)


def test_the_service_file_of_the_project_is_empty() -> None:
    found = service.load(REAL.parent / "service.yml")
    assert found == service.Service()


def test_the_word_rules_find_what_they_forbid() -> None:
    words = replies.load(REAL).words
    assert faults("one " * 21 + "end.", words)
    assert faults("Please DON\u2019T  WORRY about it.", words)
    assert faults("First.\n\nSecond.", words)
    assert not faults("Call now. " * 15, words)


def test_an_empty_slot_leaves_no_empty_line() -> None:
    assert fill("One\n{gone}\n  Two  {gone} three", {}) == "One\nTwo three"
