"""The let-down diary: nothing without consent, few questions, an honest pattern, erasable."""

from __future__ import annotations

from ebb.conversation.asides import Asides, Entry, entries_from_json, entries_to_json
from ebb.conversation.asides import merged_entries as merged
from ebb.conversation.core import core
from ebb.conversation.screeners import NO, SKIP, YES
from ebb.conversation.state import State
from ebb.types import Finding

DIARY = core().aside.diary
NOW = 1_700_000_000.0
LINE = "log: dread just before let down, 1 min, 7/10"


def entry(at: float, onset: str = "before", length: str = "up_to_2_min") -> Entry:
    facts = (
        Finding("onset_relative_to_letdown", onset),
        Finding("episode_length", length),
        Finding("strength", "moderate", amount=7.0),
    )
    return Entry(at, "dread", facts)


def test_nothing_is_kept_before_she_agreed() -> None:
    asked = DIARY.log(Asides(), LINE, NOW)
    assert asked.open == "diary_consent" and not asked.entries
    assert not DIARY.hear(asked, NO, "no", NOW).entries
    assert len(DIARY.hear(asked, YES, "yes", NOW).entries) == 1


def test_one_full_line_needs_no_question() -> None:
    (kept,) = DIARY.log(Asides(allowed=True), LINE, NOW).entries
    assert DIARY.words(kept) == "dread, just before the milk, up to 2 minutes, 7 of 10"


def test_only_what_is_missing_is_asked_and_all_may_be_skipped() -> None:
    asides, asked = DIARY.log(Asides(allowed=True), "log it", NOW), 0
    while asides.open is not None:
        asides, asked = DIARY.hear(asides, SKIP, "skip", NOW), asked + 1
    assert asked <= 5 and len(asides.entries) == 1


def test_when_it_was_is_read_and_is_never_in_the_future() -> None:
    assert DIARY.entry("log it", NOW).at == NOW
    assert DIARY.entry("log it, an hour ago", NOW).at == NOW - 3600
    assert DIARY.entry("this morning", NOW).at <= NOW
    assert DIARY.entry("last night, sad", NOW).at < NOW


def test_the_pattern_waits_for_three_entries() -> None:
    two = (entry(1.0), entry(2.0))
    assert not DIARY.pattern(two) and not DIARY.findings(two)
    three = (*two, entry(3.0, "at_start"))
    told = {finding.id: finding for finding in DIARY.findings(three)}
    assert told["onset_relative_to_letdown"].value == "before"
    assert told["strength"].source == "carried"
    assert "fits the pattern of D-MER" in " ".join(DIARY.pattern(three))


def test_long_episodes_are_not_said_to_fit() -> None:
    entries = tuple(entry(n, length="longer") for n in (1.0, 2.0, 3.0))
    text = " ".join(DIARY.pattern(entries))
    assert "fits the pattern" not in text and "differ" in text


def test_what_she_said_herself_is_not_replaced_by_the_diary() -> None:
    said = Finding("onset_relative_to_letdown", "any_time")
    asides = Asides(allowed=True, entries=(entry(1.0), entry(2.0), entry(3.0)))
    after = core().aside._fed(State(findings=(said,), asides=asides))
    assert after.values["onset_relative_to_letdown"] == "any_time"
    assert after.values["episode_length"] == "up_to_2_min"


def test_a_diary_sent_from_her_device_is_merged_once() -> None:
    here, sent = (entry(1.0), entry(2.0)), (entry(2.0), entry(3.0))
    assert [e.at for e in merged(here, sent)] == [1.0, 2.0, 3.0]
    assert entries_from_json(entries_to_json(sent)) == sent


def test_what_is_no_entry_is_left_out() -> None:
    assert entries_from_json([{"at": "soon"}, 3, None]) == ()
    assert entries_from_json("nonsense") == ()


def test_a_fresh_start_keeps_the_diary_and_erasing_it_leaves_nothing() -> None:
    asides = Asides(allowed=True, entries=(entry(1.0),))
    assert asides.lasting() == asides
    erased = DIARY.hear(Asides(open="diary_delete", entries=asides.entries), YES, "yes", NOW)
    assert not erased.entries and not erased.allowed
