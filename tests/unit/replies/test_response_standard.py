"""The response standard for crisis replies, over everything that can be said.

Every category and tier, in countries with and without lines of their own, wherever the baby is,
for the first message and for five more like it; and every path of answers after it. docs/safety.md
lists which test stands for which point of the standard.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from phone_numbers import digits, numbers_in
from reading_age import reading_age, syllables

from ebb.knowledge.crisis import CATEGORIES
from ebb.knowledge.helplines import HelpLines, Kind
from ebb.knowledge.replies import TIERS, Replies
from ebb.replies import Renderer
from ebb.replies.words import faults
from ebb.types import Assessment, Button, Reply, Span, Tier

COUNTRIES = ("GB", "US", "ES", "KE", None)
BABY = (None, "with_me", "in_hospital", "not_born", "died")
REPEATS = 6
BODY = ("mother_emergency", "baby_emergency")
OTHERS_AT_RISK = ("third_party",)
EVERY = list(itertools.product(CATEGORIES, TIERS))
ANSWERS = ("yes", "no", "not_sure", "refused")
RULES = (
    ("mother_emergency", Tier.CHECK, "mother.unsafe_sleep"),
    ("harm_baby", Tier.EMERGENCY, "harm_baby.done"),
    ("psychosis", Tier.EMERGENCY, "psychosis.mania"),
    ("harm_baby", Tier.EMERGENCY, "psychosis.voices"),
    ("information", Tier.CHECK, "third.bereaved"),
)
"""Findings with a reply of their own."""
NEVER = re.compile(
    r"commit(ted)? suicide|(failed|successful|unsuccessful) (attempt|suicide)|suicidal gesture"
    r"|don't worry|just hormones|only d-mer|you'll be fine|everything will be (fine|okay)"
    r"|think of your (baby|family)|be strong|so strong|brave|selfish"
    r"|our secret|keep (it|this) between"
    r"|promise me|promise that you|safety contract|low risk|no risk|not at risk"
    r"|you (have|are suffering from) (depression|psychosis|ocd|d-mer|postpartum)"
    r"|stop taking|police|social services|can't help you|can't talk about|goodbye|end this chat"
    r"|quick|painless|lethal|\bpills?\b|\btablets?\b|\bknife\b|\brope\b|overdose|\bbridge\b"
    r"|per cent|%"
    r"|never (happen|hurt|act)|passed away|mentally ill|nothing will happen",
    re.I,
)
"""What no reply says: to minimise, to blame, to praise strength, to promise, to diagnose, to name
a method or a dose, to threaten, to end the talk."""


def first(
    renderer: Renderer, category: str, tier: Tier, country: str | None, baby: str | None
) -> Reply:
    return renderer.crisis(Assessment(tier, category), country, baby=baby)


def all_first(renderer: Renderer) -> Iterator[tuple[str, Tier, str | None, str | None, Reply]]:
    for (category, tier), country, baby in itertools.product(EVERY, COUNTRIES, BABY):
        yield category, tier, country, baby, first(renderer, category, tier, country, baby)
    for (category, tier, rule), country, baby in itertools.product(RULES, COUNTRIES, BABY):
        assessment = Assessment(tier, category, (rule,))
        yield category, tier, country, baby, renderer.crisis(assessment, country, baby=baby)


def repeated(
    renderer: Renderer, category: str, tier: Tier, country: str | None, baby: str | None
) -> list[Reply]:
    """The replies to the same kind of message, six times."""
    replies: list[Reply] = []
    for _ in range(REPEATS):
        seen = [reply.id for reply in replies]
        replies.append(renderer.crisis(Assessment(tier, category), country, seen, baby=baby))
    return replies


def after(renderer: Renderer, reply: Reply, baby: str | None) -> Iterator[list[Reply]]:
    """Every path of at most four answers from `reply` on, as a list of the replies."""
    paths = [[reply]]
    while paths:
        path = paths.pop()
        asked = path[-1].asked
        kinds = {renderer.follow_up_kind(asked, value) for value in ANSWERS} if asked else set()
        kinds.discard(None)
        if len(path) == 5 or not kinds:
            yield path
            continue
        for kind in sorted(kind for kind in kinds if kind):
            seen = [one.id for one in path]
            nxt = renderer.crisis_follow_up(kind, asked, "GB", seen, baby=baby)
            paths.append([*path, nxt])


@pytest.fixture(scope="module")
def everything(renderer: Renderer) -> list[tuple[str, str | None, Reply]]:
    """Category, where the baby is, and reply: first ones, repeated ones, follow-ups."""
    found: list[tuple[str, str | None, Reply]] = []
    for category, _tier, _country, baby, reply in all_first(renderer):
        found.append((category, baby, reply))
    for (category, tier), country, baby in itertools.product(EVERY, ("GB", None), BABY):
        found += [
            (category, baby, reply) for reply in repeated(renderer, category, tier, country, baby)
        ]
    for (category, tier), baby in itertools.product(EVERY, BABY):
        reply = first(renderer, category, tier, "GB", baby)
        for path in after(renderer, reply, baby):
            found += [(category, baby, one) for one in path]
        for kind in ("again", "later", "words", "for_them", "plan", "enough", "rest", "feeding"):
            one = renderer.crisis_follow_up(kind, reply.asked, "GB", [reply.id], baby=baby)
            found.append((category, baby, one))
        for kind in ("safe", "unsafe", "unsure"):
            one = renderer.crisis_follow_up(
                kind, reply.asked, "GB", [reply.id], baby=baby, about="dmer"
            )
            found.append((category, baby, one))
    return list({(c, b, r.text): (c, b, r) for c, b, r in found}.values())


# ---- MUST


def test_the_emergency_number_stands_within_the_first_lines(
    renderer: Renderer, lines: HelpLines
) -> None:
    for category, tier, country, baby, reply in all_first(renderer):
        found = lines.find(country) or lines.international
        numbers = {digits(line.tel or "") for line in found.of(Kind.EMERGENCY)}
        top = "\n".join(reply.text.splitlines()[:4])
        assert numbers & {digits(n) for n in numbers_in(top)}, (category, tier, country, baby, top)


def test_a_crisis_line_stands_before_any_question_and_among_the_first_lines(
    renderer: Renderer, lines: HelpLines
) -> None:
    for category, tier, country, _baby, reply in all_first(renderer):
        if category in BODY:
            continue
        own = lines.find(country)
        shown = own.of(Kind.CRISIS) if own else ()
        wanted = [line.tel for line in shown if line.tel] or ["findahelpline.com"]
        said = reply.text.splitlines()
        place = next(n for n, line in enumerate(said) if any(w in line for w in wanted))
        assert place <= 5, (category, tier, country, reply.text)
        asking = [n for n, line in enumerate(said) if _unquoted(line).endswith("?")]
        assert all(place < n for n in asking), (category, tier, country, reply.text)


def _unquoted(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line).strip()


def test_every_crisis_reply_of_any_kind_has_numbers_in_text_and_card(
    everything: list[tuple[str, str | None, Reply]],
) -> None:
    for category, _, reply in everything:
        assert numbers_in(reply.text), (category, reply.id)
        assert reply.card is not None and reply.card["lines"], reply.id


def test_it_says_that_it_is_a_program_and_who_reads_and_who_can_come(renderer: Renderer) -> None:
    for category, tier, _, _, reply in all_first(renderer):
        where = (category, tier)
        assert "I am a computer program, not a person." in reply.text, where
        assert "Nobody reads this as you write." in reply.text, where
        assert "Staff may read it later, but cannot come to help." in reply.text, where


def test_it_acknowledges_in_one_warm_line_at_the_top(renderer: Renderer) -> None:
    warm = re.compile(
        r"You |What you|What is happening|There may be|Thank you|It is okay|That sounds|Frightening"
        r"|I want to be sure|Pictures"
    )
    for category, tier, _, _, reply in all_first(renderer):
        top = reply.text.splitlines()[:3]
        assert any(warm.match(line) for line in top), (category, tier, top)


DIRECT = re.compile(
    r"ending your life|not wanting to be here|end your life|hurt yourself|hurt your baby"
    r"|hurt someone|do harm|act on|those thoughts there|thoughts like these yourself|in danger"
    r"|tell you to|taken (something|more)|told to do harm|thoughts of not wanting to live"
    r"|worse|someone with you|sleepy|hard to wake|very ill|hurt themselves",
    re.I,
)


def test_it_asks_directly_and_one_thing_at_a_time(renderer: Renderer, texts: Replies) -> None:
    for category, tier, _, _, reply in all_first(renderer):
        last = reply.text.splitlines()[-1]
        assert last.endswith("?") and DIRECT.search(last), (category, tier, last)
        assert reply.asked in texts.safety_questions
        asking = [line for line in reply.text.splitlines() if _unquoted(line).endswith("?")]
        assert len(asking) == 1, (category, tier, asking)
        assert len([b for b in reply.buttons if "safety." in b.payload]) >= 3


def test_she_may_always_say_that_she_is_not_sure_or_go_past_the_question(texts: Replies) -> None:
    for question in texts.safety_questions.values():
        assert "not_sure" in dict(question.choices)
        assert {"refused", "not_sure"} <= set(question.then)


SELF = ("ideation_passive", "ideation_active", "method", "plan_or_intent", "burdensomeness")


@pytest.mark.parametrize("baby", BABY)
@pytest.mark.parametrize("tier", [Tier.URGENT, Tier.EMERGENCY])
@pytest.mark.parametrize("category", [*SELF, "entrapment", "self_harm", "overdose", "harm_baby"])
def test_who_is_with_her_and_the_baby_are_announced_and_asked_next(
    renderer: Renderer, category: str, tier: Tier, baby: str | None
) -> None:
    """Whatever she answers, within three more questions; never about a baby after a loss."""
    reply = first(renderer, category, tier, "GB", baby)
    assert "who is with you" in reply.text
    about_baby = baby in (None, "with_me")
    assert ("if your baby is safe" in reply.text) == about_baby
    for path in after(renderer, reply, baby):
        asked = [one.asked for one in path]
        if any(one.id.startswith("crisis.refused") for one in path):
            continue  # she does not want to be asked
        assert "safety.company" in asked[:4], [one.id for one in path]
        if about_baby and "safety.company" in asked[:3] and category != "self_harm":
            place = asked.index("safety.company")
            told = path[place:]
            baby_named = any("baby" in one.text for one in told)
            assert baby_named, [one.id for one in path]
        if not about_baby:
            assert "safety.baby" not in asked


@pytest.mark.parametrize("category", [*SELF, "entrapment"])
def test_an_emergency_reply_has_every_step_to_safety(renderer: Renderer, category: str) -> None:
    reply = first(renderer, category, Tier.EMERGENCY, "GB", "with_me")
    for step in (
        "call 999 now",
        "another adult",
        "Unlock the door",
        "Move away from anything you could use",
        "Lay your baby down somewhere flat and safe",
        "Stay on the phone",
    ):
        assert step in reply.text, step


@pytest.mark.parametrize("category", [*SELF, "entrapment", "self_harm"])
def test_an_urgent_reply_names_a_professional_today_words_for_them_and_a_person_to_tell(
    renderer: Renderer, category: str
) -> None:
    reply = first(renderer, category, Tier.URGENT, "GB", None)
    assert re.search(r"(doctor|nurse).* today", reply.text)
    assert 'You could say, "' in reply.text
    assert "one person you trust" in reply.text
    assert "Words to show a doctor" in [button.title for button in reply.buttons]
    assert "can be treated" in reply.text or "and be treated" in reply.text
    assert "not a failure" in reply.text
    assert "rarely leads to a baby being taken away" in reply.text
    assert "Keep away from anything you could use" in reply.text


@pytest.mark.parametrize("tier", [Tier.URGENT, Tier.EMERGENCY])
@pytest.mark.parametrize("category", [*SELF, "entrapment", "self_harm", "overdose", "psychosis"])
def test_it_says_that_it_can_be_treated(renderer: Renderer, category: str, tier: Tier) -> None:
    for baby in BABY:
        text = first(renderer, category, tier, "GB", baby).text
        assert re.search(r"treat|help is there for you", text), (category, tier, baby)


def test_psychosis_is_an_emergency_and_the_baby_is_not_left_alone_with_her(
    renderer: Renderer,
) -> None:
    for tier in (Tier.URGENT, Tier.EMERGENCY):
        reply = first(renderer, "psychosis", tier, "GB", "with_me")
        assert "Please call 999 now" in reply.text
        assert "Don't stay alone" in reply.text
        assert "Please don't be alone with your baby" in reply.text
        assert "not to blame" in reply.text
    commands = Assessment(Tier.EMERGENCY, "harm_baby", ("harm_baby.intent", "psychosis.voices"))
    reply = renderer.crisis(commands, "GB", baby="with_me")
    assert reply.text.startswith("Lay your baby in the cot")
    for part in ("Please call 999 now", "don't be alone with your baby", "not to blame"):
        assert part in reply.text


def test_unwanted_thoughts_are_met_softly_without_a_promise(renderer: Renderer) -> None:
    for baby in BABY:
        text = first(renderer, "intrusive", Tier.CHECK, "GB", baby).text
        assert "A thought that horrifies you is not a wish." in text
        assert "feels like an order" in text
        assert not re.search(r"never|you would not|won't happen", text)


def test_an_unknown_country_is_asked_in_one_tap_beside_the_usual_numbers(
    renderer: Renderer,
) -> None:
    for (category, tier), baby in itertools.product(EVERY, BABY):
        reply = first(renderer, category, tier, None, baby)
        assert {"112", "911", "999"} <= numbers_in(reply.text)
        assert "Which country are you in?" in reply.text
        assert any("country=" in button.payload for button in reply.buttons)
        assert len(reply.buttons) <= 10
        if category not in BODY:
            assert "findahelpline.com" in reply.text


def test_a_worried_partner_or_sister_is_told_what_to_do_and_say(renderer: Renderer) -> None:
    for tier in TIERS:
        reply = first(renderer, "third_party", tier, "GB", None)
        assert "Stay with them" in reply.text
        assert "move away what they could use" in reply.text
        assert "999" in reply.text and "116 123" in reply.text
        assert "What can I say to them?" in [button.title for button in reply.buttons]
    assert "together" in first(renderer, "third_party", Tier.URGENT, "GB", None).text
    seen = ["crisis.third_party.urgent.1"]
    words = renderer.crisis_follow_up("for_them", "safety.now", "GB", seen)
    assert "Are you thinking about ending your life?" in words.text
    for kind in ("safe", "unsafe", "unsure", "refused", "alone", "with_someone", "not_called"):
        reply = renderer.crisis_follow_up(kind, "safety.now", "GB", seen)
        assert reply.id == f"crisis.{kind}.third_party"
        assert "hurt yourself" not in reply.text


def test_abuse_is_asked_about_carefully(renderer: Renderer) -> None:
    for tier in TIERS:
        reply = first(renderer, "abuse", tier, "GB", None)
        assert "It is not your fault." in reply.text
        assert "leave this page" in reply.text
        assert "not safe for you to chat here" in reply.text
        assert "/delete_my_data" in [button.payload for button in reply.buttons]
        assert "pressed on your neck" in reply.text
    for kind in ("safe", "unsafe", "unsure", "refused", "alone", "with_someone", "not_called"):
        later = renderer.crisis_follow_up(kind, "safety.now", "GB", ["crisis.abuse.urgent.1"])
        assert later.id == f"crisis.{kind}.abuse"


def test_words_and_a_plan_can_be_had_and_keep_the_question_open(renderer: Renderer) -> None:
    assert [renderer.follow_up_kind("words", value) for value in ("show", "for_them", "plan")] == [
        "words",
        "for_them",
        "plan",
    ]
    for category, tier in EVERY:
        reply = first(renderer, category, tier, "GB", None)
        question = reply.text.splitlines()[-1]
        for kind in ("words", "plan", "for_them"):
            shown = renderer.crisis_follow_up(kind, None, "GB", [reply.id])
            assert shown.asked == reply.asked
            assert shown.text.splitlines()[-1] == question
            assert shown.id != reply.id


@pytest.mark.parametrize(
    ("asked", "said", "value"),
    [
        ("safety.company", "i am alone", "no"),
        ("safety.company", "yes but my husband is not here", "no"),
        ("safety.company", "my mum is here", "yes"),
        ("safety.baby", "she is asleep in her cot", "yes"),
        ("safety.baby", "no he is not safe", "no"),
        ("safety.called", "i have not called", "no"),
        ("safety.called", "yes i called", "yes"),
        ("words", "what do i say to her", "for_them"),
        ("words", "what do i tell my doctor", "show"),
        ("safety.now", "i am alone", None),
        ("nothing", "i am alone", None),
    ],
)
def test_words_that_name_an_answer_count_before_yes_and_no(
    renderer: Renderer, asked: str, said: str, value: str | None
) -> None:
    assert renderer.heard(asked, said) == value


def test_only_a_no_that_was_believed_settles_a_question(renderer: Renderer) -> None:
    assert renderer.settles("crisis.safe.thoughts")
    for other in ("crisis.unsure.1", "crisis.unsafe.1", "crisis.information.check.1", "x"):
        assert not renderer.settles(other)


# ---- repetition


@pytest.mark.parametrize("country", ["GB", "ES", None])
def test_six_messages_alike_never_get_the_same_text_twice_in_a_row(
    renderer: Renderer, country: str | None
) -> None:
    for (category, tier), baby in itertools.product(EVERY, BABY):
        replies = repeated(renderer, category, tier, country, baby)
        for one, two in itertools.pairwise(replies):
            assert one.text != two.text, (category, tier, baby, one.id, two.id)
            if "self" in two.id:
                assert one.text.splitlines()[-1] != two.text.splitlines()[-1], (one.id, two.id)


def test_no_path_of_answers_repeats_a_text(renderer: Renderer) -> None:
    for (category, tier), baby in itertools.product(EVERY, BABY):
        reply = first(renderer, category, tier, "GB", baby)
        for path in after(renderer, reply, baby):
            for one, two in itertools.pairwise(path):
                assert one.text != two.text, [r.id for r in path]


def test_no_reply_closes_the_door(everything: list[tuple[str, str | None, Reply]]) -> None:
    stays = re.compile(r"write to me|I go on answering|escribirme|m'écrire", re.I)
    for category, _, reply in everything:
        last = reply.text.splitlines()[-1]
        assert last.endswith("?") or stays.search(reply.text), (category, reply.id, last)


# ---- after a loss, and where the baby is


def test_after_a_loss_or_before_a_birth_nobody_asks_after_a_baby_at_home(
    everything: list[tuple[str, str | None, Reply]],
) -> None:
    at_home = re.compile(r"your baby|the cot\b|take over the baby|your children")
    for category, baby, reply in everything:
        if category in OTHERS_AT_RISK:
            continue
        if baby == "died":
            assert not at_home.search(reply.text), (category, reply.id, reply.text)
        if baby == "not_born":
            assert "cot" not in re.findall(r"\w+", reply.text), (category, reply.id)
            assert "lay your baby" not in reply.text.lower(), (category, reply.id)


# ---- MUST NOT, and the words


def test_no_reply_says_what_must_never_be_said(
    everything: list[tuple[str, str | None, Reply]],
) -> None:
    for category, baby, reply in everything:
        found = NEVER.search(reply.text)
        assert found is None, (category, baby, reply.id, found)


def test_every_sentence_is_short(
    everything: list[tuple[str, str | None, Reply]], texts: Replies
) -> None:
    for _, _, reply in everything:
        assert faults(reply.text, texts.words) == (), reply.id


def test_a_child_of_eleven_could_read_it(
    everything: list[tuple[str, str | None, Reply]],
) -> None:
    ages = []
    for category, _, reply in everything:
        lines = str(reply.meta.get("lines", ""))
        own = reply.text.replace(lines, "") if lines else reply.text
        ages.append(reading_age(own))
        assert ages[-1] <= 11.5, (category, reply.id, ages[-1])
    assert sum(ages) / len(ages) <= 10


def test_a_reply_is_not_a_wall_of_text(everything: list[tuple[str, str | None, Reply]]) -> None:
    for category, _, reply in everything:
        lines = str(reply.meta.get("lines", ""))
        own = reply.text.replace(lines, "") if lines else reply.text
        assert len(own.split()) <= 200, (category, reply.id, len(own.split()))


def test_the_reading_age_tells_easy_from_hard() -> None:
    easy = "You told me a lot. I am glad. Call someone now."
    hard = (
        "Immediate professional consultation concerning your psychological circumstances is"
        " unequivocally recommended notwithstanding apprehension regarding consequences."
    )
    assert reading_age(easy) < 8 < 15 < reading_age(hard)
    assert [syllables(w) for w in ("baby", "now", "someone", "emergency")] == [2, 1, 2, 4]


def test_no_reply_asks_for_a_promise_or_sends_her_away(
    everything: list[tuple[str, str | None, Reply]],
) -> None:
    for _, _, reply in everything:
        assert not re.search(r"\bI will (tell|call|inform|alert|send)\b", reply.text), reply.id
        for button in reply.buttons:
            assert isinstance(button, Button) and button.title.strip()


# ---- her words back


@pytest.mark.parametrize(
    ("category", "rule", "words", "said"),
    [
        ("ideation_passive", "ideation.not_want_live", "dont want to wake up", "not waking up"),
        ("ideation_passive", "ideation.not_want_live", "dont want to be here", "not wanting to be"),
        ("ideation_active", "ideation.kill_self", "want to kill myself", "killing yourself"),
        ("ideation_active", "ideation.suicidal", "suicidal", "suicidal thoughts"),
        ("burdensomeness", "burden.better_off", "im just a burden", "feel like a burden"),
        ("third_party", "third.risk", "my sister says she wants to die", "your sister"),
        ("ambiguous", "ambiguous.cannot", "can\u2019t do this anymore", "can't do this anymore"),
        ("ambiguous", "answer.question_lost", "yes", "lost the start"),
    ],
)
def test_the_first_line_comes_close_to_her_words(
    renderer: Renderer, category: str, rule: str, words: str, said: str
) -> None:
    whole = f"hello. {words} and so on"
    span = Span(whole.index(words), whole.index(words) + len(words))
    assessment = Assessment(Tier.URGENT, category, (rule,), (span,))
    assert said in renderer.crisis(assessment, "GB", words=whole).text.splitlines()[0]


def test_nothing_she_wrote_is_quoted(renderer: Renderer) -> None:
    words = "zxqv kill myself with zxqv from the zxqv"
    assessment = Assessment(
        Tier.EMERGENCY, "plan_or_intent", ("plan.going_to",), (Span(0, len(words)),)
    )
    assert "zxqv" not in renderer.crisis(assessment, "GB", words=words).text


def test_spans_that_do_not_fit_the_words_do_no_harm(renderer: Renderer) -> None:
    assessment = Assessment(Tier.URGENT, "ideation_passive", ("x",), (Span(50, 10), Span(900, 999)))
    assert renderer.crisis(assessment, "GB", words="short").text


# ---- D-MER with moments of wanting to die


def test_once_she_is_safe_dmer_is_named_and_help_is_still_due(renderer: Renderer) -> None:
    seen = ["crisis.ideation_active.urgent.1"]
    reply = renderer.crisis_follow_up("safe", "safety.now", "GB", seen, about="dmer")
    assert "D-MER" in reply.text and "116 123" in reply.text
    assert reply.text.index("999") < reply.text.index("D-MER")
    assert "today, whatever the cause" in reply.text
    assert "D-MER" not in renderer.crisis_follow_up("safe", "safety.now", "GB", seen).text


@pytest.mark.parametrize("kind", ["unsafe", "unsure", "refused", "again", "alone"])
def test_dmer_is_not_a_subject_while_she_is_not_safe(renderer: Renderer, kind: str) -> None:
    seen = ["crisis.ideation_active.urgent.1"]
    reply = renderer.crisis_follow_up(kind, "safety.now", "GB", seen, about="dmer")
    assert "D-MER" not in reply.text
    seen = ["crisis.plan_or_intent.emergency.1"]
    for asked in ("safety.means", "safety.now"):
        reply = renderer.crisis_follow_up("safe", asked, "GB", seen, about="dmer")
        assert "D-MER" not in reply.text


# ---- other languages

SAYS = {
    "es": ("programa", "Nadie lee esto", "no puede venir", "quitarte la vida", "tratar", "bebé"),
    "fr": ("programme", "Personne ne lit", "ne peut pas venir", "mettre fin", "soigne", "bébé"),
}


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize(("language", "rule"), [("es", "spanish"), ("fr", "french")])
def test_the_rule_that_recognised_her_language_chooses_it(
    renderer: Renderer, lines: HelpLines, language: str, rule: str, country: str | None
) -> None:
    assessment = Assessment(Tier.URGENT, "ideation_active", (f"languages.{rule}",))
    reply = renderer.crisis(assessment, country)
    assert reply.id == f"crisis.language.{language}"
    for part in SAYS[language]:
        assert part in reply.text
    assert "In English: I am a computer program" in reply.text
    top = "\n".join(reply.text.splitlines()[:3])
    assert numbers_in(top)
    assert reply.text.splitlines()[-1].endswith("?")
    answers = [b for b in reply.buttons if "safety.now" in b.payload]
    assert [b.payload.split("=")[1].rstrip('"}') for b in answers] == list(ANSWERS)
    assert answers[0].title in ("Sí", "Oui")
    assert SAYS[language][-1] not in renderer.crisis(assessment, country, baby="died").text


@pytest.mark.parametrize("language", ["es", "fr"])
def test_her_answers_are_met_in_her_language_with_numbers(
    renderer: Renderer, language: str
) -> None:
    start = f"crisis.language.{language}"
    kinds = ("safe", "unsafe", "unsure", "refused", "again", "alone", "with_someone", "called")
    for kind, baby in itertools.product(kinds, BABY):
        reply = renderer.crisis_follow_up(kind, "safety.now", "GB", [start], baby=baby)
        assert reply.id.startswith(f"{start}.") and reply.id in renderer.crisis_ids
        assert {"999", "116123"} <= numbers_in(reply.text)
        if baby == "died":
            assert SAYS[language][-1] not in reply.text
    for one, two in itertools.pairwise(_same_again(renderer, language)):
        assert one != two


def _same_again(renderer: Renderer, language: str) -> list[str]:
    seen: list[str] = []
    said = []
    for _ in range(REPEATS):
        assessment = Assessment(Tier.URGENT, "ideation_active")
        reply = renderer.crisis(assessment, "GB", seen, language=language)
        seen.append(reply.id)
        said.append(reply.text)
    return said


def test_a_crisis_in_english_after_one_in_spanish_is_answered_in_english(
    renderer: Renderer,
) -> None:
    seen = ["crisis.language.es"]
    reply = renderer.crisis(Assessment(Tier.URGENT, "ideation_active"), "GB", seen)
    assert reply.id == "crisis.ideation_active.urgent.1"
