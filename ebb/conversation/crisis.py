"""What a crisis asks of the conversation: which reply comes next, from what was said before.

Pure, over plain turns, so that the channel's safety net and Rasa's policy decide alike, and
neither needs an action server, a slot or a store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ebb.types import Assessment, Tier, Turn

Kind = Literal["crisis", "safe", "unsure", "again"]


@dataclass(frozen=True, slots=True)
class Told:
    """One bot message as the conversation keeps it: the reply's id and the question it put."""

    reply: str | None
    asked: str | None


@dataclass(frozen=True, slots=True)
class Crisis:
    """Where the crisis part of a conversation stands.

    `asked` is the safety question that waits for an answer; `again` whether it was put a second
    time already; `seen` the crisis replies she got, oldest first.
    """

    asked: str | None = None
    again: bool = False
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """The crisis reply that comes next."""

    kind: Kind
    assessment: Assessment


def standing(told: Sequence[Told], safety_questions: frozenset[str]) -> Crisis:
    """Where the crisis stands after these bot messages, oldest first.

    The safety question of a crisis reply stays open until a bot message of another kind.
    """
    seen = tuple(t.reply for t in told if t.reply and t.reply.startswith("crisis"))
    last = told[-1] if told else None
    if last is None or last.asked not in safety_questions or last.reply is None:
        return Crisis(seen=seen)
    if not last.reply.startswith("crisis"):
        return Crisis(seen=seen)
    return Crisis(asked=last.asked, again=".again" in last.reply, seen=seen)


def next_move(
    assessment: Assessment,
    reading: Literal["yes", "no", "unsure"] | None,
    crisis: Crisis,
) -> Move | None:
    """The crisis reply for a message, or None when the ordinary conversation goes on.

    `reading` is how her message reads as an answer to the open safety question. Whatever she
    writes while that question is open is met by it once more; after that she is not held up.
    """
    if assessment.tier.rank >= Tier.CHECK.rank:
        return Move("crisis", assessment)
    if crisis.asked is None:
        return None
    if reading == "no":
        return Move("safe", assessment)
    if reading == "unsure":
        return Move("unsure", assessment)
    if not crisis.again:
        return Move("again", assessment)
    return None


def recent(turns: Sequence[Turn], keep: int = 6) -> tuple[Turn, ...]:
    """The last `keep` turns, which is what the assessment may look back on."""
    return tuple(turns[-keep:])
