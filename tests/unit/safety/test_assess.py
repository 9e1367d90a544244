"""What the assessor does whatever the rules say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebb.safety import ERROR, Safety
from ebb.safety.assess import PAIR
from ebb.types import Assessment, Span, Tier, Turn

KNOWLEDGE = Path(__file__).resolve().parents[3] / "knowledge"
NOW = Turn("bot", "Are you thinking about ending your life right now?", "safety.now")


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n", "\x00", "\ud800", "🤱" * 500, "a" * 100_000, "(" * 5_000, "\u200b\u0301", "💀"],
)
def test_any_text_at_all_is_judged_without_an_error(safety: Safety, text: str) -> None:
    assert ERROR not in safety.assess(text).rules


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_random_text_never_raises_and_spans_lie_inside_it(text: str) -> None:
    found = _shared().assess(text)
    assert ERROR not in found.rules
    for span in found.spans:
        assert 0 <= span.start < span.end <= len(text)


def test_a_very_long_message_is_read_to_its_end_in_time(safety: Safety) -> None:
    text = "she feeds and sleeps and i want to pump but not now. " * 1_900 + "i want to kill myself"
    begun = time.perf_counter()
    found = safety.assess(text)
    assert found.tier is Tier.URGENT
    assert time.perf_counter() - begun < 5


def test_nothing_found_is_an_empty_assessment(safety: Safety) -> None:
    assert safety.assess("how many letdowns are there in a feed") == Assessment()


def test_spans_show_the_words_that_fired_as_she_wrote_them(safety: Safety) -> None:
    text = "Ok so... I really wanna k1ll my self 😭"
    found = safety.assess(text)
    assert any("k1ll my self" in text[span.start : span.end] for span in found.spans)


def test_the_most_urgent_rule_decides_and_comes_first(safety: Safety) -> None:
    found = safety.assess("i can't do this anymore. ive taken all my tablets")
    assert (found.tier, found.category) == (Tier.EMERGENCY, "overdose")
    assert found.rules[0] == "overdose.took_many"


def test_a_denial_in_one_sentence_never_silences_another(safety: Safety) -> None:
    found = safety.assess("no thoughts of hurting the baby. i want to die though")
    assert found.tier is Tier.URGENT


def test_an_idiom_beside_a_crisis_never_silences_it(safety: Safety) -> None:
    assert safety.assess("the pump is killing me and i want to kill myself").tier is Tier.URGENT


@pytest.mark.parametrize(
    "pieces",
    [
        ["i want to", "die"],
        ["i dont", "want to be", "here anymore"],
        ["im going to", "kill myself"],
        ["i want to kill", "myself"],
    ],
)
def test_a_thought_sent_in_pieces_is_put_together(safety: Safety, pieces: Sequence[str]) -> None:
    recent = [Turn("user", piece) for piece in pieces[:-1]]
    assert safety.assess(pieces[-1], recent).tier.rank >= Tier.URGENT.rank


def test_a_crisis_of_an_earlier_message_is_not_found_again_in_the_next(safety: Safety) -> None:
    recent = [Turn("user", "i want to die"), NOW]
    assert safety.assess("how long does a letdown last", recent).tier is Tier.NONE


def test_spans_of_a_split_thought_lie_inside_the_last_message(safety: Safety) -> None:
    found = safety.assess("die", [Turn("user", "i want to")])
    assert found.spans == (Span(0, 3),)


def test_only_an_open_safety_question_makes_a_bare_yes_a_crisis(safety: Safety) -> None:
    assert safety.assess("yes").tier is Tier.NONE
    assert safety.assess("yes", [NOW]).tier is Tier.URGENT
    later = [NOW, Turn("user", "no"), Turn("bot", "Does it start before?", "how_often")]
    assert safety.assess("yes", later).tier is Tier.NONE


def test_an_answer_names_the_question_it_answers(safety: Safety) -> None:
    assert safety.assess("yes", [NOW]).rules == ("answer.safety.now.yes",)


@pytest.mark.parametrize(
    ("text", "reading"),
    [("yes", "yes"), ("no", "no"), ("nope not at all", "no"), ("not sure", "unsure"),
     ("no but sometimes", "unsure"), ("my milk is slow", None)],
)  # fmt: skip
def test_answers_are_read_as_yes_no_or_unsure(
    safety: Safety, text: str, reading: str | None
) -> None:
    assert safety.reading(text) == reading


def test_a_failure_inside_asks_her_instead_of_staying_silent(
    safety: Safety, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: object) -> None:
        raise RuntimeError(text)

    monkeypatch.setattr(safety, "_fired", broken)
    found = safety.assess("hello")
    assert (found.tier, found.category, found.rules) == (Tier.CHECK, "ambiguous", (ERROR,))


def test_the_same_message_is_always_judged_the_same(safety: Safety) -> None:
    text = "i dont know, i feel trapped and want it to stop"
    assert len({safety.assess(text) for _ in range(3)}) == 1


def _shared() -> Safety:
    """Hypothesis and function fixtures do not mix: one assessor for its tests."""
    global _SHARED
    if _SHARED is None:
        from ebb.knowledge import crisis, language
        from ebb.text import Reader

        reader = Reader(language.load(KNOWLEDGE / "language"))
        _SHARED = Safety(crisis.load(KNOWLEDGE / "crisis"), reader)
    return _SHARED


_SHARED: Safety | None = None


@pytest.mark.parametrize(
    ("before", "after"),
    [("the pump is killing me. ", ""), ("no fever. ", ""), ("i had mastitis last year. ", ""),
     ("", "\nhow do i increase my supply?"), ("hi, ", ""), ("", ", thanks"), ("", "... sorry")],
)  # fmt: skip
@pytest.mark.parametrize(
    "text",
    ["i want to die", "i took all my tablets", "she'd be better off without me",
     "i keep cutting myself", "i'm going to smother her", "i don't want to be here anymore"],
)  # fmt: skip
def test_words_about_feeding_beside_a_crisis_never_lower_it(
    safety: Safety, before: str, text: str, after: str
) -> None:
    alone = safety.assess(text)
    assert alone.tier.rank >= Tier.URGENT.rank
    assert safety.assess(f"{before}{text}{after}").tier.rank >= alone.tier.rank


FILLER = "it rained on monday and again on tuesday and then we had some toast. "


def test_the_parts_of_a_sign_far_apart_in_a_message_are_no_sign(safety: Safety) -> None:
    near = "he is four weeks old. his temperature reads 38.5 today"
    far = f"he is four weeks old. {FILLER * 5} i pumped 38.5 today"
    assert "baby.hot_or_cold" in safety.assess(near).rules
    assert safety.assess(far).tier is Tier.NONE


def test_two_soft_signs_are_urgent_near_each_other_only(safety: Safety) -> None:
    first, second = "which hurts least", "i feel so trapped"
    assert safety.assess(first).tier is Tier.CHECK
    assert safety.assess(second).tier is Tier.CHECK
    near = safety.assess(f"{first}. {second}")
    assert (near.tier, near.category, near.rules[0]) == (Tier.URGENT, "means_question", PAIR)
    assert safety.assess(f"{first}. {FILLER * 4} {second}").tier is Tier.CHECK


def test_one_soft_sign_told_twice_stays_soft(safety: Safety) -> None:
    assert safety.assess("would it hurt. would it hurt").tier is Tier.CHECK
