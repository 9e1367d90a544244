"""Crisis replies over every category, tier and country that matters, with the real texts."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phone_numbers import numbers_in, numbers_of, shown

from ebb.knowledge.crisis import CATEGORIES
from ebb.knowledge.helplines import HelpLines, Kind
from ebb.knowledge.replies import TIERS, Replies
from ebb.replies import Renderer
from ebb.replies.words import faults
from ebb.types import Assessment, Reply, Tier

COUNTRIES = ("GB", "US", None, "XX")
BABY = (None, "with_me", "in_hospital", "not_born", "died")
EVERY = list(itertools.product((*CATEGORIES, None), TIERS, COUNTRIES))
KINDS = (
    "safe",
    "unsafe",
    "unsure",
    "again",
    "refused",
    "feeding",
    "life",
    "alone",
    "with_someone",
    "called",
    "not_called",
    "rest",
    "later",
)
FALLBACK = "findahelpline.com"


def _reply(renderer: Renderer, category: str | None, tier: Tier, country: str | None) -> Reply:
    return renderer.crisis(Assessment(tier, category), country)


@pytest.mark.parametrize(("category", "tier", "country"), EVERY)
def test_every_first_reply_is_complete(
    renderer: Renderer,
    lines: HelpLines,
    texts: Replies,
    category: str | None,
    tier: Tier,
    country: str | None,
) -> None:
    reply = _reply(renderer, category, tier, country)
    assert reply.id == f"crisis.{category or 'any'}.{tier.value}.1"
    found = lines.find(country)
    emergency = found.of(Kind.EMERGENCY) if found else lines.international.of(Kind.EMERGENCY)
    assert any(line.tel and line.tel in reply.text for line in emergency)
    assert reply.text.count("computer program, not a person") == 1
    assert "Nobody reads this as you write" in reply.text
    assert reply.asked in texts.safety_questions
    assert reply.text.endswith("?")
    assert reply.text.count("?") <= 3 + ("?" in _quoted(reply.text))
    assert reply.card is not None and reply.card["type"] == "help_lines"
    assert "{" not in reply.text and "}" not in reply.text


def _quoted(text: str) -> str:
    return "".join(text.split('"')[1::2])


@pytest.mark.parametrize(("category", "tier", "country"), EVERY)
def test_numbers_stand_before_the_question(
    renderer: Renderer, category: str | None, tier: Tier, country: str | None
) -> None:
    reply = _reply(renderer, category, tier, country)
    question = reply.text.splitlines()[-1]
    assert not numbers_in(question)
    assert numbers_in(reply.text)


@pytest.mark.parametrize(("category", "tier", "country"), EVERY)
def test_every_first_reply_keeps_the_word_rules(
    renderer: Renderer,
    texts: Replies,
    category: str | None,
    tier: Tier,
    country: str | None,
) -> None:
    for baby in BABY:
        reply = renderer.crisis(Assessment(tier, category), country, baby=baby)
        assert faults(reply.text, texts.words) == ()


def test_every_later_reply_and_follow_up_keeps_the_word_rules(
    renderer: Renderer, texts: Replies
) -> None:
    for category, tier, country in itertools.product(CATEGORIES, TIERS, COUNTRIES):
        first = _reply(renderer, category, tier, country)
        seen = [first.id]
        for _ in range(4):
            later = renderer.crisis(Assessment(tier, category), country, seen)
            seen.append(later.id)
            assert faults(later.text, texts.words) == ()
        for kind, baby in itertools.product(KINDS, BABY):
            reply = renderer.crisis_follow_up(kind, first.asked, country, [first.id], baby=baby)
            assert faults(reply.text, texts.words) == (), reply.id
            assert not {"{", "}"} & set(reply.text)


@pytest.mark.parametrize("country", ["GB", "US", "KE", "FI", "NO", "JP", "SG", None, "XX", ""])
def test_no_number_of_another_country_is_ever_shown(
    renderer: Renderer, lines: HelpLines, country: str | None
) -> None:
    found = lines.find(country)
    allowed = numbers_of(shown(found or lines.international))
    for category, tier in itertools.product(CATEGORIES, TIERS):
        first = _reply(renderer, category, tier, country)
        replies = [first, renderer.crisis(Assessment(tier, category), country, [first.id])]
        replies += [
            renderer.crisis_follow_up(kind, first.asked, country, [first.id]) for kind in KINDS
        ]
        for reply in replies:
            assert numbers_in(reply.text) <= allowed, (reply.id, reply.text)


@pytest.mark.parametrize("country", [None, "XX", "KE", "FI"])
def test_without_lines_of_its_own_a_crisis_reply_names_the_directory(
    renderer: Renderer, country: str | None
) -> None:
    reply = _reply(renderer, "ideation_active", Tier.URGENT, country)
    assert FALLBACK in reply.text


def test_an_unknown_country_can_be_told_with_one_tap(renderer: Renderer) -> None:
    for country in (None, "XX"):
        for category, tier in itertools.product(CATEGORIES, TIERS):
            assert len(_reply(renderer, category, tier, country).buttons) <= 10
        reply = _reply(renderer, "ideation_passive", Tier.URGENT, country)
        payloads = [button.payload for button in reply.buttons]
        assert '/inform{"answer": "country=GB"}' in payloads
        assert "/change_country" in payloads
    known = _reply(renderer, "ideation_passive", Tier.URGENT, "GB")
    assert not any("country" in button.payload for button in known.buttons)


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize(("category", "tier"), itertools.product(CATEGORIES, TIERS))
def test_the_same_reply_never_comes_twice_in_a_row(
    renderer: Renderer, category: str, tier: Tier, country: str | None
) -> None:
    seen: list[str] = []
    for _ in range(12):
        reply = renderer.crisis(Assessment(tier, category), country, seen)
        assert not seen or reply.id != seen[-1]
        seen.append(reply.id)
    assert len(set(seen)) >= 3


@given(
    st.lists(st.tuples(st.sampled_from(CATEGORIES), st.sampled_from(TIERS)), max_size=12),
)
def test_no_order_of_crises_repeats_a_reply_at_once(
    renderer: Renderer, messages: list[tuple[str, Tier]]
) -> None:
    seen: list[str] = []
    for category, tier in messages:
        reply = renderer.crisis(Assessment(tier, category), "GB", seen)
        assert not seen or reply.id != seen[-1]
        seen.append(reply.id)


def test_a_more_urgent_message_gets_the_full_reply_for_it(renderer: Renderer) -> None:
    seen = ["crisis.ideation_passive.urgent.1"]
    reply = renderer.crisis(Assessment(Tier.EMERGENCY, "plan_or_intent"), "GB", seen)
    assert reply.id == "crisis.plan_or_intent.emergency.1"


def test_another_kind_of_danger_gets_the_full_reply_for_it(renderer: Renderer) -> None:
    seen = ["crisis.ideation_active.emergency.1"]
    reply = renderer.crisis(Assessment(Tier.EMERGENCY, "harm_baby"), "GB", seen)
    assert reply.id == "crisis.harm_baby.emergency.1"


def test_asking_again_repeats_the_question_and_not_the_words(renderer: Renderer) -> None:
    first = _reply(renderer, "harm_baby", Tier.EMERGENCY, "GB")
    again = renderer.crisis_follow_up("again", first.asked, "GB", [first.id])
    assert again.asked == first.asked
    assert again.text.splitlines()[-1] == first.text.splitlines()[-1]
    assert again.id.startswith("crisis.again")
    assert len(again.text) < len(first.text)
    once_more = renderer.crisis_follow_up("again", first.asked, "GB", [first.id, again.id])
    assert once_more.id != again.id
    assert once_more.text.splitlines()[-1] == first.text.splitlines()[-1]


def test_a_no_is_believed_and_keeps_the_numbers(renderer: Renderer) -> None:
    first = _reply(renderer, "ideation_active", Tier.URGENT, "GB")
    reply = renderer.crisis_follow_up("safe", first.asked, "GB", [first.id])
    assert "116 123" in reply.text and "999" in reply.text
    assert reply.asked == "safety.company"


def test_a_no_about_means_is_not_taken_as_safe(renderer: Renderer) -> None:
    first = _reply(renderer, "plan_or_intent", Tier.EMERGENCY, "GB")
    assert first.asked == "safety.means"
    reply = renderer.crisis_follow_up("safe", first.asked, "GB", [first.id])
    assert reply.id == "crisis.safe.means"
    assert reply.asked != "carry_on"


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("ideation_active", "crisis.unsafe.1"),
        ("harm_baby", "crisis.unsafe.baby"),
        ("psychosis", "crisis.unsafe.mind"),
        ("third_party", "crisis.unsafe.third_party"),
        ("abuse", "crisis.unsafe.abuse"),
    ],
)
def test_a_yes_is_met_for_what_was_asked(renderer: Renderer, category: str, expected: str) -> None:
    first = _reply(renderer, category, Tier.CHECK, "GB")
    reply = renderer.crisis_follow_up("unsafe", first.asked, "GB", [first.id])
    assert reply.id == expected
    assert "999" in reply.text


def test_answers_about_company_lead_to_their_own_replies(renderer: Renderer) -> None:
    seen = ["crisis.mother_emergency.emergency.1"]
    kinds = [renderer.follow_up_kind("safety.company", value) for value in ("no", "yes")]
    assert kinds == ["alone", "with_someone"]
    alone, together = (
        renderer.crisis_follow_up(str(kind), "safety.company", "GB", seen) for kind in kinds
    )
    assert (alone.id, together.id) == ("crisis.alone.body", "crisis.with_someone.body")
    assert "999" in alone.text and "999" in together.text


def test_every_answer_to_a_safety_question_has_a_follow_up(
    renderer: Renderer, texts: Replies
) -> None:
    for question in texts.safety_questions.values():
        for value, _ in question.choices:
            kind = renderer.follow_up_kind(question.id, value)
            assert kind is not None
            reply = renderer.crisis_follow_up(kind, question.id, "GB")
            assert reply.id.startswith(f"crisis.{kind}.")


def test_after_a_loss_no_crisis_reply_speaks_of_a_living_baby(renderer: Renderer) -> None:
    for category, tier in itertools.product(CATEGORIES, TIERS):
        if category == "third_party":
            continue  # the baby there is not hers
        first = renderer.crisis(Assessment(tier, category), "GB", baby="died")
        texts = [first.text]
        for kind in KINDS:
            reply = renderer.crisis_follow_up(kind, first.asked, "GB", [first.id], baby="died")
            texts.append(reply.text)
        seen = [first.id]
        for _ in range(3):
            later = renderer.crisis(Assessment(tier, category), "GB", seen, baby="died")
            seen.append(later.id)
            texts.append(later.text)
        for text in texts:
            assert "your baby" not in text and " cot" not in text, (category, text)


@pytest.mark.parametrize("language", ["es", "fr"])
def test_a_language_that_is_not_spoken_still_gets_numbers(
    renderer: Renderer, language: str
) -> None:
    for country in ("GB", None):
        assessment = Assessment(Tier.URGENT, "ideation_active")
        reply = renderer.crisis(assessment, country, language=language)
        assert reply.id == f"crisis.language.{language}"
        later = renderer.crisis(assessment, country, [reply.id], language=language)
        assert later.id == f"crisis.language.{language}.2"
        assert numbers_in(reply.text)
        assert reply.asked == "safety.now"
        assert "In English" in reply.text


@given(
    category=st.none() | st.text(max_size=20) | st.sampled_from(CATEGORIES),
    tier=st.sampled_from(Tier),
    country=st.none() | st.text(max_size=4),
    seen=st.lists(st.text(max_size=30) | st.sampled_from(["crisis.safe.1", "crisis.again.1"])),
    baby=st.none() | st.text(max_size=5) | st.sampled_from(BABY),
    kind=st.text(max_size=8) | st.sampled_from(KINDS),
    asked=st.none() | st.text(max_size=8) | st.sampled_from(["safety.now", "safety.company"]),
)
def test_nothing_makes_a_crisis_reply_fail(
    renderer: Renderer,
    category: str | None,
    tier: Tier,
    country: str | None,
    seen: list[str],
    baby: str | None,
    kind: str,
    asked: str | None,
) -> None:
    assessment = Assessment(tier, category)
    for reply in (
        renderer.crisis(assessment, country, seen, baby=baby),
        renderer.crisis_follow_up(kind, asked, country, seen, assessment, baby=baby),
    ):
        assert numbers_in(reply.text)
        assert renderer.plain(reply)


@pytest.mark.parametrize("answers", itertools.product(("yes", "no", "not_sure"), repeat=4))
def test_no_chain_of_answers_repeats_a_reply_or_hurries_back_to_feeding(
    renderer: Renderer, answers: tuple[str, ...]
) -> None:
    reply = _reply(renderer, "plan_or_intent", Tier.EMERGENCY, "GB")
    seen = [reply.id]
    for answer in answers:
        kind = renderer.follow_up_kind(reply.asked or "", answer)
        if kind is None:
            break
        danger = kind in ("unsafe", "alone", "with_someone", "not_called")
        reply = renderer.crisis_follow_up(kind, reply.asked, "GB", seen)
        assert reply.id != seen[-1]
        assert not danger or reply.asked != "carry_on"
        seen.append(reply.id)


def test_not_wanting_to_go_on_is_fine(renderer: Renderer) -> None:
    assert renderer.follow_up_kind("carry_on", "yes") is None
    kind = renderer.follow_up_kind("carry_on", "no")
    reply = renderer.crisis_follow_up(str(kind), "carry_on", "GB", ["crisis.safe.1"])
    assert reply.asked is None and "116 123" in reply.text


def test_a_late_tap_on_an_older_answer_keeps_its_meaning(renderer: Renderer) -> None:
    seen = ["crisis.ideation_active.urgent.1", "crisis.unsure.1"]
    reply = renderer.crisis_follow_up("unsafe", "safety.company", "GB", seen)
    assert reply.id.startswith("crisis.unsafe")


def test_the_ids_of_crisis_replies_are_all_known(renderer: Renderer) -> None:
    for category, tier in itertools.product(CATEGORIES, TIERS):
        assert _reply(renderer, category, tier, "GB").id in renderer.crisis_ids
    for kind in KINDS:
        assert renderer.crisis_follow_up(kind, None, "GB").id in renderer.crisis_ids


def test_every_wording_of_a_danger_question_fits_yes_as_danger(texts: Replies) -> None:
    """A guard for editors: a question that asks for safety must not stand under a danger id."""
    entries = [*texts.crisis.values(), *(f.reply for f in texts.follow_ups)]
    entries += [entry for later in texts.more.values() for entry in later]
    for entry in entries:
        question = texts.safety_questions.get(entry.asked or "")
        if question is None or question.yes_means != "danger":
            continue
        for wording in (entry.question.default, *entry.question.by_baby.values()):
            assert "safe?" not in wording.replace("not safe", ""), wording
            assert "someone with you" not in wording, wording
