"""One event as one row of the database, and back.

Every row has a key that is decided once, when the turn is saved, so that storing it again after
a doubtful failure changes nothing. The key is kept on the event object itself: an event without
one is new, and nothing ever has to be counted.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from rasa.shared.core.events import ActionExecuted, Event

log = logging.getLogger(__name__)

LONGEST = 255
"""Characters that the stock columns hold."""
NEVER = "-"
"""Key of an event that only stands in for what could not be read; it is never stored."""
_KEY = "_ebb_key"


class Row(NamedTuple):
    """The columns of one event, but for its id and conversation."""

    key: str
    type_name: str
    timestamp: float | None
    intent_name: str | None
    action_name: str | None
    data: str


def key_of(event: Event) -> str | None:
    """The key of an event that was saved or loaded; None if it is new."""
    return cast("str | None", getattr(event, _KEY, None))


def new_rows(events: Iterable[Event]) -> list[Row]:
    """Rows of the events that have no key yet; they get one."""
    turn = secrets.token_urlsafe(12)
    fresh = [event for event in events if key_of(event) is None]
    for number, event in enumerate(fresh):
        setattr(event, _KEY, f"{turn}.{number}")
    return rows_again(fresh)


def rows_again(events: Iterable[Event]) -> list[Row]:
    """Rows of events that have keys already."""
    rows = []
    for event in events:
        key = key_of(event)
        if key is not None and key != NEVER:
            rows.append(_row(event, key))
    return rows


def _row(event: Event, key: str) -> Row:
    data = event.as_dict()
    intent = ((data.get("parse_data") or {}).get("intent") or {}).get("name")
    stamp = data.get("timestamp")
    return Row(
        key,
        event.type_name,
        float(stamp) if stamp is not None else None,
        _short(intent),
        _short(data.get("name")),
        json.dumps(data, default=_plain),
    )


def _short(name: object) -> str | None:
    return None if name is None else str(name).replace("\x00", "")[:LONGEST]


def _plain(value: object) -> Any:
    """What JSON cannot hold, as something it can: numbers of other libraries, sets, the rest."""
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return type(value).__name__


def events_of(rows: Sequence[tuple[str | None, str]], conversation: str) -> list[Event]:
    """Events of `(key, data)` as they were loaded; what cannot be read is left out and logged."""
    found = []
    old = secrets.token_urlsafe(12)
    for number, (key, data) in enumerate(rows):
        try:
            event = _event(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            kind = type(error).__name__
            log.error("a stored event cannot be read (%s): %s, %s", kind, conversation, key)
            continue
        # Rows of before there were keys count as stored all the same.
        setattr(event, _KEY, key or f"{old}.{number}")
        found.append(event)
    return found


def _event(data: dict[str, Any]) -> Event:
    kind = _class(data["event"])
    if kind is None:
        raise ValueError("unknown event")
    event = kind._from_parameters(data)
    if event is None:
        raise ValueError("not an event")
    return cast(Event, event)


@lru_cache(maxsize=64)
def _class(name: str) -> Any:
    # Rasa walks through all its classes each time.
    return Event.resolve_by_type(name)


def stand_in() -> Event:
    """The start of a conversation whose earlier events could not be read.

    Without it Rasa would start a session, and a session that starts forgets what was known.
    """
    event = ActionExecuted("action_listen")
    setattr(event, _KEY, NEVER)
    return event
