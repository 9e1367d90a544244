"""Understanding, on messages that are never trained on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.trackers import DialogueStateTracker

from ebb.assistant.terminal import Talk

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FALLBACK = "nlu_fallback"


def _examples(file: Path) -> list[tuple[str, str]]:
    return [
        (line[2:].strip(), entry["intent"])
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]
        for line in entry["examples"].splitlines()
        if line.startswith("- ")
    ]


EVERYDAY: dict[str, list[dict[str, Any]]] = {
    name: yaml.safe_load((HERE / f"{name}.yml").read_text(encoding="utf-8"))
    for name in ("everyday", "everyday_fresh")
}
TRAINED = [e for file in sorted((ROOT / "data" / "nlu").glob("*.yml")) for e in _examples(file)]


def _plain(text: str) -> str:
    words = "".join(c if c.isalnum() else " " for c in text.casefold()).split()
    return " ".join(words) or text


SEEN = {_plain(text) for text, _ in TRAINED}
# Two writers may hit on the same words; such a message tells nothing here.
HELD_OUT = [e for e in _examples(HERE / "test_messages.yml") if _plain(e[0]) not in SEEN]


def _intent(talk: Talk, text: str) -> str:
    tracker = DialogueStateTracker.from_events("test", [])
    parsed = talk._agent.processor._parse_message_with_graph(UserMessage(text), tracker)
    return str(parsed["intent"]["name"])


def test_there_are_at_least_2500_training_examples() -> None:
    assert len(TRAINED) >= 2500


def test_there_are_at_least_600_held_out_messages_that_were_never_trained_on() -> None:
    assert len(HELD_OUT) >= 600


def test_no_training_example_stands_in_two_intents() -> None:
    intents: dict[str, set[str]] = {}
    for text, intent in TRAINED:
        intents.setdefault(_plain(text), set()).add(intent)
    assert not {text: found for text, found in intents.items() if len(found) > 1}


@pytest.mark.parametrize("name", EVERYDAY)
def test_nine_in_ten_everyday_messages_are_understood_and_few_fall_back(
    talk: Talk, name: str
) -> None:
    found = [(entry, _intent(talk, entry["text"])) for entry in EVERYDAY[name]]
    wrong = [(e["text"], e["intents"], got) for e, got in found if got not in e["intents"]]
    fallen = [e["text"] for e, got in found if got == FALLBACK and FALLBACK not in e["intents"]]
    assert len(wrong) <= 0.10 * len(found), wrong
    assert len(fallen) < 0.08 * len(found), fallen


def test_held_out_messages_of_every_intent_are_understood(talk: Talk) -> None:
    right, total = Counter[str](), Counter[str]()
    for text, intent in HELD_OUT:
        total[intent] += 1
        right[intent] += _intent(talk, text) == intent
    assert sum(right.values()) >= 0.85 * sum(total.values()), (right, total)
    weak = {i: f"{right[i]}/{n}" for i, n in total.items() if right[i] < 0.5 * n}
    assert not weak


@pytest.mark.parametrize(
    "text", ["", "   ", "\x00\x01", "\ud800", "\u202e\u202d", "😭😭", "a" * 100_000]
)
def test_odd_text_is_read_without_an_error(talk: Talk, text: str) -> None:
    assert _intent(talk, text)
