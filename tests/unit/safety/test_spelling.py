"""Misspelt crisis words are recognised, and ordinary words are left alone."""

from __future__ import annotations

import pytest

from ebb.knowledge.crisis import CrisisRules, Spelling
from ebb.safety import Speller


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("sucidal", "suicidal"), ("suicdial", "suicidal"), ("overdoze", "overdose"),
     ("suiccide", "suicide"), ("paracetomol", "paracetamol"), ("unaliv", "unalive")],
)  # fmt: skip
def test_a_slip_of_the_finger_is_forgiven(rules: CrisisRules, typed: str, meant: str) -> None:
    assert Speller(rules.spelling)(typed) == meant


@pytest.mark.parametrize("word", ["milk", "latch", "elvie", "haakaa", "killian", "zzzz", "x", ""])
def test_other_words_are_left_alone(rules: CrisisRules, word: str) -> None:
    assert Speller(rules.spelling)(word) is None


def test_only_as_many_slips_as_the_word_allows_are_forgiven() -> None:
    spelling = Spelling({"suicidal": 2, "tablets": 1}, {}, frozenset())
    speller = Speller(spelling)
    assert speller("tabltes") == "tablets"
    assert speller("tbltes") is None
    assert speller("sicdal") == "suicidal"
