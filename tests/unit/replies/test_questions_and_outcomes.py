"""Questions, care cards, reasons and the summary, over the real tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.knowledge.helplines import HelpLines
from ebb.knowledge.replies import Replies
from ebb.knowledge.service import Contact, Service
from ebb.knowledge.triage import Tables
from ebb.replies import Renderer, Said, Summary
from ebb.replies.words import faults
from ebb.types import Finding, Outcome, Why


def _outcome(tables: Tables, outcome_id: str) -> Outcome:
    why = (Why("row.one", "You said it starts with the milk.", ("S2",)),)
    return Outcome(outcome_id, tables.outcomes[outcome_id].level, why)


def test_every_question_can_be_answered_and_left(renderer: Renderer, tables: Tables) -> None:
    for finding, question in tables.questions.items():
        reply = renderer.question(finding, {}, remaining=3)
        payloads = [button.payload for button in reply.buttons]
        assert reply.asked == finding
        assert reply.id == f"question.{finding}"
        assert f'/inform{{"answer": "{finding}=not_sure"}}' in payloads
        refusal = f'/inform{{"answer": "{finding}=refused"}}'
        assert (refusal in payloads) == question.refusable
        assert payloads[-1] == "/go_back"
        assert len(set(payloads)) == len(payloads)
        assert "3 questions left" in reply.text


def test_a_question_put_again_is_worded_anew(renderer: Renderer, tables: Tables) -> None:
    for finding, question in tables.questions.items():
        first, again, third = (renderer.question(finding, {}, tries=n) for n in (0, 1, 2))
        assert again.id == f"question.{finding}.again"
        assert " ".join(question.again.split()) in " ".join(again.text.split())
        assert " ".join(question.explain.split()) in " ".join(third.text.split())
        assert len({first.id, again.id, third.id}) == 3


def test_a_question_follows_where_the_baby_is(renderer: Renderer, tables: Tables) -> None:
    for finding, question in tables.questions.items():
        for situation, ask in question.variants.items():
            if ask:
                reply = renderer.question(finding, {"baby_situation": situation})
                assert ask.split("\n")[0][:30] in reply.text


def test_what_she_just_said_is_said_back(renderer: Renderer) -> None:
    heard = (Finding("onset_relative_to_letdown", "before"),)
    reply = renderer.question("episode_length", {}, heard=heard)
    assert reply.text.startswith("You said it starts before the milk lets down.")


def test_a_finding_without_words_is_not_said_back(renderer: Renderer) -> None:
    reply = renderer.question("episode_length", {}, heard=(Finding("unheard_of", "x"),))
    assert "You said" not in reply.text


def test_the_last_question_says_so(renderer: Renderer) -> None:
    assert "last question" in renderer.question("episode_length", {}, remaining=1).text
    assert "left" not in renderer.question("episode_length", {}, remaining=0).text


def test_every_outcome_becomes_a_care_card_with_its_reasons(
    renderer: Renderer, tables: Tables
) -> None:
    for outcome_id, content in tables.outcomes.items():
        reply = renderer.outcome(_outcome(tables, outcome_id), (), "GB")
        assert reply.card is not None
        assert reply.card["type"] == "care_card"
        assert reply.card["level"] == content.level.value
        assert reply.card["heading"] == content.heading
        assert reply.card["items"] == list(content.do)
        assert reply.card["reasons"] == [
            {"row": "row.one", "text": "You said it starts with the milk.", "sources": ["S2"]}
        ]
        assert {"title": "Why this advice?", "payload": "/show_why"} in [
            {"title": b.title, "payload": b.payload} for b in reply.buttons
        ]


def test_an_emergency_card_offers_the_emergency_number_first(
    renderer: Renderer, tables: Tables
) -> None:
    for outcome_id, content in tables.outcomes.items():
        if content.level.value != "emergency":
            continue
        card = renderer.outcome(_outcome(tables, outcome_id), (), "GB").card
        assert card is not None
        actions = card["actions"]
        assert isinstance(actions, list)
        assert actions[0] == {"label": "Call 999: Emergency services", "href": "tel:999"}


@pytest.mark.parametrize("value", ["yes", "not_sure", "refused"])
def test_an_answer_about_harm_that_is_not_no_puts_crisis_lines_on_the_card(
    renderer: Renderer, tables: Tables, value: str
) -> None:
    outcome_id = next(iter(tables.outcomes))
    findings = (Finding("thoughts_of_harm", value),)
    reply = renderer.outcome(_outcome(tables, outcome_id), findings, "GB")
    assert "116 123" in renderer.plain(reply)


def test_an_outcome_in_an_unknown_country_names_no_line_of_a_country(
    renderer: Renderer, tables: Tables
) -> None:
    for outcome_id in tables.outcomes:
        findings = (Finding("thoughts_of_harm", "yes"),)
        plain = renderer.plain(renderer.outcome(_outcome(tables, outcome_id), findings, "XX"))
        assert "116 123" not in plain and "988" not in plain
        assert "findahelpline.com" in plain


def test_a_care_card_is_short(renderer: Renderer, tables: Tables) -> None:
    for outcome_id in tables.outcomes:
        findings = (Finding("thoughts_of_harm", "yes"),)
        card = renderer.outcome(_outcome(tables, outcome_id), findings, "GB").card
        assert card is not None and isinstance(card["actions"], list)
        hrefs = [action["href"] for action in card["actions"] if isinstance(action, dict)]
        assert len(hrefs) == len(set(map(str, hrefs))) or "sms:85258" in hrefs
        assert hrefs.count("tel:112") == 0
        assert len(hrefs) <= 8


def test_an_unknown_country_can_be_set_from_any_card_with_numbers(
    renderer: Renderer, tables: Tables
) -> None:
    outcome = _outcome(tables, next(iter(tables.outcomes)))
    for reply in (
        renderer.outcome(outcome, (), None),
        renderer.failed(None),
        renderer.human("XX"),
        renderer.help_lines(None),
    ):
        assert "/change_country" in [button.payload for button in reply.buttons]
    assert "/change_country" not in [button.payload for button in renderer.failed("GB").buttons]


def test_an_outcome_that_changed_says_so(renderer: Renderer, tables: Tables) -> None:
    outcome = _outcome(tables, next(iter(tables.outcomes)))
    assert renderer.outcome(outcome, (), "GB", changed=True).text != (
        renderer.outcome(outcome, (), "GB").text
    )


def test_why_gives_reasons_and_sources(renderer: Renderer, tables: Tables) -> None:
    reply = renderer.why(_outcome(tables, next(iter(tables.outcomes))))
    assert "You said it starts with the milk." in reply.text
    assert reply.meta["sources"] == ["S2"]


def test_why_speaks_of_no_baby_after_a_loss(renderer: Renderer, tables: Tables) -> None:
    outcome = _outcome(tables, next(iter(tables.outcomes)))
    reply = renderer.why(outcome, (Finding("baby_situation", "died"),))
    assert "your baby" not in reply.text


def test_why_without_reasons_is_honest(renderer: Renderer, tables: Tables) -> None:
    content = next(iter(tables.outcomes.values()))
    assert renderer.why(Outcome(content.id, content.level, ())).id == "no_reasons_yet"


def test_the_summary_is_one_page_without_a_name(renderer: Renderer, tables: Tables) -> None:
    summary = Summary(
        said=(Said("it starts before the milk lets down", "23 Nov, 03:10"),),
        outcomes=(_outcome(tables, next(iter(tables.outcomes))),),
        red_flags=(("Thoughts of harm", "no"),),
        questions=("Will it stop?",),
    )
    reply = renderer.summary(summary)
    plain = renderer.plain(reply)
    for part in (
        "23 Nov, 03:10: it starts before the milk lets down",
        "Thoughts of harm: no",
        "Will it stop?",
        "not a diagnosis",
        "You said it starts with the milk.",
    ):
        assert part in plain
    assert renderer.summary(Summary()).id == "summary.empty"


def test_a_person_is_never_said_to_be_told(
    texts: Replies, lines: HelpLines, tables: Tables, renderer: Renderer
) -> None:
    contact = Contact(name="the Hill clinic", tel="0100 200 300", hours="9:00 to 17:00")
    hosted = Renderer(texts, lines, Service(contact=contact), tables)
    for reply in (renderer.human("GB"), hosted.human("GB")):
        for phrase in ("call you", "contact you", "been told", "let them know", "forward"):
            assert phrase not in reply.text
    assert "0100 200 300" in hosted.human("GB").text
    assert "the Hill clinic" in hosted.human("GB").text
    assert "999" in hosted.human("GB").text


def test_a_host_without_a_name_can_still_be_reached(
    texts: Replies, lines: HelpLines, tables: Tables
) -> None:
    hosted = Renderer(texts, lines, Service(contact=Contact(email="a@example.org")), tables)
    assert "the people who run this service" in hosted.human(None).text


def test_did_you_mean_offers_names_and_a_way_out(renderer: Renderer) -> None:
    reply = renderer.did_you_mean(["ask_dmer_what", "ask_dmer_what", "unheard_of"])
    assert [b.payload for b in reply.buttons] == ["/ask_dmer_what", "/out_of_scope"]
    assert renderer.did_you_mean([]).id == "fallback.1"


def test_after_a_loss_no_topic_is_a_living_baby(renderer: Renderer) -> None:
    for reply in (
        renderer.menu(baby="died"),
        renderer.missed_twice("GB", baby="died"),
        renderer.did_you_mean(["report_baby_concern", "report_low_mood"], baby="died"),
        renderer.did_you_mean([], baby="died"),
    ):
        assert "/report_baby_concern" not in [button.payload for button in reply.buttons]
        assert "pump" not in reply.text
    assert "/report_baby_concern" in [button.payload for button in renderer.menu().buttons]


def test_the_question_for_the_country_offers_every_country(
    renderer: Renderer, lines: HelpLines
) -> None:
    reply = renderer.message("ask_country")
    offered = {b.payload.split("=")[1][:2] for b in reply.buttons}
    assert offered == set(lines.countries)


def test_an_unknown_country_is_not_guessed(renderer: Renderer) -> None:
    assert renderer.country_set("XX").id == "country.unknown"
    assert "Ireland" in renderer.country_set("ie").text


def test_slots_of_the_caller_are_put_in_as_they_stand(renderer: Renderer) -> None:
    reply = renderer.sources(["{emergency}", "S2"])
    assert "{emergency}" in reply.text and "999" not in reply.text


def test_every_message_keeps_the_word_rules(renderer: Renderer, texts: Replies) -> None:
    for name in texts.messages:
        for country in ("GB", "US", "ZA", None):
            reply = renderer.message(name, country=country)
            assert faults(reply.text, texts.words) == (), name
            assert "{" not in reply.text and reply.text


def test_every_name_of_a_topic_is_short(texts: Replies) -> None:
    for intent, name in texts.intent_names.items():
        assert len(name) <= 40, intent


@given(
    finding=st.text(max_size=10),
    name=st.text(max_size=10),
    country=st.none() | st.text(max_size=3),
    value=st.text(max_size=10),
)
def test_what_does_not_exist_gives_an_honest_line(
    renderer: Renderer, tables: Tables, finding: str, name: str, country: str | None, value: str
) -> None:
    level = next(iter(tables.outcomes.values())).level
    for reply in (
        renderer.question(finding, {finding: value}, remaining=-1, tries=99),
        renderer.outcome(Outcome(name, level, ()), (Finding(finding, value),), country),
        renderer.message(name),
        renderer.help_lines(country, [name]),
        renderer.did_you_mean([name]),
        renderer.country_set(country),
        renderer.failed(country),
        renderer.missed_twice(country),
        renderer.human(country),
    ):
        assert reply.text and renderer.plain(reply)
