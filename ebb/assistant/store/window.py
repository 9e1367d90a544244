"""How much of a conversation is kept at hand: the last turns, and what still holds from before.

The cut is made in front of a message of hers, where the assistant listened, so that rules and
stories see the turns that are kept just as they would see them in the whole conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    AllSlotsReset,
    BotUttered,
    ConversationPaused,
    ConversationResumed,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)

EVENTS = 60
"""Events that are kept, at least."""
MESSAGES = 42
"""Messages of both sides that are kept, within `MOST` events: how far replies look back."""
MOST = 180
LISTEN = "action_listen"


def shorten(events: Sequence[Event], keep: int = EVENTS, messages: int = MESSAGES) -> list[Event]:
    """The events from the last session start on, or the last turns of them.

    What was cut off leaves its last value of each slot, and whether the conversation is paused
    or in a loop, in front of the rest.
    """
    start = _session_start(events)
    cut = _cut(events, start, keep, messages)
    return [*_holding(events[start:cut]), *events[cut:]]


def _session_start(events: Sequence[Event]) -> int:
    for index in range(len(events) - 1, -1, -1):
        if isinstance(events[index], SessionStarted):
            return index
    return 0


def _cut(events: Sequence[Event], start: int, keep: int, messages: int) -> int:
    """Where the kept part begins: `start` if all is kept."""
    if len(events) - start <= keep:
        return start
    said = 0
    for index in range(len(events) - 1, start - 1, -1):
        said += isinstance(events[index], UserUttered | BotUttered)
        if not isinstance(events[index], UserUttered):
            continue
        best = index - 1 if index > start and _listens(events[index - 1]) else index
        kept = len(events) - best
        if kept >= MOST or (kept >= keep and said >= messages):
            return best
    return start


def _listens(event: Event) -> bool:
    return isinstance(event, ActionExecuted) and event.action_name == LISTEN


def _holding(cut_off: Sequence[Event]) -> list[Event]:
    """The events of the part that is cut off that later turns still depend on."""
    last: dict[str, Event] = {}
    for event in cut_off:
        if isinstance(event, Restarted | SessionStarted):
            last.clear()
        elif isinstance(event, AllSlotsReset):
            last = {name: kept for name, kept in last.items() if not name.startswith("slot ")}
        elif isinstance(event, SlotSet):
            last.pop(f"slot {event.key}", None)
            last[f"slot {event.key}"] = event
        elif isinstance(event, ConversationPaused | ConversationResumed):
            last["pause"] = event
        elif isinstance(event, ActiveLoop):
            last["loop"] = event
    return list(last.values())
