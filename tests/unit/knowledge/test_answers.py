"""The answers in domain.yml, as she reads them: facts, words, buttons, sources."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ebb.knowledge.sources import Grade, Kind, load
from ebb.knowledge.yaml_reader import ContentError

ROOT = Path(__file__).parents[3]
DOMAIN: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
SOURCES = load(ROOT / "knowledge" / "sources.yml")
INTENTS = [name for entry in DOMAIN["intents"] for name in entry]
SITUATIONS = ("pregnant", "later_baby", "expressing")

LONGEST_SENTENCE = 20
LONGEST_TITLE = 24
MOST_BUTTONS = 3

OWN_RESPONSE = {"change_country": "utter_country"}
"""Intents whose response is not named after them."""
TRIAGED = [
    "report_feeling_at_letdown",
    "report_low_mood",
    "report_baby_blues",
    "report_anxiety",
    "report_intrusive_thoughts",
    "report_birth_trauma",
    "report_feeding_aversion",
    "report_weaning_mood",
    "report_slow_letdown",
    "report_breast_problem",
    "report_nipple_pain",
    "report_baby_concern",
    "report_mother_concern",
    "report_unsafe_home",
    "report_pump_no_letdown",
    "report_low_supply",
    "report_fast_letdown",
    "report_painful_letdown",
    "affirm",
    "deny",
    "not_sure",
    "inform",
    "go_back",
]
ACTION_ONLY = {
    "start_screener": "action_triage",
    "log_episode": "action_triage",
    "show_diary": "action_triage",
    "start_over": "action_start_over",
    "show_why": "action_show_why",
    "delete_my_data": "action_forget",
    "nlu_fallback": "action_clarify",
    **dict.fromkeys(TRIAGED, "action_triage"),
}
"""Intents that an action answers."""
NO_INTENT: set[str] = set()
"""Responses that no single intent leads to."""

FACTS: dict[str, tuple[str, ...]] = {
    "SF1": ("pushing milk out", "happens by itself during a feed|so that it flows"),
    "SF2": ("reflex", "body and (emotions|feelings)|emotional reflex"),
    "SF3": ("sucking starts it", "muscles squeeze around the places where milk is made"),
    "SF4": ("hearing a cry", "thinking of baby|feelings can start|thought of baby", "any feeling"),
    "SF5": ("a few times in one (feed|session)", "notice only the first"),
    "SF6": ("that is fine|it does not mean that it is absent|nothing|none",),
    "SF7": ("tingling",),
    "SF8": ("in the first (days|week)", "cramps like period or labour pains|cramps"),
    "SF9": ("stronger with a second baby", "stronger (again )?with each"),
    "SF10": ("drip from your other breast",),
    "SF11": ("quick suck", "slower suck"),
    "SF12": ("key to .*low supply", "key to (\\w+ )*expressing|to expressing"),
    "SF13": ("attach|latch", "stall"),
    "SF14": ("does not come by itself|come less easily",),
    "SF15": ("expressing is very hard",),
    "SF16": ("things can help milk let down", "at the breast or when expressing|express"),
    "SF17": ("music", "chair", "candle", "warm", "shoulders", "relax"),
    "SF18": ("towards the nipple", "warm cloth"),
    "SF19": ("smell", "photo", "sit close"),
    "SF20": ("watch tv", "mind off"),
    "SF21": ("container without marks",),
    "SF22": ("checking the amount", "nervous", "slow let-down|hold let-down back|against let-down"),
    "SF23": ("2007", "Alia Macrina Heise"),
    "SF24": ("health (workers|professionals)", "little known|do not know it"),
    "SF25": ("nobody knows for sure how many", "always existed", "no name"),
    "SF26": ("bad feeling",),
    "SF27": ("great sadness", "deep emptiness", "suicide|of dying|not wanting to live"),
    "SF28": ("with or without|one or both|as well", "very different"),
    "SF29": ("a few seconds", "two minutes|minutes"),
    "SF30": ("linked to let-down|only with let-down", "between feeds"),
    "SF31": ("when you express", "at the breast"),
    "SF32": ("several times in one feed",),
    "SF33": ("hard to live with", "returns more often when the feelings are strongest"),
    "SF34": ("during sex",),
    "SF35": ("least affected", "3 to 4 months"),
    "SF36": ("eases", "month 10 to 12"),
    "SF37": ("at weaning, or some time after",),
    "SF38": ("worth knowing|good to know", "feeding goes well", "not born yet|before birth|before"),
    "SF39": ("low milk", "expressing", "avoid problems|trouble", "enjoy feeding|pleasant"),
}
"""What must be read in an answer that states the fact."""

BANNED = (
    r"don'?t worry",
    r"do not worry",
    r"\bjust (hormones|d-mer|tired|relax)",
    r"only d-mer",
    r"you('ll| will) be (fine|ok)",
    r"\byou should(n't| not)? have\b",
    r"\bcommit(ted|ting)? suicide",
    r"(successful|failed) attempt",
    r"\byou (have|suffer from|are suffering from) (the )?(d-mer|depression|mastitis|psychosis)",
    r"\byou (have|suffer from|are suffering from) (the )?(ocd|anxiety|baby blues|aversion)",
    r"you are depressed",
    r"good mothers?",
    r"bad mothers?",
    r"think of your (baby|child)",
    r"best for baby",
    r"breast is best",
    r"confidential",
    r"\b(private|secret)\b",
    r"\bi promise",
    r"passed away",
    r"mentally ill",
    r"pump and dump",
    r"\b(domperidone|metoclopramide|bupropion|sertraline|pseudoephedrine|ibuprofen|paracetamol)\b",
    r"\b(antidepressants?|antibiotics?|fenugreek|rhodiola|lecithin|galactagogues?)\b",
    r"\b\d+ ?(mg|ml|milligrams?)\b",
)

HELP_NOW = r"help (now|right now|at once)|emergency number (or a crisis line )?now"


@dataclass(frozen=True)
class Answer:
    """One variation of one response."""

    name: str
    number: int
    raw: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.name}[{self.number}]"

    @property
    def text(self) -> str:
        return str(self.raw["text"])

    @property
    def tags(self) -> list[str]:
        return list(self.raw["metadata"]["sources"])

    @property
    def buttons(self) -> list[dict[str, str]]:
        return list(self.raw.get("buttons", []))


ANSWERS = [
    Answer(name, number, raw)
    for name, variations in DOMAIN["responses"].items()
    for number, raw in enumerate(variations)
]
every_answer = pytest.mark.parametrize("answer", ANSWERS, ids=str)


def response_of(intent: str) -> str:
    plain = re.sub(r"^(ask|report)_", "", intent)
    return OWN_RESPONSE.get(intent, f"utter_{plain}")


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])[\"']?\s+|\n", text) if part.strip()]


def phone_like(text: str) -> Iterator[str]:
    for hit in re.findall(r"\+?\d(?:[\s().\-]*\d){2,}", text):
        if not re.fullmatch(r"(19|20)\d\d|\d{2,3}\.\d", hit):
            yield hit


def says(text: str, pattern: str) -> bool:
    return re.search(pattern, " ".join(text.split()), re.IGNORECASE) is not None


# ---- facts


def test_the_table_of_facts_has_all_thirty_nine() -> None:
    assert list(FACTS) == [f"SF{number}" for number in range(1, 40)]


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_of_the_article_is_stated_by_an_answer(fact: str) -> None:
    told = " ".join(answer.text for answer in ANSWERS if fact in answer.tags)
    missing = [pattern for pattern in FACTS[fact] if not says(told, pattern)]
    assert not missing, f"no answer tagged {fact} says {missing}"


@every_answer
def test_an_answer_says_something_of_each_fact_that_it_cites(answer: Answer) -> None:
    for fact in (tag for tag in answer.tags if tag in FACTS):
        assert any(says(answer.text, pattern) for pattern in FACTS[fact]), fact


@every_answer
def test_suicidal_feelings_at_letdown_always_come_with_help_now(answer: Answer) -> None:
    if "SF27" in answer.tags or says(answer.text, r"suicid|of dying|not wanting to live"):
        assert says(answer.text, HELP_NOW)


def test_a_range_of_months_is_given_and_never_a_date() -> None:
    text = DOMAIN["responses"]["utter_dmer_duration"][0]["text"]
    assert says(text, "3 and 12 months") and says(text, "Nobody can give you a date")


def test_how_common_dmer_is_is_given_as_a_range_of_small_studies() -> None:
    text = DOMAIN["responses"]["utter_dmer_how_common"][0]["text"]
    assert says(text, "roughly 1 in 20 to 1 in 4") and says(text, "small studies")


@every_answer
def test_warmth_on_the_breast_is_never_advised_without_the_sore_breast_rule(answer: Answer) -> None:
    pregnant = any(c["name"] == "pregnant" and c["value"] for c in answer.raw.get("condition", []))
    if says(answer.text, "warm cloth") and not pregnant:
        assert says(answer.text, "hot, red or painful, use cool packs and no firm massage")


@every_answer
def test_candles_come_with_fire_safety(answer: Answer) -> None:
    if says(answer.text, "candle"):
        assert says(answer.text, "far from baby, and never burn them when sleepy")


# ---- every intent has its answer


@pytest.mark.parametrize("intent", INTENTS)
def test_every_intent_has_its_response_or_action(intent: str) -> None:
    if intent in ACTION_ONLY:
        assert ACTION_ONLY[intent] in DOMAIN["actions"]
    else:
        assert response_of(intent) in DOMAIN["responses"]


def test_no_response_stands_there_for_nothing() -> None:
    used = {response_of(intent) for intent in INTENTS if intent not in ACTION_ONLY} | NO_INTENT
    assert set(DOMAIN["responses"]) == used


def test_the_same_question_gets_the_same_answer_in_every_situation() -> None:
    for name, variations in DOMAIN["responses"].items():
        assert sum("condition" not in raw for raw in variations) == 1, name
        for values in itertools.product((True, False), repeat=len(SITUATIONS)):
            now = dict(zip(SITUATIONS, values, strict=True))
            fitting = [
                raw
                for raw in variations
                if (wanted := raw.get("condition"))
                and all(now[one["name"]] is one["value"] for one in wanted)
            ]
            assert len(fitting) <= 1, (name, now)


def test_a_situation_is_false_until_she_tells_it() -> None:
    assert all(DOMAIN["slots"][name]["initial_value"] is False for name in SITUATIONS)


def test_only_the_open_question_steers_the_conversation() -> None:
    steering = [name for name, slot in DOMAIN["slots"].items() if slot["influence_conversation"]]
    assert steering == ["question_open"]
    assert all(options == {"use_entities": []} for i in DOMAIN["intents"] for options in i.values())


def test_rasa_accepts_the_domain() -> None:
    from rasa.shared.core.domain import Domain

    domain = Domain.load(str(ROOT / "domain.yml"))
    assert set(INTENTS) <= set(domain.intents)
    assert set(DOMAIN["responses"]) == set(domain.responses)


# ---- words


@every_answer
def test_an_answer_is_two_to_six_short_sentences(answer: Answer) -> None:
    found = sentences(answer.text)
    assert 2 <= len(found) <= 6
    for sentence in found:
        assert len(sentence.split()) <= LONGEST_SENTENCE, sentence


@every_answer
def test_an_answer_has_no_blank_line(answer: Answer) -> None:
    assert not re.search(r"\n\s*\n", answer.text)
    assert answer.text == answer.text.strip()


@every_answer
def test_an_answer_has_no_phone_number(answer: Answer) -> None:
    assert list(phone_like(answer.text)) == []


@pytest.mark.parametrize("number", ["116 123", "988", "13 11 14", "1-833-852-6262", "+44 20 79"])
def test_a_phone_number_would_be_seen(number: str) -> None:
    assert list(phone_like(f"Call {number} now."))


def test_a_sentence_that_is_too_long_would_be_seen() -> None:
    found = sentences("Short one. " + "word " * 21 + "ends here? Another.\nLast")
    assert [len(sentence.split()) > LONGEST_SENTENCE for sentence in found] == [
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "words",
    [
        "Don't worry about it.",
        "It is only D-MER.",
        "This means you have depression.",
        "Some mothers commit suicide.",
        "What you write stays private.",
        "Take 10 mg twice.",
        "You should have asked earlier.",
    ],
)
def test_banned_words_would_be_seen(words: str) -> None:
    assert any(says(words, pattern) for pattern in BANNED)


@every_answer
def test_an_answer_has_no_banned_words(answer: Answer) -> None:
    words = " ".join([answer.text, *(button["title"] for button in answer.buttons)])
    assert [pattern for pattern in BANNED if says(words, pattern)] == []


@every_answer
def test_an_answer_does_not_build_on_slots_or_markup(answer: Answer) -> None:
    assert not re.search(r"[{}<>*_#]", answer.text)


def test_a_mother_whose_baby_died_is_not_sent_to_answers_about_feeding() -> None:
    (answer,) = [answer for answer in ANSWERS if answer.name == "utter_baby_loss"]
    assert [button["payload"] for button in answer.buttons] == ["/ask_human"]
    assert not says(answer.text, r"your baby (is|feeds|needs|will)|\blatch|\bnapp|\bfeed")


@pytest.mark.parametrize("name", ["utter_crisis"])
def test_an_emergency_answer_names_the_emergency_number_in_its_first_two_sentences(
    name: str,
) -> None:
    (raw,) = DOMAIN["responses"][name]
    assert says(" ".join(sentences(raw["text"])[:2]), "call your emergency number")


@pytest.mark.parametrize(
    "name", ["utter_greet", "utter_bot_challenge", "utter_privacy", "utter_crisis"]
)
def test_she_is_told_that_it_is_a_program_and_nobody_watches(name: str) -> None:
    for raw in DOMAIN["responses"][name]:
        assert says(raw["text"], "computer program") and says(
            raw["text"], "nobody (is watching|watches) this chat"
        )


def test_a_prescribed_medicine_is_never_to_be_stopped_on_our_word() -> None:
    (raw,) = DOMAIN["responses"]["utter_medicine"]
    assert says(raw["text"], "do not stop a prescribed medicine without asking")


# ---- buttons


@every_answer
def test_an_answer_ends_with_one_to_three_next_steps(answer: Answer) -> None:
    if answer.name == "utter_country":
        return  # she writes the name of her country
    assert 1 <= len(answer.buttons) <= MOST_BUTTONS


@every_answer
def test_buttons_are_short_and_lead_somewhere_else(answer: Answer) -> None:
    leads = [button["payload"] for button in answer.buttons]
    assert len(set(leads)) == len(leads)
    for button in answer.buttons:
        assert set(button) == {"title", "payload"}
        assert 0 < len(button["title"]) <= LONGEST_TITLE, button["title"]
        assert button["payload"].removeprefix("/") in INTENTS, button["payload"]
        assert button["payload"].startswith("/")
        leads_back = response_of(button["payload"].removeprefix("/")) == answer.name
        assert not leads_back or button["title"] == "Try again", button["payload"]


# ---- sources


@every_answer
def test_an_answer_names_known_sources_once(answer: Answer) -> None:
    assert answer.tags
    assert len(set(answer.tags)) == len(answer.tags)
    assert [tag for tag in answer.tags if tag not in SOURCES] == []


@every_answer
def test_review_fields_are_left_for_people(answer: Answer) -> None:
    meta = answer.raw["metadata"]
    assert set(meta) == {"sources", "reviewed_by", "review_due"}
    assert meta["reviewed_by"] is None and meta["review_due"] is None


def test_every_tag_has_a_record() -> None:
    wanted = [
        *(f"SF{number}" for number in range(1, 40)),
        *(f"C{number}" for number in range(1, 15)),
        *(f"S{number}" for number in range(1, 183)),
        *(f"RF{number:02d}" for number in range(1, 22)),
        *("S120b", "S146b", "OK", "OK-low"),
    ]
    assert sorted(SOURCES.by_id) == sorted(wanted)


def test_a_source_links_to_its_doi_before_its_page() -> None:
    assert SOURCES["S12"].link == "https://doi.org/10.1002/14651858.CD006170.pub5"
    assert SOURCES["S12"].grade is Grade.A and SOURCES["S12"].kind is Kind.REVIEW
    assert (SOURCES["S2"].link or "").startswith("https://d-mer.org/")
    assert SOURCES["OK"].link is None


GOOD = "sources: [{id: S1, title: T, kind: study, grade: B, url: null, doi: null, note: null}]"


def refusal(tmp_path: Path, text: str) -> str:
    file = tmp_path / "sources.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load(file)
    return str(caught.value)


def test_a_good_record_is_read(tmp_path: Path) -> None:
    file = tmp_path / "sources.yml"
    file.write_text(GOOD, encoding="utf-8")
    (source,) = load(file)
    assert (source.id, source.title, source.link) == ("S1", "T", None)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("id: S1", "id: X1", "'X1' is not a source id"),
        ("kind: study", "kind: rumour", "'rumour' is not allowed here"),
        ("grade: B", "grade: E", "'E' is not allowed here"),
        ("url: null", "url: http://example.org/a", "is not a web address"),
        ("doi: null", "doi: 'doi.org/10.1/2'", "is not a DOI"),
        (", note: null", "", "missing: note"),
        ("note: null", "note: null, year: 2009", "unknown key 'year'"),
    ],
)
def test_a_bad_record_is_refused_with_its_reason(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    assert reason in refusal(tmp_path, GOOD.replace(old, new))


def test_a_source_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    record = GOOD.removeprefix("sources: [").removesuffix("]")
    assert "source S1 stands here twice" in refusal(tmp_path, f"sources: [{record}, {record}]")
