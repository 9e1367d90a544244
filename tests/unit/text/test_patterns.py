"""The pattern language."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ebb.knowledge import language
from ebb.text import PatternError, PatternSet, Reader

ROOT = Path(__file__).resolve().parents[3]
LANGUAGE = language.load(ROOT / "knowledge" / "language")
READER = Reader(LANGUAGE)
CONCEPTS = {"drink": ["tea", "hot (milk|cocoa)"], "have": ["{drink} now", "sip~"]}


def found(pattern: str, text: str) -> list[str]:
    read = READER.read(text)
    hits = PatternSet([("key", pattern)], CONCEPTS).find(read)
    return [" ".join(t.text for t in read.tokens[hit.first : hit.last + 1]) for hit in hits]


@pytest.mark.parametrize(
    ("pattern", "text", "hits"),
    [
        ("kill", "he will kill", ["kill"]),
        ("kill", "killing", []),
        ("kill~", "killing kills", ["killing", "kills"]),
        ("(feel|get) sad", "i get sad and feel sad", ["get sad", "feel sad"]),
        ("very [very] sad", "very very sad", ["very very sad"]),
        ("{have}", "hot cocoa now", ["hot cocoa now"]),
        ("{have}", "sipping", ["sipping"]),
        ("want ... die", "want to just die", ["want to just die"]),
        ("want ... die", "want to really just now die", []),
        ("want ..5 die", "want to really just now die", ["want to really just now die"]),
        ("want ... die", "want. die", []),
        ("want // die", "want. die", ["want die"]),
        ("<num> weeks", "two weeks", ["two weeks"]),
        ("<num> weeks", "some weeks", []),
        ("so <any> sad", "so very sad", ["so very sad"]),
        ("^ milk", "more milk, milk", ["milk"]),
        ("milk $", "milk more, milk", ["milk"]),
        ("want to die !(of|from)", "want to die of shame", []),
        ("want to die !(of|from)", "want to die", ["want to die"]),
        ("sad", "sad sad", ["sad", "sad"]),
    ],
)
def test_a_pattern_matches_what_it_says(pattern: str, text: str, hits: list[str]) -> None:
    assert found(pattern, text) == hits


@pytest.mark.parametrize(
    "bad", ["", "(a", "a)", "[a", "{nobody}", "[a]", "..40 a", "a | b", "a & b", "..."]
)
def test_a_pattern_that_makes_no_sense_is_refused(bad: str) -> None:
    with pytest.raises(PatternError):
        PatternSet([("key", bad)], CONCEPTS)


def test_a_concept_that_needs_itself_is_refused() -> None:
    with pytest.raises(PatternError, match="needs itself"):
        PatternSet([("key", "{a}")], {"a": ["{b}"], "b": ["x {a}"]})


def test_words_in_a_gap_are_told_as_free() -> None:
    read = READER.read("i do not really want to die")
    (hit,) = PatternSet([("key", "i ... want to die")], {}).find(read)
    assert [read.tokens[i].text for i in hit.free] == ["do", "not", "really"]


def test_matching_stays_linear_on_a_hundred_thousand_characters() -> None:
    patterns = PatternSet(
        [
            ("a", "want ..5 to ..5 die"),
            ("b", "[want] [to] ..5 want ..5 gone"),
            ("c", "<any> ..5 gone"),
        ],
        {},
    )
    read = READER.read("want to " * 12_000 + "die gone")
    started = time.perf_counter()
    assert patterns.find(read)
    assert time.perf_counter() - started < 10


def test_every_word_of_the_shared_concepts_can_be_read() -> None:
    words = PatternSet(
        [(name, f"{{{name}}}") for name in LANGUAGE.concepts], LANGUAGE.concepts
    ).words
    odd = [w for w in words if not READER.is_canonical(w.lstrip("~"), lemma=w.startswith("~"))]
    assert sorted(odd) == []
