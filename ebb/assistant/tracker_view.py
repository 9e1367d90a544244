"""The last messages of a Rasa tracker, as plain events."""

from __future__ import annotations

from typing import Any

from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

STATE_SLOT = "conversation"
COUNTRY_SLOT = "country"


def last_messages(tracker: DialogueStateTracker, keep: int = 16) -> list[dict[str, Any]]:
    """The last `keep` user and bot events, oldest first, in Rasa's stored format."""
    found: list[dict[str, Any]] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered | BotUttered):
            found.append(event.as_dict())
            if len(found) == keep:
                break
    found.reverse()
    return found


def slot(tracker: DialogueStateTracker, name: str) -> Any:
    """The value of a slot, or None where the domain has no such slot."""
    kept = tracker.slots.get(name)
    return None if kept is None else kept.value
