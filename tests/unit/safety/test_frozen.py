"""The frozen messages: one line each, so that every change of the rules shows what it changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ebb.safety import Safety
from ebb.types import Turn

ROWS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("frozen.yml").read_text("utf-8")
)["messages"]
ROWS += yaml.safe_load(Path(__file__).with_name("frozen_body.yml").read_text("utf-8"))["messages"]
_TURN = re.compile(r"(user|bot)(?:\((\S+?)\))?: (.*)", re.DOTALL)


def turn(text: str) -> Turn:
    match = _TURN.fullmatch(text)
    assert match, text
    by = "user" if match[1] == "user" else "bot"
    return Turn(by, match[3], None if match[2] in (None, "None") else match[2])  # type: ignore[arg-type]


@pytest.mark.parametrize("row", ROWS, ids=[str(row["text"]) for row in ROWS])
def test_a_frozen_message_is_judged_as_before(safety: Safety, row: dict[str, Any]) -> None:
    found = safety.assess(row["text"], [turn(text) for text in row.get("recent", ())])
    expected = row["tier"] if isinstance(row["tier"], list) else [row["tier"]]
    assert found.tier.value in expected, (found, row.get("why"))
    if "category" in row:
        assert found.category == row["category"]


def test_there_are_enough_frozen_messages_and_each_stands_there_once() -> None:
    keys = [(row["text"], tuple(row.get("recent", ()))) for row in ROWS]
    assert len(keys) >= 250
    assert len(set(keys)) == len(keys)
