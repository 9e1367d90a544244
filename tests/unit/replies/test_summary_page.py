"""The printable summary: one page, complete in itself; nothing in it runs or calls home."""

from __future__ import annotations

from html.parser import HTMLParser

from ebb.conversation.core import core
from ebb.replies import Said, Summary, page
from ebb.types import JSON, Level, Outcome, Why

SUMMARY = Summary(
    said=(Said("it starts before the milk lets down", "23 Nov 2026, 03:12 UTC"),),
    outcomes=(
        Outcome("low_mood_two_weeks", Level.WITHIN_3_DAYS, (Why("a.b", "You said so.", ("S2",)),)),
        Outcome("dmer_pattern", Level.SELF_CARE, (Why("c.d", "You said more.", ("S2",)),)),
    ),
    red_flags=(("Any dark thoughts?", "No"),),
    scores=("PHQ-9: 11 of 27",),
    questions=("does <b>it</b> go away?",),
    made="23 Nov 2026, 03:15 UTC",
)


def card() -> dict[str, JSON]:
    made = core().renderer.summary(SUMMARY).card
    assert made is not None
    return dict(made)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [name for name, _ in attrs if name in ("src", "href", "onload", "action")]


def test_the_card_has_what_she_said_when_every_pattern_scores_and_her_questions() -> None:
    text = core().renderer.plain(core().renderer.summary(SUMMARY))
    for part in (
        "23 Nov 2026, 03:12 UTC: it starts before the milk lets down",
        "You said so.",
        "You said more.",
        "Any dark thoughts?: No",
        "PHQ-9: 11 of 27",
        "does <b>it</b> go away?",
        "Made by an automated helper",
    ):
        assert part in text


def test_the_page_shows_all_of_the_card_and_runs_nothing() -> None:
    made = page(card())
    tags = Tags()
    tags.feed(made)
    assert "does &lt;b&gt;it&lt;/b&gt; go away?" in made and "PHQ-9: 11 of 27" in made
    assert not tags.outside and not {"script", "link", "img", "iframe"} & set(tags.tags)


def test_the_page_has_room_for_a_name_and_holds_none() -> None:
    assert 'class="name"></div>' in page(card())


def test_a_card_of_another_shape_makes_an_empty_page_and_no_error() -> None:
    assert "<h1></h1>" in page({"type": "summary", "sections": ["x", 3]})
