"""One conversation through one fault: what came back and when, and what was kept in the end."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import sqlalchemy as sa
from matrix import Matrix, Row
from project import crisis_record
from services import Server

from ebb.assistant.channels.door import Door, as_plain, clean
from ebb.conversation.core import core
from ebb.types import Reply

COUNTRY = "GB"
CRISIS_SECONDS = 1.0
"""How soon a crisis reply must be on the wire, whatever is broken."""
TURN_SECONDS = 2.5
"""The time limit of a turn in these tests; 8 seconds by default outside of them."""
SLACK = 1.0
"""What a busy test machine may add to the limit of an ordinary turn."""
HEAL_SECONDS = 30.0
AT_ONCE = 64
"""So many requests over HTTP at a time."""
HONEST = ("failed", "late", "too_fast")
CRISES = (
    "i want to kill myself",
    "ive taken all my tablets",
    "they would all be better off without me",
    "im going to shake the baby if he doesnt stop",
    "i cut myself again last night",
    "my baby has gone blue and isnt breathing",
)
PLAIN = "what is a let-down?"
"""Answered from the domain, without an action."""
REPORT = "i get a wave of dread just before my milk lets down"
"""Needs an action."""


@dataclass(frozen=True, slots=True)
class Told:
    """One reply as it went out, `after` so many seconds."""

    after: float
    text: str
    crisis: bool
    honest: bool


class Way(Protocol):
    """A way to the assistant."""

    seconds: float

    async def say(self, conversation: str, words: str) -> list[Told]:
        """The replies to one message so far; a late one may follow in the same list."""

    def stored(self, conversation: str) -> Stored:
        """What the store holds of a conversation."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The messages of both sides in the events table, oldest first, as they were stored."""

    hers: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()


class InProcess:
    """The real agent behind the real door, in this process."""

    def __init__(self, agent: Any, project: Path, url: str, seconds: float) -> None:
        from ebb.assistant.channels.recall import keep_of, recall_of

        self.agent, self.seconds, self.url = agent, seconds, url
        self.deliveries_fail = 0
        """So many of the next tries to send raise."""
        app = SimpleNamespace(ctx=SimpleNamespace(agent=agent))
        self.door = Door(
            "test",
            agent.handle_message,
            seconds=seconds,
            spool_folder=crisis_record(project),
            recall=recall_of(app),
            keep=keep_of(app),
        )

    async def say(self, conversation: str, words: str) -> list[Told]:
        """See `Way`."""
        told: list[Told] = []
        began = time.perf_counter()

        async def deliver(reply: Reply) -> None:
            if self.deliveries_fail > 0:
                self.deliveries_fail -= 1
                raise ConnectionError("the line is down")
            told.append(in_process(reply, time.perf_counter() - began))

        await self.door.receive(conversation, words, deliver, COUNTRY)
        return told

    def stored(self, conversation: str) -> Stored:
        """See `Way`."""
        return stored(self.url, conversation)

    async def close(self) -> None:
        """Let what still runs come to its end, and close connections."""
        await self.door.close(5.0)
        store = self.agent.tracker_store
        store = getattr(store, "_tracker_store", store)
        for part in (store, self.agent.action_endpoint, self.agent.lock_store):
            if hasattr(part, "close"):
                done = part.close()
                if inspect.isawaitable(done):
                    await done


class OverHttp:
    """The real server, by its REST channel."""

    def __init__(self, server: Server, url: str, seconds: float = TURN_SECONDS) -> None:
        self.server, self.url, self.seconds = server, url, seconds
        self._pool = ThreadPoolExecutor(AT_ONCE)

    async def say(self, conversation: str, words: str) -> list[Told]:
        """See `Way`. A broken connection is silence, which the trial counts as a failure."""
        try:
            took, replies = await asyncio.get_running_loop().run_in_executor(
                self._pool, self._ask, conversation, words
            )
        except (OSError, ValueError):
            return []
        return [on_the_wire(reply, took) for reply in replies]

    def _ask(self, conversation: str, words: str) -> tuple[float, list[dict[str, Any]]]:
        """Seconds from here on: waiting for a thread is not the server's doing."""
        began = time.perf_counter()
        replies = self.server.say(conversation, words)
        return time.perf_counter() - began, replies

    def stored(self, conversation: str) -> Stored:
        """See `Way`."""
        return stored(self.url, conversation)


def in_process(reply: Reply, after: float) -> Told:
    """A reply that the door handed over."""
    return Told(after, reply.text, reply.id in core().renderer.crisis_ids, reply.id in HONEST)


def on_the_wire(reply: dict[str, Any], after: float) -> Told:
    """A reply of the REST channel, which tells no ids: honest lines are known by their words."""
    text = str(reply.get("text", ""))
    honest = text in {core().message(name, COUNTRY).text for name in HONEST}
    help_card = (reply.get("custom") or {}).get("type") == "help_lines"
    return Told(after, text, not honest and help_card, honest)


def stored(url: str, conversation: str) -> Stored:
    """Read the events table behind the store's back."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    question = sa.text(
        "SELECT type_name, data FROM events WHERE sender_id = :id"
        " AND type_name IN ('user', 'bot') ORDER BY id"
    )
    try:
        with engine.connect() as connection:
            rows = connection.execute(question, {"id": conversation}).all()
    except sa.exc.SQLAlchemyError:
        return Stored()
    finally:
        engine.dispose()
    texts = [(kind, json.loads(data).get("text") or "") for kind, data in rows]
    return Stored(
        tuple(text for kind, text in texts if kind == "user"),
        tuple(text for kind, text in texts if kind == "bot"),
    )


@dataclass(slots=True)
class Trial:
    """What happens to one conversation in one fault. Problems are collected, so that the matrix
    shows all of a fault; `finish` raises them."""

    fault: str
    way: Way
    matrix: Matrix
    conversation: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex}")
    sent: list[str] = field(default_factory=list)
    told: list[list[Told]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    worst: float = 0.0
    answered: int = 0
    honest: int = 0
    _crises: int = 0

    async def say(self, words: str) -> list[Told]:
        """One message and its replies; silence is a problem."""
        self.sent.append(words)
        told = await self.way.say(self.conversation, words)
        self.told.append(told)
        if not told:
            self.problems.append(f"silence after {words!r}")
        return told

    async def crisis(self, words: str | None = None) -> None:
        """A crisis message; its reply must come first, and soon."""
        said = words or CRISES[self._crises % len(CRISES)]
        self._crises += 1
        told = await self.say(said)
        if not told:
            self.worst = float("inf")
            return
        self.worst = max(self.worst, told[0].after)
        if not told[0].crisis:
            self.problems.append(f"{said!r} was answered with {told[0].text[:80]!r}")
        if told[0].after > CRISIS_SECONDS:
            self.problems.append(f"the crisis reply to {said!r} took {told[0].after:.2f} s")
        if sum(reply.crisis for reply in told) > 1:
            self.problems.append(f"{said!r} was answered with two crisis replies")

    async def ordinary(self, *messages: str) -> None:
        """Ordinary messages; an answer or an honest line must come within the time limit."""
        for words in messages or (PLAIN, REPORT):
            told = await self.say(words)
            if not told:
                continue
            if told[0].after > self.way.seconds + SLACK:
                self.problems.append(f"the reply to {words!r} took {told[0].after:.1f} s")
            if told[0].honest:
                self.honest += 1
            else:
                self.answered += 1

    async def well(self, words: str = PLAIN) -> None:
        """A message before or after the fault: it must get its proper answer."""
        told = await self.say(words)
        if told and (told[0].honest or told[0].crisis):
            self.problems.append(f"with nothing broken, {words!r} got {told[0].text[:60]!r}")

    async def through(self, *messages: str) -> None:
        """During the fault: ordinary messages, and crises among them and in a row."""
        await self.ordinary(*messages)
        await self.crisis()
        await self.crisis()
        await self.ordinary(PLAIN)
        await self.crisis()

    async def heals(self, words: str = PLAIN) -> None:
        """After the fault: messages are answered properly again, within half a minute."""
        until = time.monotonic() + HEAL_SECONDS
        while True:
            told = await self.say(words)
            # After a crisis the question about her safety comes first, as it should.
            if told and not told[0].honest and not told[0].crisis:
                return
            if time.monotonic() > until:
                self.problems.append("it did not recover")
                return
            await asyncio.sleep(0.5)

    async def finish(self) -> None:
        """Wait until all is stored; keep the outcome; raise what went wrong."""
        hers = [as_plain(clean(words)) for words in self.sent]
        kept = await self._settled(hers)
        lost, doubled = difference(hers, kept.hers), difference(kept.hers, hers)
        seen = [reply for told in self.told for reply in told if reply.text]
        unkept = difference([reply.text for reply in seen if not reply.honest], kept.replies)
        unkept_lines = difference([reply.text for reply in seen if reply.honest], kept.replies)
        if lost:
            self.problems.append(f"{lost} of her messages were lost: {kept.hers}")
        if doubled:
            self.problems.append(f"{doubled} of her messages were stored twice: {kept.hers}")
        if not lost and not doubled and list(kept.hers) != hers:
            self.problems.append(f"her messages were stored out of order: {kept.hers}")
        if unkept:
            missing = [reply.text[:60] for reply in seen if reply.text not in kept.replies]
            self.problems.append(f"{unkept} replies that she saw are not stored: {missing}")
        if unkept_lines:
            self.problems.append(f"{unkept_lines} honest lines that she saw are not stored")
        self.matrix.add(
            Row(
                self.fault,
                self.worst,
                self.answered,
                self.honest,
                lost + unkept + unkept_lines,
                doubled,
                not self.problems,
            )
        )
        assert not self.problems, "\n".join(self.problems)

    async def _settled(self, hers: list[str]) -> Stored:
        """What is stored once all of her messages are, or the time for it is over."""
        until = time.monotonic() + 15.0
        while True:
            kept = self.way.stored(self.conversation)
            if len(kept.hers) >= len(hers) or time.monotonic() > until:
                break
            await asyncio.sleep(0.1)
        # What was stored twice would come a little later.
        await asyncio.sleep(0.1)
        return self.way.stored(self.conversation)


def difference(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of `one` are not in `other`, counted with repetition."""
    return sum((Counter(one) - Counter(other)).values())
