"""What the real tables say to a mother, and what they must never say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ebb.knowledge.triage import OutcomeContent, Question, Tables
from ebb.triage import step
from ebb.triage.engine import State, state
from ebb.types import NOT_SURE, REFUSED, Level

LIVING_BABY = re.compile(
    r"\bcot\b|\bnappy|\bnappies|\bfeeds?\b|\bfeeding\b|\blatch|\bhold your baby|\bbaby's\b"
    r"|(?<!that )(?<!with )\b(?:your|the) baby\b(?! died)",
    re.IGNORECASE,
)
NEVER = re.compile(
    r"don't worry|do not worry|commit(?:ted)? suicide|you have (?:depression|psychosis|d-mer|ocd)"
    r"|just hormones|only d-mer\b|think of your baby|\bmg\b|you'll be fine|secret",
    re.IGNORECASE,
)
PHONE = re.compile(r"\+?\d[\d ()-]{5,}\d|\b(?:999|911|112|988|111|1737|116 123)\b")


def words(content: OutcomeContent) -> Iterator[str]:
    yield from (content.heading, content.fits)
    yield from (*content.do, *content.practical, *content.come_back_if)


def spoken(question: Question) -> Iterator[str]:
    yield from (question.ask, question.again, question.explain)
    yield from (text for text in question.variants.values() if text)
    yield from (choice.title for choice in question.buttons)


def everything(real: Tables) -> Iterator[tuple[str, str]]:
    for outcome in real.outcomes.values():
        for variant in (outcome, *outcome.variants.values()):
            yield from ((outcome.id, text) for text in words(variant))
    for question in real.questions.values():
        yield from ((question.finding, text) for text in spoken(question))
    yield from ((row.id, row.reason) for row in real.rows)


def ends(real: Tables, play: str, said: dict[str, str], **answers: str) -> tuple[str, list[str]]:
    """The outcome of a conversation and what was asked; the usual answer where none is given."""
    known, asked = dict(said), []
    while (taken := step(real, known, [play])).ask is not None:
        asked.append(taken.ask)
        known[taken.ask] = answers.get(taken.ask, real.questions[taken.ask].usual)
    assert taken.outcome is not None
    return taken.outcome.id, asked


AT_LETDOWN = {"feeling_at_letdown": "yes"}


# ---- what the answers lead to


@pytest.mark.parametrize(
    ("play", "said", "answers", "outcome"),
    [
        ("feelings", AT_LETDOWN, {"strength": "mild"}, "dmer_pattern"),
        ("feelings", AT_LETDOWN, {"strength": "moderate"}, "dmer_pattern_moderate"),
        ("feelings", AT_LETDOWN, {"strength": "severe"}, "dmer_pattern_severe"),
        ("feelings", AT_LETDOWN, {"episode_length": "up_to_10_min"}, "dmer_possible"),
        ("feelings", AT_LETDOWN, {"episode_length": "longer"}, "not_dmer_alone"),
        ("feelings", AT_LETDOWN, {"onset_relative_to_letdown": "any_time"}, "not_dmer_alone"),
        (
            "feelings",
            {**AT_LETDOWN, "how_often": "once_or_twice"},
            {"strength": "mild"},
            "dmer_early",
        ),
        ("feelings", {**AT_LETDOWN, "how_often": "once_or_twice"}, {}, "dmer_possible"),
        ("feelings", {}, {"mood_between_feeds": "anxious", **AT_LETDOWN}, "dmer_with_low_mood"),
        (
            "feelings",
            AT_LETDOWN,
            {"mood_between_feeds": "somewhat_low", "episode_length": "all_day"},
            "letdown_feeling_with_low_mood",
        ),
        ("feelings", {"thyroid_signs": "yes"}, {}, "thyroid_clues"),
        (
            "feelings",
            {"thyroid_signs": "yes"},
            {"chest_pain_or_breathless": "yes"},
            "chest_pain",
        ),
        ("feelings", {"tired": "yes"}, {}, "ordinary_tiredness"),
        ("feelings", {"tired": "yes"}, {"rest_helps": "no"}, "tired_not_easing"),
        ("feelings", {"tired": "yes"}, {"thoughts_of_harm": "yes"}, "suicidal_thoughts"),
        ("feelings", {"pleasure_lost": "yes"}, {}, "low_mood_recent"),
        (
            "feelings",
            {},
            {"mood_between_feeds": "somewhat_low", "pleasure_lost": "yes"},
            "low_mood_no_pleasure",
        ),
        ("feelings", {"epds_score": "to_30"}, {}, "score_high"),
        ("feelings", {"epds_score": "to_12"}, {}, "score_raised"),
        ("feelings", {"epds_score": "to_9"}, {}, "feeling_well"),
        ("feelings", {"phq9_score": "to_19"}, {}, "score_high"),
        ("feelings", {"gad7_score": "to_14"}, {}, "score_raised"),
        ("feelings", {"epds_item10": "above_zero"}, {}, "score_item_soon"),
        (
            "feelings",
            {"epds_item10": "above_zero"},
            {"thoughts_of_harm": "yes"},
            "suicidal_thoughts",
        ),
        (
            "feelings",
            {"phq9_item9": "above_zero"},
            {"thoughts_of_harm": REFUSED},
            "score_safety_check",
        ),
        ("feelings", AT_LETDOWN, {"mood_between_feeds": "low_most_of_day"}, "dmer_with_low_mood"),
        ("feelings", AT_LETDOWN, {"thoughts_of_harm": "yes"}, "suicidal_thoughts"),
        ("feelings", AT_LETDOWN, {"thoughts_of_harm": NOT_SURE}, "safety_not_sure"),
        ("feelings", AT_LETDOWN, {"thoughts_of_harm": REFUSED}, "dmer_safety_refused"),
        ("feelings", {}, {"thoughts_of_harm": REFUSED}, "safety_refused"),
        (
            "feelings",
            {},
            {"mood_between_feeds": "low_most_of_day", "low_mood_duration": "two_weeks_or_more"},
            "low_mood_two_weeks",
        ),
        (
            "feelings",
            {},
            {"mood_between_feeds": "low_most_of_day", "coping": "struggling"},
            "low_mood_struggling",
        ),
        ("feelings", {}, {"mood_between_feeds": "low_most_of_day"}, "low_mood_recent"),
        (
            "feelings",
            {},
            {"mood_between_feeds": "up_and_down", "baby_age": "day_3_4"},
            "baby_blues",
        ),
        ("feelings", {}, {"mood_between_feeds": "anxious"}, "anxiety"),
        ("feelings", {"panic_attacks": "yes"}, {}, "panic"),
        ("feelings", {"panic_attacks": "yes"}, {"chest_pain_or_breathless": "yes"}, "chest_pain"),
        ("worries", {"harm_images": "yes"}, {}, "unwanted_intrusive_thoughts"),
        ("worries", {"harm_images": "yes"}, {"psychosis_signs": "yes"}, "psychosis_signs"),
        ("worries", {"harm_images": "yes"}, {"psychosis_signs": NOT_SURE}, "psychosis_signs"),
        (
            "worries",
            {"harm_images": "yes"},
            {"harm_images_unwanted": "not_unwanted"},
            "intrusive_not_unwanted",
        ),
        (
            "worries",
            {"harm_images": "yes"},
            {"harm_images_unwanted": NOT_SURE},
            "intrusive_needs_check",
        ),
        ("worries", {"latch_aversion": "yes"}, {}, "feeding_aversion"),
        ("worries", {"birth_flashbacks": "yes"}, {}, "birth_trauma"),
        (
            "worries",
            {"birth_flashbacks": "yes"},
            {"mood_between_feeds": "anxious"},
            "birth_trauma_with_low_mood",
        ),
        (
            "feelings",
            {"weaning": "weaning_now"},
            {"mood_between_feeds": "somewhat_low"},
            "weaning_mood",
        ),
        ("feelings", {**AT_LETDOWN, "weaning": "stopped"}, {}, "dmer_after_weaning"),
        ("loss", {"baby_situation": "died"}, {}, "after_loss"),
        ("loss", {"baby_situation": "died"}, {"thoughts_of_harm": "yes"}, "suicidal_thoughts"),
        ("emergencies", {"baby_fever": "high"}, {"baby_age": "month_2_3"}, "baby_fever_young"),
        ("emergencies", {"baby_fever": "low"}, {"baby_age": "day_0_2"}, "baby_fever_young"),
        ("emergencies", {"baby_fever": "high"}, {"baby_age": "month_3_12"}, "baby_same_day"),
        ("emergencies", {"baby_not_feeding": "yes"}, {"baby_age": "week_3_8"}, "baby_same_day"),
        (
            "emergencies",
            {"baby_not_feeding": "yes"},
            {"baby_hard_to_wake": "yes"},
            "baby_emergency",
        ),
        ("emergencies", {"baby_jaundice": "yes"}, {"baby_not_feeding": "yes"}, "baby_emergency"),
        ("emergencies", {"hours_since_wet_nappy": "from_12"}, {}, "baby_emergency"),
        ("emergencies", {"hours_since_wet_nappy": "from_8"}, {}, "baby_same_day"),
        ("emergencies", {"wet_nappies": "few_3_4"}, {"baby_age": "day_5_6"}, "baby_same_day"),
        ("emergencies", {"wet_nappies": "few_3_4"}, {"baby_age": "week_3_8"}, "baby_few_nappies"),
        ("breast", {"breast_hot_red": "yes"}, {"mother_fever": "yes"}, "breast_same_day"),
        ("breast", {"breast_hot_red": "yes"}, {"flu_like": "yes"}, "breast_same_day"),
        ("breast", {"breast_hot_red": "yes"}, {}, "breast_hot_alone"),
        ("mother", {}, {"mother_fever": "yes"}, "mother_fever"),
    ],
)
def test_each_pattern_ends_where_the_dossier_says(real, play, said, answers, outcome) -> None:
    assert ends(real, play, said, **answers)[0] == outcome


def test_enough_wet_nappies_for_the_day_raise_no_alarm(real) -> None:
    said = {"wet_nappies": "few_3_4", "baby_age": "day_3_4", "closing_signs": "none"}
    taken = step(real, said, ["emergencies"])
    assert taken.outcome is not None
    assert taken.outcome.id == "body_not_clear"


# ---- how it asks


def test_safety_is_asked_early_but_not_as_a_greeting(real) -> None:
    _, asked = ends(real, "feelings", AT_LETDOWN)
    assert asked.index("thoughts_of_harm") in (1, 2)
    assert asked[0] == "onset_relative_to_letdown"


def test_what_she_told_freely_is_not_asked(real) -> None:
    said = {
        **AT_LETDOWN,
        "onset_relative_to_letdown": "before",
        "episode_length": "up_to_2_min",
        "mood_between_feeds": "fine",
    }
    assert ends(real, "feelings", said)[1] == ["thoughts_of_harm", "strength", "closing_signs"]


def test_low_mood_is_not_met_with_questions_about_births_or_latches(real) -> None:
    _, asked = ends(real, "feelings", {}, mood_between_feeds="low_most_of_day")
    unrelated = {"birth_over_a_month_ago", "latch_aversion", "harm_images", "how_often", "strength"}
    assert not unrelated & set(asked)


def test_after_a_loss_only_safety_and_danger_signs_are_asked(real) -> None:
    for play in ("loss", "feelings", "worries", "baby"):
        said = {"baby_situation": "died", **AT_LETDOWN, "birth_flashbacks": "yes"}
        assert set(ends(real, play, said)[1]) <= {"thoughts_of_harm", "closing_signs"}


def test_before_birth_no_question_is_about_milk_or_a_born_baby(real) -> None:
    about_baby = {"baby_age", "feeling_at_letdown", "episode_length", "onset_relative_to_letdown"}
    said = {"baby_situation": "not_born"}
    assert not about_baby & set(ends(real, "feelings", said, mood_between_feeds="somewhat_low")[1])


def test_chest_pain_is_asked_before_fear_is_named(real) -> None:
    outcome, asked = ends(real, "feelings", {"panic_attacks": "yes"})
    assert (outcome, asked[0]) == ("panic", "chest_pain_or_breathless")


# ---- what it says


def test_after_a_loss_nothing_names_a_living_baby(real) -> None:
    after_loss = real.outcomes["after_loss"].level.rank
    for row in real.rows:
        if "died" in row.not_if.get("baby_situation", ()) or row.level.rank < after_loss:
            continue
        if row.level.rank == after_loss and row.outcome != "after_loss":
            continue
        for text in words(real.outcomes[row.outcome].told_in("died")):
            assert not LIVING_BABY.search(text), (row.outcome, text)
    question = real.questions["thoughts_of_harm"].ask_in("died")
    assert question is not None
    assert not LIVING_BABY.search(question)


def test_rows_that_name_a_living_baby_are_silent_after_a_loss(real) -> None:
    for row in real.rows:
        if re.search(r"\bbaby\b", row.reason) and "that your baby died" not in row.reason:
            case = {f: min(v) for f, v in row.when.items()} | {"baby_situation": "died"}
            assert state(row, case) is State.FAILED, row.id


def test_no_text_holds_a_phone_number_or_forbidden_words(real) -> None:
    for where, text in everything(real):
        assert not NEVER.search(text), (where, text)
        assert not PHONE.search(text), (where, text)
        assert "\n\n" not in text, where


def test_sentences_have_twenty_words_or_fewer(real) -> None:
    for where, text in everything(real):
        for sentence in re.split(r"(?<=[.!?:])\s+", text):
            assert len(sentence.split()) <= 20, (where, sentence)


def test_urgent_and_emergency_cards_are_one_call_to_action(real) -> None:
    for outcome in real.outcomes.values():
        for variant in (outcome, *outcome.variants.values()):
            urgent = variant.level.rank >= Level.SAME_DAY.rank
            assert variant.heading.endswith("if:") == urgent, outcome.id
            assert variant.do, outcome.id
            assert variant.come_back_if, outcome.id


def test_danger_to_life_always_comes_with_crisis_lines(real) -> None:
    for name in ("suicidal_thoughts", "safety_not_sure", "safety_refused", "dmer_safety_refused"):
        for situation in (None, "died", "in_hospital", "not_born"):
            assert "crisis" in real.outcomes[name].told_in(situation).lines, (name, situation)


def test_every_dmer_outcome_keeps_the_door_to_depression_open(real) -> None:
    for name, outcome in real.outcomes.items():
        if name.startswith("dmer"):
            told = " ".join(words(outcome))
            assert "mood" in told, name
            assert "not wanting to be alive" in told, name


def test_a_person_still_has_to_sign_every_outcome(real) -> None:
    assert {(o.reviewed_by, o.review_due) for o in real.outcomes.values()} == {(None, None)}


def test_buttons_are_short_enough_for_every_channel(real) -> None:
    for question in real.questions.values():
        assert len(question.buttons) <= 8, question.finding
        for choice in question.buttons:
            assert len(choice.title) <= 24, choice.title


def test_every_question_has_words_of_its_own_for_asking_again(real) -> None:
    for question in real.questions.values():
        assert len(question.again) <= len(question.ask) or question.ask == question.again
