"""Every fixed message that the code asks for stands in knowledge/replies/."""

from __future__ import annotations

import re

import pytest

from ebb.conversation.core import core
from ebb.knowledge.everything import load
from ebb.knowledge.places import PROJECT

ASKED = re.compile(r'message\(\s*"([a-z_.0-9]+)"')


def test_every_message_that_the_code_asks_for_exists() -> None:
    asked = {
        name
        for folder in ("ebb", "actions")
        for file in (PROJECT / folder).rglob("*.py")
        for name in ASKED.findall(file.read_text(encoding="utf-8"))
    }
    assert len(asked) > 10
    assert asked <= set(load().replies.messages)


@pytest.mark.parametrize(
    ("said", "country"),
    [("US", "US"), ("uk", "GB"), ("the us", "US"), ("Ireland", "IE"), ("no", None), ("yes", None)],
)
def test_a_message_of_a_word_or_two_may_be_the_country(said: str, country: str | None) -> None:
    assert core().country_in(said, None) == country


def test_a_word_in_a_longer_message_is_no_country() -> None:
    assert core().country_in("the three of us are tired", None) is None
