"""What a channel's own process remembers of each conversation, without any store.

Small and bounded: enough for the safety net to understand a split thought or an answer to a
safety question, and to know which payloads were offered.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ebb.conversation.events import ASKED, FINDINGS, REPLY_ID, finding_to_json
from ebb.types import Button, Finding, Reply

CONVERSATIONS = 10_000
MESSAGES = 12
OFFERS = 200
CHARACTERS = 2_000
"""How much of one message is kept for looking back."""
_OPAQUE = re.compile(r"b\.[0-9a-f]{18}")


@dataclass(slots=True)
class Memory:
    """The last messages of both sides in Rasa's event format, and the offered buttons."""

    messages: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MESSAGES))
    offered: OrderedDict[str, Button] = field(default_factory=OrderedDict)
    last: tuple[Button, ...] = ()
    country: str | None = None
    whole: bool = False
    """Whether nothing of this conversation can be missing here."""
    wrote: int = 0
    """How many messages of hers came since this process knows her."""
    owed: Reply | None = None
    """A crisis reply that did not go out."""
    undelivered: list[str] = field(default_factory=list)
    """Ids of the replies that did not go out since her last message."""

    def she_wrote(self, text: str, findings: Iterable[Finding] = ()) -> None:
        """Keep a message of hers and its facts; a payload has no words of hers."""
        facts = {FINDINGS: [finding_to_json(finding) for finding in findings]}
        self.messages.append({"event": "user", "text": text[:CHARACTERS], "parse_data": facts})

    def was_told(self, reply: Reply) -> None:
        """Keep a reply and what it offered."""
        meta = {REPLY_ID: reply.id, ASKED: reply.asked}
        self.messages.append({"event": "bot", "text": reply.text[:CHARACTERS], "metadata": meta})
        self._offer(reply.buttons)

    def recall(self, events: Iterable[dict[str, Any]]) -> None:
        """Take the stored messages of both sides, oldest first, for all that is known here."""
        self.messages.clear()
        for event in events:
            self.messages.append(event)
            if event.get("event") == "bot":
                self._offer(_buttons(event))
        self.whole = True

    def _offer(self, buttons: tuple[Button, ...]) -> None:
        self.last = buttons
        for button in buttons:
            self.offered[opaque(button.payload)] = button
            self.offered.move_to_end(opaque(button.payload))
        while len(self.offered) > OFFERS:
            self.offered.popitem(last=False)

    def pressed(self, text: str) -> Button | None:
        """The offered button that `text` means: an opaque payload, or a title of the last reply."""
        if text in self.offered:
            return self.offered[text]
        wanted = " ".join(text.split()).casefold()
        return next((b for b in self.last if b.title.casefold() == wanted), None)


class Memories:
    """The memories of the conversations seen last."""

    def __init__(self, size: int = CONVERSATIONS) -> None:
        self._size = size
        self._kept: OrderedDict[str, Memory] = OrderedDict()

    def of(self, conversation: str) -> Memory:
        """The memory of `conversation`, new if there is none."""
        memory = self._kept.pop(conversation, None) or Memory()
        self._kept[conversation] = memory
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return memory

    def forget(self, conversation: str) -> None:
        """Drop what is remembered of `conversation`."""
        self._kept.pop(conversation, None)


def _buttons(event: dict[str, Any]) -> tuple[Button, ...]:
    kept = (event.get("data") or {}).get("buttons") or ()
    return tuple(Button(b["title"], b["payload"]) for b in kept if "payload" in b and "title" in b)


def is_opaque(text: str) -> bool:
    """Whether `text` can only be the payload of a button."""
    return _OPAQUE.fullmatch(text) is not None


def opaque(payload: str) -> str:
    """What a client sees instead of a payload."""
    return "b." + hashlib.blake2s(payload.encode(), digest_size=9).hexdigest()
