"""The last messages of a Rasa tracker, as plain events."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from ebb.conversation.core import core
from ebb.conversation.events import SAFETY, assessment_from_json, assessment_to_json
from ebb.types import Assessment, Tier

log = logging.getLogger(__name__)

STATE_SLOT = "conversation"
COUNTRY_SLOT = "country"
COMMAND = re.compile(r"/[\w.-]+(@[\d.]+)?\s*(\{.*\})?", re.DOTALL)
"""A command of Rasa's, such as a button sends: an intent, a confidence, entities as JSON."""


def last_messages(tracker: DialogueStateTracker, keep: int = 16) -> list[dict[str, Any]]:
    """The last `keep` user and bot events, oldest first, in Rasa's stored format.

    Her words are told from commands (`typed_words`), and her last message has an assessment,
    whichever channel or parser it came through.
    """
    found: list[dict[str, Any]] = []
    hers = False
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered | BotUttered):
            kept = event.as_dict()
            if isinstance(event, UserUttered):
                kept = _read(kept, last=not hers)
                hers = True
            found.append(kept)
            if len(found) == keep:
                break
    found.reverse()
    return found


def typed_words(text: str) -> str:
    """`text` as she meant it: without the slashes before it; empty for nothing but a command.

    Stock channels let anybody type a command. One with words behind or inside it hides none.
    """
    said = text.strip()
    if not said.startswith("/"):
        return text
    command = COMMAND.fullmatch(said)
    if command and not _has_words(command.group(2)):
        return ""
    return said.lstrip("/ \n\t")


def _has_words(entities: str | None) -> bool:
    """Whether what should be entities is something else, or has more than single words in it."""
    if entities is None:
        return False
    try:
        found = json.loads(entities)
    except (ValueError, RecursionError):
        return True
    if not isinstance(found, dict):
        return True
    return any(len(str(part).split()) > 1 for pair in found.items() for part in pair)


def _read(event: dict[str, Any], last: bool) -> dict[str, Any]:
    text = event.get("text") or ""
    parse = event.get("parse_data") or {}
    if parse.get(SAFETY) is not None:
        # It was read as words, so it was no command.
        return {**event, "text": text.lstrip("/ \n\t")} if text.startswith("/") else event
    words = typed_words(text)
    if not last or not words:
        return event
    before = (event.get("metadata") or {}).get(SAFETY)
    found = assessment_from_json(before) if before else _assessed(words)
    return {**event, "text": words, "parse_data": {**parse, SAFETY: assessment_to_json(found)}}


def _assessed(words: str) -> Assessment:
    try:
        return core().assess(words, None, ())
    except Exception as error:
        log.error("assessing a message failed: %s", type(error).__name__)
        return Assessment(Tier.CHECK)


def slot(tracker: DialogueStateTracker, name: str) -> Any:
    """The value of a slot, or None where the domain has no such slot."""
    kept = tracker.slots.get(name)
    return None if kept is None else kept.value
