"""Replies as plain text."""

from __future__ import annotations

import itertools

import pytest
from phone_numbers import digits, numbers_in

from ebb.knowledge.crisis import CATEGORIES
from ebb.knowledge.replies import TIERS
from ebb.replies import Renderer
from ebb.types import JSON, Assessment, Button, Reply, Tier


def _card_numbers(card: JSON) -> set[str]:
    found: set[str] = set()
    if isinstance(card, dict):
        for key, value in card.items():
            if key in ("tel", "number") and isinstance(value, str):
                found.add(digits(value))
            if key == "href" and isinstance(value, str) and not value.startswith("https:"):
                found.add(digits(value))
            found |= _card_numbers(value)
    if isinstance(card, list):
        for value in card:
            found |= _card_numbers(value)
    return found


@pytest.mark.parametrize("country", ["GB", "US", "JP", None, "XX"])
def test_plain_text_keeps_every_number(renderer: Renderer, country: str | None) -> None:
    replies = [
        renderer.crisis(Assessment(tier, category), country)
        for category, tier in itertools.product(CATEGORIES, TIERS)
    ]
    replies += [
        renderer.failed(country),
        renderer.human(country),
        renderer.help_lines(country),
        renderer.country_set(country),
    ]
    for reply in replies:
        plain = numbers_in(renderer.plain(reply))
        assert numbers_in(reply.text) <= plain, reply.id
        card: JSON = dict(reply.card) if reply.card else None
        assert _card_numbers(card) <= plain, reply.id


def test_plain_text_keeps_every_word_but_the_repeated_lines(renderer: Renderer) -> None:
    reply = renderer.crisis(Assessment(Tier.URGENT, "ideation_active"), "GB")
    plain = renderer.plain(reply)
    repeated = str(reply.meta["lines"]).splitlines()
    for line in reply.text.splitlines():
        assert line in plain or line in repeated or line.endswith(":")


def test_numbers_come_first_in_plain_text(renderer: Renderer) -> None:
    reply = renderer.crisis(Assessment(Tier.URGENT, "ideation_active"), "GB")
    assert renderer.plain(reply).startswith("999: ")


def test_choices_are_numbered_last(renderer: Renderer) -> None:
    reply = Reply("x", "Which?", (Button("Tea", "/tea"), Button("Milk", "/milk")))
    assert renderer.plain(reply).splitlines()[-2:] == ["1. Tea", "2. Milk"]


def test_plain_text_has_no_blank_line(renderer: Renderer) -> None:
    for reply in (renderer.menu(), renderer.failed("GB"), renderer.human(None)):
        assert "\n\n" not in renderer.plain(reply)


def test_an_unknown_card_leaves_the_text(renderer: Renderer) -> None:
    card: dict[str, JSON] = {"type": "surprise", "lines": 3}
    assert renderer.plain(Reply("x", "Hello", card=card)) == "Hello"
    assert renderer.plain(Reply("x", "Hello", card={"type": "help_lines", "lines": 3})) == "Hello"
