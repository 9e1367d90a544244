"""A reply as Rasa carries it, and back: text, buttons, one card, and what to remember of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ebb.conversation.events import ASKED, REPLY_ID
from ebb.types import Button, Reply


def as_rasa(reply: Reply) -> dict[str, Any]:
    """A message for Rasa's channels; keys that Rasa does not know become event metadata."""
    message: dict[str, Any] = {"text": reply.text, REPLY_ID: reply.id, **reply.meta}
    if reply.asked:
        message[ASKED] = reply.asked
    if reply.buttons:
        message["buttons"] = [{"title": b.title, "payload": b.payload} for b in reply.buttons]
    if reply.card is not None:
        message["custom"] = dict(reply.card)
    return message


def from_rasa(message: Mapping[str, Any]) -> Reply:
    """The reply in a message that Rasa hands to an output channel, or in a stored bot event."""
    data = message.get("data") or message
    meta = message.get("metadata") or message
    buttons = data.get("buttons") or data.get("quick_replies") or ()
    card = data.get("custom")
    return Reply(
        id=str(meta.get(REPLY_ID) or meta.get("utter_action") or ""),
        text=message.get("text") or "",
        buttons=tuple(Button(str(b["title"]), str(b["payload"])) for b in buttons),
        card=card if isinstance(card, Mapping) and card else None,
        asked=meta.get(ASKED),
    )
