"""Help-line records: what the loader refuses, and what may be shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from phone_numbers import digits, numbers_in, numbers_of

from ebb.knowledge import helplines
from ebb.knowledge.helplines import HelpLines, Kind
from ebb.knowledge.yaml_reader import ContentError
from ebb.replies import Renderer
from ebb.types import Assessment, Tier

ENGLISH_FIRST = {"GB", "IE", "US", "CA", "AU", "NZ", "IN", "ZA", "NG", "KE", "PH", "SG"}
OTHERS = {"DE", "FR", "ES", "IT", "NL", "BE", "PT", "SE", "NO", "DK", "FI", "PL", "BR", "MX", "JP"}
LINE = """
  - id: {id}
    kind: {kind}
    name: "A line"
    tel: {tel}
    sms: null
    url: null
    hours: null
    languages: [English]
    is_crisis: false
    note: null
    sources: [OK]
    source_date: null
    confidence: {confidence}
    checked_on: {checked_on}
    checked_by: null
"""
FINE = {
    "id": "gb.emergency",
    "kind": "emergency",
    "tel": '"999"',
    "confidence": "H",
    "checked_on": "null",
}
FALLBACK = (
    "country: international\nname: any\nlines:\n"
    + LINE.format(**{**FINE, "id": "international.112"}).strip("\n")
    + "\n"
    + LINE.format(**{**FINE, "id": "international.web", "kind": "crisis", "tel": "null"})
    .strip("\n")
    .replace("url: null", "url: https://example.org")
    + "\n"
)


def _load(folder: Path, **changed: str) -> HelpLines:
    text = 'country: GB\nname: "Here"\nlines:\n' + LINE.format(**{**FINE, **changed}).strip("\n")
    (folder / "gb.yml").write_text(text + "\n", encoding="utf-8")
    (folder / "international.yml").write_text(FALLBACK, encoding="utf-8")
    return helplines.load(folder)


def test_a_sound_record_is_loaded(tmp_path: Path) -> None:
    assert _load(tmp_path).countries["GB"].lines[0].tel == "999"


@pytest.mark.parametrize(
    "tel", ["999", '"call us"', '"99--9"', '"0800 JUNK"', '"9"', '"12345678901234567890"']
)
def test_a_number_without_the_shape_of_one_is_refused(tmp_path: Path, tel: str) -> None:
    with pytest.raises(ContentError):
        _load(tmp_path, tel=tel)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="not allowed here"):
        _load(tmp_path, kind="astrology")


def test_an_id_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="twice"):
        _load(tmp_path, id="international.112")


def test_a_country_needs_an_emergency_number_that_may_be_shown(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no emergency number"):
        _load(tmp_path, confidence="L")
    with pytest.raises(ContentError, match="no emergency number"):
        _load(tmp_path, kind="crisis")


def test_a_line_that_cannot_be_reached_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="cannot be reached"):
        _load(tmp_path, tel="null")


def test_a_date_of_checking_needs_the_person_who_checked(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="belong together"):
        _load(tmp_path, checked_on='"2026-11-01"')


def test_the_fallback_file_is_required(tmp_path: Path) -> None:
    _load(tmp_path)
    (tmp_path / "international.yml").unlink()
    with pytest.raises(ContentError, match="international"):
        helplines.load(tmp_path)


def test_every_country_has_a_file(lines: HelpLines) -> None:
    assert set(lines.countries) == ENGLISH_FIRST | OTHERS


def test_nobody_is_said_to_have_checked_a_line(lines: HelpLines) -> None:
    for country in (*lines.countries.values(), lines.international):
        for line in country.lines:
            assert line.checked_on is None and line.checked_by is None


@pytest.mark.parametrize(
    "retired",
    [
        "18334566566",
        "18339435746",
        "08442090920",
        "18002214444",
        "199284284",
        "18005990019",
        "9898727",
        "141",
        "09000113",
        "1190",
        "1199",
    ],
)
def test_retired_and_doubtful_numbers_are_not_listed(lines: HelpLines, retired: str) -> None:
    for country in (*lines.countries.values(), lines.international):
        for line in country.lines:
            assert digits(line.tel or "") != retired


def test_113_is_a_crisis_line_only_in_the_netherlands(lines: HelpLines) -> None:
    assert {
        c.iso: line.kind for c in lines.countries.values() for line in c.lines if line.tel == "113"
    } == {"NL": Kind.CRISIS, "NO": Kind.EMERGENCY}


def test_hidden_lines_are_replaced_by_the_directory(renderer: Renderer, lines: HelpLines) -> None:
    for iso, country in lines.countries.items():
        reply = renderer.help_lines(iso, ["emergency", "crisis"])
        plain = renderer.plain(reply)
        for line in country.lines:
            if not line.shown and line.tel:
                assert line.tel not in plain
        if any(line.kind is Kind.CRISIS and not line.shown for line in country.lines):
            assert "findahelpline.com" in plain


def test_help_lines_without_kinds_show_all_that_may_be_shown(
    renderer: Renderer, lines: HelpLines
) -> None:
    plain = renderer.plain(renderer.help_lines("GB"))
    for line in lines.countries["GB"].lines:
        if line.shown and line.tel:
            assert line.tel in plain


def test_the_us_hotline_for_mothers_comes_after_the_crisis_line(renderer: Renderer) -> None:
    reply = renderer.help_lines("US", ["emergency", "crisis", "maternal_mental_health"])
    plain = renderer.plain(reply)
    assert plain.index("911") < plain.index("988") < plain.index("1-833-852-6262")
    assert "not a crisis line" in plain


def test_in_every_country_a_crisis_reply_has_its_emergency_number_and_only_its_own(
    renderer: Renderer, lines: HelpLines
) -> None:
    for iso, country in lines.countries.items():
        shown = [line for line in country.lines if line.shown]
        for category, tier in (("ideation_active", Tier.URGENT), ("overdose", Tier.EMERGENCY)):
            reply = renderer.crisis(Assessment(tier, category), iso)
            emergency = country.of(Kind.EMERGENCY)[0].tel or ""
            assert emergency in reply.text, (iso, reply.text)
            assert numbers_in(reply.text) <= numbers_of(shown), (iso, reply.text)
            own = [line.tel for line in shown if line.is_crisis and line.tel]
            assert any(tel in reply.text for tel in own) or "findahelpline.com" in reply.text, iso


def test_without_a_country_no_number_but_the_usual_emergency_numbers_is_shown(
    renderer: Renderer,
) -> None:
    for category in ("ideation_active", "psychosis", "abuse", "third_party"):
        reply = renderer.crisis(Assessment(Tier.EMERGENCY, category), None)
        without_choices = re.sub(r"(?m)^\d+\. ", "", renderer.plain(reply))
        assert numbers_in(without_choices) <= {"112", "911", "999"}


def test_988_and_113_are_shown_only_where_they_mean_what_they_say(
    renderer: Renderer, lines: HelpLines
) -> None:
    for iso in lines.countries:
        plain = numbers_in(renderer.plain(renderer.help_lines(iso)))
        assert ("988" in plain) == (iso in ("US", "CA"))
        assert ("113" in plain) == (iso in ("NL", "NO"))


def test_every_record_names_where_it_was_read_and_what_rests_on_memory_has_no_date(
    lines: HelpLines,
) -> None:
    for country in (*lines.countries.values(), lines.international):
        for line in country.lines:
            assert line.sources and line.languages, line.id
            if set(line.sources) <= {"OK", "OK-low"}:
                assert line.source_date is None, line.id
            if line.sources == ("OK-low",):
                assert not line.shown, line.id


def test_a_hotline_that_says_it_takes_no_crisis_is_not_offered_as_one(lines: HelpLines) -> None:
    for country in lines.countries.values():
        for line in country.lines:
            if "not a crisis line" in (line.note or ""):
                assert not line.is_crisis
