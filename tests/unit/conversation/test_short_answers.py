"""A few words that answer a question are nothing but the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.conversation.merge import merged
from ebb.conversation.state import Heard, State
from ebb.knowledge import triage
from ebb.types import Finding

TABLES = triage.load(Path(__file__).resolve().parents[3] / "knowledge" / "triage")
ASKED = State(tables=("supply",), open="baby_weight")
GAINING = Finding("baby_weight", "gaining", source="answered")


@pytest.mark.parametrize(
    ("text", "findings", "tables"),
    [
        ("gaining loads", (GAINING,), ("supply",)),
        ("gaining well but i feel so low all day long", (GAINING,), ("supply", "feelings")),
        ("i feel so low", (), ("supply", "feelings")),
    ],
)
def test_a_guessed_report_opens_a_table_unless_a_few_words_were_the_answer(
    text: str, findings: tuple[Finding, ...], tables: tuple[str, ...]
) -> None:
    message = Heard(text=text, intent="report_low_mood", findings=findings)
    assert merged(ASKED, message, TABLES, {}).tables == tables
