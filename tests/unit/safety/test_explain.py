"""A person can see which rule fired on which words, and what turned it."""

from __future__ import annotations

import pytest

from ebb.safety import Safety
from ebb.safety.explain import explain
from ebb.types import Turn


def lines(safety: Safety, text: str, *recent: Turn) -> str:
    return "\n".join(explain(safety, text, recent))


def test_the_rule_its_words_and_its_sources_are_named(safety: Safety) -> None:
    told = lines(safety, "last night i took all my tablets")
    assert told.startswith("emergency: overdose")
    assert 'overdose.took_many: "took all my tablets" -> emergency' in told
    assert "RF03" in told


def test_what_left_a_hit_out_is_told(safety: Safety) -> None:
    told = lines(safety, "i'm not going to kill myself")
    assert "left out: denied" in told


def test_what_lowered_a_hit_is_told(safety: Safety) -> None:
    told = lines(safety, "my midwife asked if i was suicidal")
    assert "lowered from urgent" in told


def test_an_answer_to_an_open_question_is_told_as_one(safety: Safety) -> None:
    asked = Turn("bot", "Are you thinking about ending your life right now?", "safety.now")
    assert "her answer to the safety question" in lines(safety, "yes", asked)


@pytest.mark.parametrize("text", ["", "how do i latch him", "🤱"])
def test_an_ordinary_message_is_explained_in_one_line(safety: Safety, text: str) -> None:
    assert lines(safety, text) == "none: no danger found in these words"


@pytest.mark.parametrize(
    ("text", "language"),
    [("quiero morir", "es"), ("Ya no quiero vivir más", "es"), ("je veux mourir", "fr"),
     ("jveux mourir", "fr"), ("i want to die", None), ("ich will sterben", None),
     ("i want to pump more", None)],
)  # fmt: skip
def test_the_language_of_a_crisis_is_known(safety: Safety, text: str, language: str | None) -> None:
    assert safety.language(safety.assess(text)) == language
