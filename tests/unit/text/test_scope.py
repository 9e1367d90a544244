"""Whose statement it is, and whether it is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.knowledge import language
from ebb.text import PatternSet, Reader, Scope, Scopes

ROOT = Path(__file__).resolve().parents[3]
LANGUAGE = language.load(ROOT / "knowledge" / "language")
READER = Reader(LANGUAGE)
SCOPES = Scopes(LANGUAGE)
PATTERNS = PatternSet(
    [
        ("die", "want~ to die"),
        ("suicidal", "suicidal"),
        ("fever", "fever"),
        ("hurt", "hurt~ (myself|the baby|him|her)"),
        ("kill", "kill~ myself"),
    ],
    {},
)


def scope(text: str) -> Scope:
    read = READER.read(text)
    hits = PATTERNS.find(read)
    assert hits, text
    return SCOPES.of(read, max(hits, key=lambda hit: hit.first))


@pytest.mark.parametrize(
    "text",
    [
        "i dont want to die",
        "not suicidal just exhausted",
        "no thoughts of hurting myself",
        "im not going to kill myself",
        "i would never hurt the baby",
        "i don't think i want to die",
        "ive never felt suicidal",
        "no fever",
        "without a fever",
    ],
)
def test_a_denial_is_a_denial(text: str) -> None:
    assert scope(text).negated


@pytest.mark.parametrize(
    "text",
    [
        "i want to die",
        "no, i want to die",
        "no i want to die",
        "i dont know what to do i want to die",
        "i can't say i don't want to die",
        "not sure i dont want to die",
        "i cant promise i wont kill myself",
        "i never said i wouldnt kill myself",
        "im not ok i want to die",
        "no one cares i want to die",
        "i dont have a fever but i want to die",
        "not only suicidal",
        "nothing helps i want to die",
    ],
)
def test_what_is_not_denied_stands(text: str) -> None:
    assert not scope(text).negated


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("my sister says she wants to die", "other_person"),
        ("my friend is suicidal", "other_person"),
        ("i used to be suicidal", "past"),
        ("i was suicidal with my first", "past"),
        ("what if i hurt him", "hypothetical"),
        ("is it normal to be suicidal?", "question"),
        ("does dmer make people suicidal", "question"),
        ("my midwife asked if i was suicidal", "quoted"),
        ('he goes "i want to die" all the time', "quoted"),
        ("maybe im suicidal", "uncertain"),
        ("not sure if its a fever", "uncertain"),
    ],
)
def test_a_turned_statement_is_known_as_such(text: str, turned: str) -> None:
    assert getattr(scope(text), turned)


@pytest.mark.parametrize("text", ["suicidal", "i feel suicidal", "wanna kill myself", "hurt her"])
def test_a_plain_statement_has_no_turn(text: str) -> None:
    assert scope(text) == Scope()


def test_what_was_past_and_is_back_is_now() -> None:
    assert not scope("i was suicidal with my first and now again").past


def test_her_own_words_after_somebody_elses_are_hers() -> None:
    assert not scope("my husband thinks i want to die").other_person
