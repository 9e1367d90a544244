"""What mothers type -> what is heard."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.findings import Extractor, derive
from ebb.knowledge import findings as finding_rules
from ebb.knowledge import language
from ebb.text import Reader, Scopes
from ebb.types import Finding

ROOT = Path(__file__).resolve().parents[3]
LANGUAGE = language.load(ROOT / "knowledge" / "language")
RULES = finding_rules.load(ROOT / "knowledge" / "findings")
READER = Reader(LANGUAGE)
EXTRACTOR = Extractor(RULES, READER, Scopes(LANGUAGE))
TODAY = date(2025, 5, 14)
EXAMPLES = [
    example
    for file in sorted(Path(__file__).parent.glob("examples*.yml"))
    for example in yaml.safe_load(file.read_text(encoding="utf-8"))["examples"]
]


def hear(text: str, asked: str | None = None) -> dict[str, Finding]:
    found = EXTRACTOR.extract(READER.read(text), asked, today=TODAY)
    return {finding.id: finding for finding in found}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.get('asked', '')}:{e['say']}"[:70])
def test_a_message_tells_what_a_listener_would_hear(example: dict) -> None:  # type: ignore[type-arg]
    heard = {name: f.value for name, f in hear(example["say"], example.get("asked")).items()}
    expected = {name: str(value) for name, value in example["hear"].items()}
    assert {name: heard.get(name) for name in expected} == expected, heard
    for unheard in example.get("not", ()):
        assert unheard not in heard, heard
    for finding, value in example.get("not_value", {}).items():
        assert heard.get(finding) != value


def test_silence_never_denies_thoughts_of_harm() -> None:
    for example in EXAMPLES:
        if "harm" in example["hear"] or example.get("asked") == "thoughts_of_harm":
            continue
        heard = hear(example["say"], example.get("asked")).get("thoughts_of_harm")
        if heard is not None and heard.value == "no":
            assert example["hear"].get("thoughts_of_harm") == "no", example["say"]


def test_every_value_has_words_to_say_it_back() -> None:
    for rule in RULES.findings.values():
        for value, said in rule.values.items():
            assert said == said.strip().rstrip("."), (rule.id, value)


def test_every_word_of_the_patterns_can_be_read() -> None:
    odd = [
        word
        for word in EXTRACTOR.words
        if not READER.is_canonical(word.lstrip("~"), lemma=word.startswith("~"))
    ]
    assert sorted(odd) == []


def test_an_answer_is_marked_as_an_answer_and_keeps_its_amount() -> None:
    heard = hear("about 90 secs", asked="episode_length")["episode_length"]
    assert (heard.source, heard.amount) == ("answered", 90.0)


def test_a_finding_points_at_the_words_it_came_from() -> None:
    said = "hi. ds is 3 months, sleepy"
    span = hear(said)["baby_age"].span
    assert span is not None
    assert "3 months" in said[span.start : span.end]


def test_the_age_of_the_baby_tells_how_long_ago_the_birth_was_even_without_an_amount() -> None:
    assert [f.value for f in derive(RULES, {"baby_age": "month_2_3"})] == ["yes"]
    assert derive(RULES, {"baby_age": "week_3_8"}) == ()


TYPED = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(sorted({w for e in EXAMPLES for w in e["say"].split()})), max_size=15
    ).map(" ".join),
)


@settings(max_examples=150, deadline=None)
@given(TYPED, st.sampled_from([None, *RULES.findings]))
def test_any_text_is_heard_without_an_error_and_only_with_allowed_values(
    text: str, asked: str | None
) -> None:
    for finding in hear(text, asked).values():
        assert finding.value in RULES.allowed(finding.id)
        if finding.span is not None:
            assert 0 <= finding.span.start <= finding.span.end <= len(text)


@settings(max_examples=100, deadline=None)
@given(TYPED, st.sampled_from(["", " ", "\n", "  \t"]), st.sampled_from(["", " ", "\n"]))
def test_surrounding_space_changes_nothing(text: str, before: str, after: str) -> None:
    plain = {name: (f.value, f.amount) for name, f in hear(text).items()}
    padded = {name: (f.value, f.amount) for name, f in hear(before + text + after).items()}
    assert plain == padded
