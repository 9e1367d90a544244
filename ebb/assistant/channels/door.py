"""The way every message takes into a conversation, whatever the channel.

Clean, look at the words, answer a crisis at once, let Rasa take its turn within a time limit, and
never leave a message without a reply. Nothing here needs the model, a store or an action server.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import OutputChannel, UserMessage

from ebb.assistant import inbox, spool
from ebb.assistant.channels.memory import Memories, Memory, is_opaque, opaque
from ebb.assistant.channels.sending import LATER, Deliver, Gone, send
from ebb.assistant.channels.turns import How, Place, Turns
from ebb.assistant.wire import as_rasa, from_rasa
from ebb.assistant.workers import TooSlow, Workers
from ebb.conversation.core import Core, core
from ebb.conversation.events import SAFETY, Event, assessment_to_json
from ebb.types import Assessment, Button, Finding, Reply, Tier

log = logging.getLogger(__name__)

SECONDS = float(os.environ.get("EBB_TURN_SECONDS", "8"))
"""How long a turn may take before she gets an honest line and the help numbers."""
RECALL_SECONDS = 0.5
RECORD_SECONDS = 0.5
"""How long the turn waits for the crisis record to be on disk."""
ERASE_SECONDS = 5.0
MAX_CHARACTERS = 4_000
"""What the ordinary conversation reads of one message. Safety reads all of it."""
ERASED = "erased"
"""Id of the reply that tells her that her words are gone."""
SEEN = SAFETY
"""Metadata of a user message: what the safety net found in all of it."""
SENT = "ebb_sent"
"""Metadata of a user message: id of the reply that the safety net already sent."""
TIME = "timestamp"
AGAIN = "ebb_again"
"""Metadata of a user message that an earlier process had accepted, and perhaps stored."""
UNDELIVERED = "ebb_undelivered"
"""Metadata of a user message: ids of replies before it that could not be sent to her."""

Handle = Callable[[UserMessage], Awaitable[Any]]
Recall = Callable[[str], Awaitable[Sequence[Event] | None]]
"""The stored messages of a conversation, oldest first; None when they cannot be had."""
Keep = Callable[[str, Sequence[dict[str, Any]]], Awaitable[None]]
"""Stores what the door said by itself: conversation, and messages with their time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the door found in one message."""

    said: str
    tier: str


@dataclass(slots=True)
class _Message:
    """One message on its way: what it says, and how to reply to it."""

    conversation: str
    words: str
    payload: str | None
    number: int
    deliver: Deliver
    memory: Memory
    place: Place
    sent: Reply | None = None
    assessment: Assessment = field(default_factory=Assessment)
    met: bool = False
    delivered: int = 0
    late: bool = False
    erased: bool = False
    unstored: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False

    @property
    def overtaken(self) -> bool:
        """Whether the answer comes late and she has written since."""
        return self.late and self.memory.wrote != self.number


class Door:
    """Takes messages of one channel.

    `handle` is Rasa's handler. `spool_folder` is where the crisis record goes, which holds ids and
    rules, never words. `recall` reads a conversation that this process does not know. Without
    one, what this process remembers is all there is. `keep` stores what the door says by itself.
    """

    def __init__(
        self,
        channel: str,
        handle: Handle,
        *,
        seconds: float = SECONDS,
        spool_folder: Path | None = None,
        recall: Recall | None = None,
        keep: Keep | None = None,
        ebb: Core | None = None,
    ) -> None:
        self._channel, self._handle, self._recall, self._keep = channel, handle, recall, keep
        self._ebb = ebb or core()
        self._spool = spool_folder
        self._disk = Workers("record", threads=2)
        self._open = _open_questions(spool_folder)
        self._answers = {
            opaque(button.payload): button for button in self._ebb.renderer.safety_answers()
        }
        self.memories = Memories()
        self.turns = Turns(seconds)
        self._background: set[asyncio.Task[None]] = set()

    async def receive(
        self, conversation: str, said: object, deliver: Deliver, country: str | None = None
    ) -> Seen:
        """Answer one message. Always delivers at least one reply; raises nothing."""
        place = self.turns.arrive(conversation)
        try:
            return await self._receive(conversation, said, deliver, country, place)
        finally:
            if not place.taken:
                place.leave()

    async def _receive(
        self,
        conversation: str,
        said: object,
        deliver: Deliver,
        country: str | None,
        place: Place,
    ) -> Seen:
        memory = self._memory(conversation)
        if country and not memory.country:
            memory.country = country
        text = clean(said)
        button = await self._pressed(conversation, memory, text)
        if button is None and is_opaque(text):
            await self._tell(deliver, memory, self._ebb.message("stale_payload", memory.country))
            return Seen(text, Tier.NONE.value)
        if button is None and not _has_words(text):
            await self._tell(deliver, memory, self._ebb.message("unreadable", memory.country))
            return Seen(text, Tier.NONE.value)
        memory.wrote += 1
        message = _Message(
            conversation=conversation,
            words=text if button is None else "",
            payload=None if button is None else button.payload,
            number=memory.wrote,
            deliver=deliver,
            memory=memory,
            place=place,
        )
        findings: tuple[Finding, ...] = ()
        try:
            findings = self._ebb.findings_in(message.words)
            memory.country = self._ebb.country_in(message.words, message.payload) or memory.country
            message.assessment = await self._assess(message)
            message.sent = self._crisis_reply(message)
        except Exception as error:
            # Whatever is broken, help numbers still go out, and the turn still runs.
            log.error("the safety net failed: %s", type(error).__name__)
            message.assessment = Assessment(Tier.CHECK)
            await self._say(message, self._ebb.failed(memory.country))
        memory.she_wrote(message.words, findings)
        await self._net(message)
        await self._turn(message)
        if message.erased:
            await self._forget(conversation)
        elif not memory.whole:
            await self._refill(message)
        return Seen(text, message.assessment.tier.value)

    async def recover(self) -> int:
        """Take up what an earlier process accepted and did not finish; returns how many.

        Nobody waits for these replies: they are stored, and told as not delivered.
        """
        if self._spool is None:
            return 0
        folder = self._spool
        try:
            found = await self._disk.run(lambda: inbox.waiting(folder), ERASE_SECONDS)
        except (OSError, TooSlow) as error:
            log.error("accepted messages could not be read: %s", type(error).__name__)
            return 0
        mine = [accepted for accepted in found if accepted.channel == self._channel]
        for accepted in mine:
            memory = self._memory(accepted.conversation)
            message = _Message(
                conversation=accepted.conversation,
                words="",
                payload=None,
                number=memory.wrote,
                deliver=_nowhere,
                memory=memory,
                place=self.turns.arrive(accepted.conversation),
                sent=from_rasa(accepted.sent) if accepted.sent else None,
                unstored=list(accepted.lines),
            )
            task = asyncio.ensure_future(self._again(message, accepted))
            self._background.add(task)
            task.add_done_callback(self._background.discard)
        return len(mine)

    async def _again(self, message: _Message, accepted: inbox.Accepted) -> None:
        said = UserMessage(
            accepted.text,
            _Outgoing(self, message),
            accepted.conversation,
            input_channel=self._channel,
            message_id=accepted.id,
            metadata={**accepted.metadata, AGAIN: True},
        )
        await self.turns.run(message.place, lambda: self._handled(said, message, accepted.id))

    def met_by(self, sent: Reply, reply: Reply) -> bool:
        """Whether the net's reply stands for this one: one message, one crisis reply."""
        crises = self._ebb.renderer.crisis_ids
        return reply.id == sent.id or (reply.id in crises and sent.id in crises)

    async def close(self, seconds: float) -> int:
        """Let running turns end, at the end of the process; returns how many did not."""
        for task in self._background:
            task.cancel()
        return await self.turns.finish(seconds)

    # ---- what is known of the conversation

    def _memory(self, conversation: str) -> Memory:
        memory = self.memories.of(conversation)
        if memory.wrote == 0 and not memory.messages:
            memory.whole = self._recall is None
            if record := self._open.get(conversation):
                # Only what a crisis left on disk; the rest may follow from the store.
                memory.was_told(Reply(record.reply, "", asked=record.asked))
                memory.country = memory.country or record.country
        return memory

    async def _pressed(self, conversation: str, memory: Memory, text: str) -> Button | None:
        """The button that `text` presses, also one that was offered before this process began."""
        button = memory.pressed(text)
        if button is not None or memory.whole:
            return button
        if text in self._answers:
            # An answer about safety is understood whatever is down.
            return self._answers[text]
        if is_opaque(text):
            await self._recalled(conversation, memory)
            return memory.pressed(text)
        return None

    async def _recalled(self, conversation: str, memory: Memory) -> bool:
        """Fill `memory` from the store, if that can be done soon."""
        if self._recall is None:
            return False
        before = memory.wrote
        try:
            events = await asyncio.wait_for(self._recall(conversation), RECALL_SECONDS)
        except Exception as error:
            log.warning("a conversation could not be recalled: %s", type(error).__name__)
            return False
        if events is None or memory.wrote != before:
            return False
        memory.recall([dict(event) for event in events])
        return True

    async def _refill(self, message: _Message) -> None:
        if message.memory.wrote == message.number and not message.late:
            await self._recalled(message.conversation, message.memory)

    # ---- safety net

    async def _assess(self, message: _Message) -> Assessment:
        """The danger in a message. A bare answer whose question is not known here may be one."""
        memory = message.memory

        def assess() -> Assessment:
            return self._ebb.assess(message.words, message.payload, list(memory.messages))

        found = assess()
        if found.tier is not Tier.NONE or memory.messages or memory.whole:
            return found
        if self._ebb.is_bare_answer(message.words):
            if await self._recalled(message.conversation, memory):
                return assess()
            return self._ebb.possible_answer()
        return found

    def _crisis_reply(self, message: _Message) -> Reply | None:
        memory = message.memory
        return self._ebb.crisis_reply(
            message.assessment,
            message.words,
            message.payload,
            list(memory.messages),
            memory.country,
        )

    async def _net(self, message: _Message) -> None:
        """Send the crisis reply before anything that can fail or wait, if one is called for."""
        memory = message.memory
        owed, memory.owed = memory.owed, None
        if message.sent is not None:
            memory.was_told(message.sent)
            await self._deliver_crisis(message, message.sent)
            await self._record(message, message.sent)
        elif owed is not None:
            # What she was owed comes first; her message is answered after it.
            await self._deliver_crisis(message, owed)

    async def _deliver_crisis(self, message: _Message, reply: Reply) -> None:
        """Put a crisis reply on the wire; if that fails, keep on trying while she is silent."""
        if await send(message.deliver, reply):
            return
        log.error("a crisis reply did not go out; trying on")
        message.memory.owed = reply
        message.memory.undelivered.append(reply.id)
        task = asyncio.ensure_future(self._try_on(message.deliver, message.memory, reply))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _try_on(self, deliver: Deliver, memory: Memory, reply: Reply) -> None:
        for pause in LATER:
            await asyncio.sleep(pause)
            if memory.owed is not reply:
                return
            if await send(deliver, reply, ()):
                memory.owed = None
                if reply.id in memory.undelivered:
                    memory.undelivered.remove(reply.id)
                return

    async def _record(self, message: _Message, reply: Reply) -> None:
        if self._spool is None:
            return
        folder = self._spool
        line = {
            "at": time.time(),
            "channel": self._channel,
            "conversation": message.conversation,
            "country": message.memory.country,
            "reply": reply.id,
            "asked": reply.asked,
            "delivered": message.memory.owed is not reply,
            **assessment_to_json(message.assessment),
        }
        try:
            await self._disk.run(lambda: spool.append(folder, line), RECORD_SECONDS)
        except (OSError, TooSlow) as error:
            log.error("the crisis record could not be written: %s", type(error).__name__)

    async def _forget(self, conversation: str) -> None:
        """Drop what this process keeps of a conversation that she erased."""
        self.memories.forget(conversation)
        self._open.pop(conversation, None)
        folder = self._spool
        if folder is not None:
            try:
                await self._disk.run(lambda: spool.erase(folder, conversation), ERASE_SECONDS)
                await self._disk.run(lambda: inbox.erase(folder, conversation), ERASE_SECONDS)
            except (OSError, TooSlow) as error:
                log.error("the crisis record was not erased: %s", type(error).__name__)

    # ---- Rasa's turn

    async def _turn(self, message: _Message) -> None:
        memory = message.memory
        undelivered, memory.undelivered = memory.undelivered, []
        metadata: dict[str, Any] = {
            SENT: message.sent.id if message.sent else None,
            SEEN: assessment_to_json(message.assessment),
            "country": memory.country,
        }
        if undelivered:
            metadata[UNDELIVERED] = undelivered
        text = message.payload if message.payload is not None else as_plain(message.words)
        accepted = await self._accept(message, text, metadata)
        said = UserMessage(
            text,
            _Outgoing(self, message),
            message.conversation,
            input_channel=self._channel,
            message_id=accepted.id,
            metadata=metadata,
        )
        how = await self.turns.run(message.place, lambda: self._handled(said, message, accepted.id))
        message.late = how is How.LATE
        if how is How.REFUSED:
            await self._finish(message, accepted.id)
        if message.delivered == 0 and message.sent is None:
            names = {How.LATE: "late", How.REFUSED: "too_fast", How.DONE: "failed"}
            reply = self._ebb.message(names[how], memory.country)
            await self._note(accepted.id, reply, message)
            await self._say(message, reply)

    async def _accept(
        self, message: _Message, text: str, metadata: dict[str, Any]
    ) -> inbox.Accepted:
        """Write down what is to be handled, so that a killed process loses nothing."""
        sent = as_rasa(message.sent) if message.sent else None
        accepted = inbox.Accepted(message.conversation, self._channel, text, metadata, sent)
        folder = self._spool
        if folder is not None:
            try:
                await self._disk.run(lambda: inbox.keep(folder, accepted), RECORD_SECONDS)
            except (OSError, TooSlow) as error:
                log.error("a message could not be written down: %s", type(error).__name__)
        return accepted

    async def _note(self, accepted_id: str, reply: Reply, message: _Message) -> None:
        """Write down, beside the accepted message, what is said while its turn still runs."""
        folder = self._spool
        if folder is None or message.over:
            return
        try:
            line = _line(reply)
            await self._disk.run(lambda: inbox.add(folder, accepted_id, line), RECORD_SECONDS)
        except (OSError, TooSlow) as error:
            log.warning("a line was not written down: %s", type(error).__name__)

    async def _handled(self, said: UserMessage, message: _Message, accepted_id: str) -> None:
        try:
            await self._handle(said)
        except Exception as error:
            # Only the kind of error: its text may hold what she wrote.
            log.error("the turn failed: %s", type(error).__name__)
        if message.sent is not None and not message.met:
            message.unstored.insert(0, _line(message.sent))
        await self._finish(message, accepted_id)

    async def _finish(self, message: _Message, accepted_id: str) -> None:
        """The turn is over: what the door said by itself is stored, the accepted message is not
        needed any more.
        """
        message.over = True
        await self._store(message)
        folder = self._spool
        if folder is not None:
            try:
                await self._disk.run(lambda: inbox.done(folder, accepted_id), RECORD_SECONDS)
            except (OSError, TooSlow) as error:
                log.error("an accepted message was not put away: %s", type(error).__name__)

    async def _store(self, message: _Message) -> None:
        lines, message.unstored = message.unstored, []
        if not lines or self._keep is None:
            return
        try:
            await self._keep(message.conversation, lines)
        except Exception as error:
            log.error("what the door said was not stored: %s", type(error).__name__)

    async def _say(self, message: _Message, reply: Reply) -> None:
        """A line of the door's own, which is stored when the turn is over."""
        message.unstored.append(_line(reply))
        if message.over:
            await self._store(message)
        await self._tell(message.deliver, message.memory, reply)

    async def outgoing(self, message: _Message, reply: Reply) -> None:
        """Deliver one reply of Rasa's turn, unless the net sent it or she has moved on."""
        if message.sent is not None and self.met_by(message.sent, reply):
            message.met = True
            return
        if not reply.text and reply.card is None:
            return
        if message.overtaken:
            message.memory.undelivered.append(reply.id)
            return
        message.delivered += 1
        message.erased = message.erased or reply.id == ERASED
        await self._tell(message.deliver, message.memory, reply)

    async def _tell(self, deliver: Deliver, memory: Memory, reply: Reply) -> None:
        memory.was_told(reply)
        if not await send(deliver, reply):
            memory.undelivered.append(reply.id)


class _Outgoing(OutputChannel):
    """Rasa's side of the door: hands each bot message on as one reply."""

    def __init__(self, door: Door, message: _Message) -> None:
        self._door, self._message = door, message

    @classmethod
    def name(cls) -> str:
        return "ebb"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """One bot message; raises nothing into Rasa."""
        await self._door.outgoing(self._message, from_rasa(message))


async def _nowhere(reply: Reply) -> None:
    raise Gone


def _line(reply: Reply) -> dict[str, Any]:
    return {**as_rasa(reply), TIME: time.time()}


def _open_questions(folder: Path | None) -> dict[str, spool.Record]:
    """What the crisis record says of the conversations of the last day."""
    if folder is None:
        return {}
    try:
        return spool.latest(folder, time.time() - spool.DAY)
    except OSError as error:
        log.error("the crisis record could not be read: %s", type(error).__name__)
        return {}


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
