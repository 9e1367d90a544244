"""The way every message takes into a conversation, whatever the channel.

Clean, look at the words, answer a crisis at once, let Rasa take its turn within a time limit, and
never leave a message without a reply. Nothing here needs the model, a store or an action server.
"""

from __future__ import annotations

import asyncio
import logging
import time
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import OutputChannel, UserMessage

from ebb.assistant import spool
from ebb.assistant.channels.memory import Memories, Memory
from ebb.assistant.wire import from_rasa
from ebb.conversation.core import Core, core
from ebb.conversation.events import SAFETY, assessment_to_json
from ebb.types import Assessment, Reply, Tier

log = logging.getLogger(__name__)

SECONDS = 8.0
"""How long a turn may take before she gets an honest line and the help numbers."""
MAX_CHARACTERS = 4_000
"""What the ordinary conversation reads of one message. Safety reads all of it."""
ERASED = "erased"
"""Id of the reply that tells her that her words are gone."""
SEEN = SAFETY
"""Metadata of a user message: what the safety net found in all of it."""
SENT = "ebb_sent"
"""Metadata of a user message: id of the reply that the safety net already sent."""

Deliver = Callable[[Reply], Awaitable[None]]
Handle = Callable[[UserMessage], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the door found in one message."""

    said: str
    tier: str


class Door:
    """Takes messages of one channel.

    `handle` is Rasa's handler. `spool_folder` is where the crisis record
    goes, which holds ids and rules, never words.
    """

    def __init__(
        self,
        channel: str,
        handle: Handle,
        *,
        seconds: float = SECONDS,
        spool_folder: Path | None = None,
        ebb: Core | None = None,
    ) -> None:
        self._channel, self._handle, self._seconds = channel, handle, seconds
        self._ebb = ebb or core()
        self._spool = spool_folder
        self.memories = Memories()
        self._late: set[asyncio.Future[Any]] = set()

    async def receive(
        self, conversation: str, said: object, deliver: Deliver, country: str | None = None
    ) -> Seen:
        """Answer one message. Always delivers at least one reply; raises nothing."""
        memory = self.memories.of(conversation)
        if country and not memory.country:
            memory.country = country
        text = clean(said)
        button = memory.pressed(text)
        if button is None and not _has_words(text):
            await self._send(deliver, memory, self._ebb.message("unreadable", memory.country))
            return Seen(text, "none")
        words = text if button is None else ""
        payload = None if button is None else button.payload
        findings = self._ebb.findings_in(words)
        memory.country = self._ebb.country_in(words, payload) or memory.country
        try:
            assessment = self._ebb.assess(words, payload, list(memory.messages))
            sent = await self._net(conversation, words, payload, assessment, memory, deliver)
        except Exception as error:
            # Whatever is broken, help numbers still go out, and the turn still runs.
            log.error("the safety net failed: %s", type(error).__name__)
            assessment, sent = Assessment(Tier.CHECK), None
            await self._send(deliver, memory, self._ebb.failed(memory.country))
        memory.she_wrote(words, findings)
        if sent is not None:
            memory.was_told(sent)
        channel = _Outgoing(self, memory, deliver, already=sent)
        await self._turn(conversation, words, payload, memory, channel, sent, assessment)
        if channel.erased:
            self._forget(conversation)
        return Seen(text, assessment.tier.value)

    def met_by(self, sent: Reply, reply: Reply) -> bool:
        """Whether the net's reply stands for this one: one message, one crisis reply."""
        crises = self._ebb.renderer.crisis_ids
        return reply.id == sent.id or (reply.id in crises and sent.id in crises)

    # ---- safety net

    async def _net(
        self,
        conversation: str,
        words: str,
        payload: str | None,
        assessment: Assessment,
        memory: Memory,
        deliver: Deliver,
    ) -> Reply | None:
        """Send the crisis reply before anything that can fail or wait. None if there is none."""
        reply = self._ebb.crisis_reply(
            assessment, words, payload, list(memory.messages), memory.country
        )
        if reply is None:
            return None
        await _quietly(deliver(reply), "sending the crisis reply")
        self._record(conversation, assessment, reply)
        return reply

    def _record(self, conversation: str, assessment: Assessment, reply: Reply) -> None:
        if self._spool is None:
            return
        line = {
            "at": time.time(),
            "channel": self._channel,
            "conversation": conversation,
            "reply": reply.id,
            **assessment_to_json(assessment),
        }
        try:
            spool.append(self._spool, line)
        except OSError as error:
            log.error("the crisis record could not be written: %s", type(error).__name__)

    def _forget(self, conversation: str) -> None:
        """Drop what this process keeps of a conversation that she erased."""
        self.memories.forget(conversation)
        if self._spool is not None:
            try:
                spool.erase(self._spool, conversation)
            except OSError as error:
                log.error("the crisis record was not erased: %s", type(error).__name__)

    # ---- Rasa's turn

    async def _turn(
        self,
        conversation: str,
        words: str,
        payload: str | None,
        memory: Memory,
        channel: _Outgoing,
        sent: Reply | None,
        assessment: Assessment,
    ) -> None:
        metadata: dict[str, Any] = {
            SENT: sent.id if sent else None,
            SEEN: assessment_to_json(assessment),
            "country": memory.country,
        }
        message = UserMessage(
            payload if payload is not None else as_plain(words),
            channel,
            conversation,
            input_channel=self._channel,
            metadata=metadata,
        )
        turn = asyncio.ensure_future(self._handled(message))
        done, _ = await asyncio.wait({turn}, timeout=self._seconds)
        if not done:
            # A late turn goes on, so that its events are stored.
            self._late.add(turn)
            turn.add_done_callback(self._late.discard)
        if channel.delivered == 0 and sent is None:
            reply = self._ebb.failed(memory.country)
            await self._send(channel.deliver, memory, reply)

    async def _handled(self, message: UserMessage) -> None:
        await _quietly(self._handle(message), "the turn")

    async def _send(self, deliver: Deliver, memory: Memory, reply: Reply) -> None:
        memory.was_told(reply)
        await _quietly(deliver(reply), "sending a reply")


class _Outgoing(OutputChannel):
    """Rasa's side of the door: hands each bot message on as one reply."""

    def __init__(self, door: Door, memory: Memory, deliver: Deliver, already: Reply | None) -> None:
        self._door, self._memory, self.deliver = door, memory, deliver
        self._already = already
        self.delivered = 0
        self.erased = False

    @classmethod
    def name(cls) -> str:
        return "ebb"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Deliver one bot message, unless the safety net has sent this very reply."""
        reply = from_rasa(message)
        if self._already is not None and self._door.met_by(self._already, reply):
            return
        if not reply.text and reply.card is None:
            return
        self.delivered += 1
        self.erased = self.erased or reply.id == ERASED
        await self._door._send(self.deliver, self._memory, reply)


async def _quietly(work: Awaitable[Any], what: str) -> None:
    try:
        await work
    except Exception as error:
        # Only the kind of error: its text may hold what she wrote.
        log.error("%s failed: %s", what, type(error).__name__)


def clean(said: object) -> str:
    """`said` as text that every later part can store: no control characters, no surrogates."""
    if not isinstance(said, str):
        return ""
    text = said.encode("utf-8", "replace").decode("utf-8")
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text
    ).strip()


def _has_words(text: str) -> bool:
    """Whether anything in `text` can be read: a letter, a digit or an emoji."""
    return any(unicodedata.category(c)[0] in "LNS" for c in text)


def as_plain(words: str) -> str:
    """Her words for Rasa: never a typed command, never longer than the conversation reads."""
    text = words.lstrip("/ \n\t") if words.lstrip().startswith("/") else words
    if len(text) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        text = f"{text[:half]} {text[-half:]}"
    return text
