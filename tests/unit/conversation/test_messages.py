"""Every fixed message that the code asks for stands in knowledge/replies/."""

from __future__ import annotations

import re

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
