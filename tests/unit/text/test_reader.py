"""Messages as tired people type them -> canonical tokens with their place in the original."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.knowledge import language
from ebb.text import Reader, Text

ROOT = Path(__file__).resolve().parents[3]
LANGUAGE = language.load(ROOT / "knowledge" / "language")
READER = Reader(LANGUAGE)


def words(text: str) -> str:
    return " ".join(token.text for token in READER.read(text).tokens)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("im gonna", "i am going to"),
        ("I’m DONT cant", "i am do not can not"),
        ("k1ll my self", "kill myself"),
        ("su1c1de $uicide su!cide s*icide", "suicide suicide suicide suicide"),
        ("s-u-i-c-i-d-e", "suicide"),
        ("s.u.i.c.i.d.e", "suicide"),
        ("k i l l myself", "kill myself"),
        ("un-alive un@live unalive", "unalive unalive unalive"),
        ("killmyself", "kill myself"),
        ("iwanttodie", "i want to die"),
        ("i.want.to.die", "i want to die"),
        ("I want to d\u200bie", "i want to die"),
        ("ｋｉｌｌ ｍｙｓｅｌｆ", "kill myself"),
        ("kіll myѕelf", "kill myself"),  # Cyrillic i and s
        ("𝓀𝒾𝓁𝓁", "kill"),
        ("soooo tiiired heeelp", "so tired help"),
        ("let-down let down letdwon", "letdown letdown letdown"),
        ("D-MER, d mer, dmer", "dmer dmer dmer"),
        ("wet diapers nappy nappies", "wet nappies nappy nappies"),
        ("my lo's diaper", "my babys nappy"),
        ("let down by him", "disappointed by him"),
        ("🔪 😭", "knife crying"),
        ("a\x00b", "a b"),
        ("\ud800 hi", "hi"),
        ("\u202ehi\u202c", "hi"),
        ("crème", "creme"),
        ("milk\r\nfeed", "milk feed"),
    ],
)
def test_what_is_written_oddly_is_read_plainly(typed: str, read: str) -> None:
    assert words(typed) == read


@pytest.mark.parametrize("plain", ["shell", "were", "hell", "ill", "well", "3am", "b12"])
def test_words_that_only_look_like_contractions_stay(plain: str) -> None:
    assert "will" not in words(plain).split()
    assert "are" not in words(plain).split()


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("90 secs", [90]),
        ("1 1/2 hours", [1.5]),
        ("one and a half weeks", [1.5]),
        ("a couple of mins", [2]),
        ("half an hour", [0.5]),
        ("twenty five", [25]),
        ("38,2", [38.2]),
        ("6wks", [6]),
        ("2-3 mins", [2, 3]),
        ("a minute", [1]),
        ("a baby", []),
        ("101F", [101]),
        ("7/10", [7, 10]),
        ("1,200", [1200]),
    ],
)
def test_numbers_are_read_in_digits_and_words(typed: str, numbers: list[float]) -> None:
    found = [t.number for t in READER.read(typed).tokens if t.number is not None]
    assert found == numbers


@pytest.mark.parametrize(
    ("typed", "clauses"),
    [
        ("i feel sad but then fine", 3),
        ("no, i want to", 2),
        ("one\ntwo", 2),
        ("38.2 now", 1),
        ("fine though i cry", 2),
        ("feed.then stop", 2),
        ("...", 0),
    ],
)
def test_clauses_end_at_marks_lines_and_turning_words(typed: str, clauses: int) -> None:
    text = READER.read(typed)
    assert len({token.clause for token in text.tokens}) == clauses == len(text.ends)


def test_a_token_points_at_the_letters_it_came_from() -> None:
    typed = "hi 😭 I\u2019m s\u200bad, k1ll"
    tokens = READER.read(typed).tokens
    assert [typed[t.start : t.end] for t in tokens] == [
        "hi",
        "😭",
        "I’m",
        "I’m",
        "s\u200bad",
        "k1ll",
    ]


def test_quoted_words_are_known_as_quoted() -> None:
    text = READER.read('she said "i want out" to me')
    assert [text.tokens[i].text for i in sorted(text.quoted)] == ["i", "want", "out"]


def test_an_unknown_word_may_be_corrected_by_the_one_who_reads() -> None:
    reader = Reader(LANGUAGE, canonical=lambda word: "suicidal" if word == "suiccidul" else None)
    assert [t.text for t in reader.read("suiccidul milk").tokens] == ["suicidal", "milk"]


AWKWARD = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(list("aeio kl'’-._*/0123456789,!?\"\n@$#\x00\u200b\ud800\u202e😭🔪½")),
    ),
    max_size=200,
)


@settings(max_examples=300, deadline=None)
@given(AWKWARD)
def test_any_text_is_read_with_places_inside_it_that_never_go_back(typed: str) -> None:
    text = READER.read(typed)
    before = 0
    for token in text.tokens:
        assert 0 <= token.start < token.end <= len(typed)
        assert token.start >= before
        before = token.start
        assert token.text
        assert not set(token.text) & set(" |/")
        assert 0 <= token.clause < len(text.ends)


@settings(max_examples=60, deadline=None)
@given(AWKWARD)
def test_the_same_text_is_always_read_the_same(typed: str) -> None:
    def plain(text: Text) -> tuple[object, ...]:
        return text.tokens, text.canonical, text.ends, text.quoted

    assert plain(READER.read(typed)) == plain(Reader(LANGUAGE).read(typed))


@pytest.mark.parametrize(
    "piece", ["a", "a ", "s-", "1/", "\x00", "😭", "\ud800", "'", "a.b", "lets down ", "not ", "*"]
)
def test_reading_stays_linear_on_a_hundred_thousand_characters(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    started = time.perf_counter()
    READER.read(text)
    assert time.perf_counter() - started < 5
