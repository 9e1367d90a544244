"""What a crisis asks of the conversation: which reply comes next, from what was said before.

Pure, over plain turns, so that the channel's safety net and Rasa's policy decide alike, and
neither needs an action server, a slot or a store.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from ebb.types import Assessment, Tier

ELSEWHERE = ("country.",)
"""Replies that do not close a safety question: she was only told other numbers."""
CRISIS, LATER = "crisis", "later"


@dataclass(frozen=True, slots=True)
class Told:
    """One bot message as the conversation keeps it: the reply's id and the question it put."""

    reply: str | None
    asked: str | None


@dataclass(frozen=True, slots=True)
class Crisis:
    """Where the crisis part of a conversation stands.

    `asked` is the question of the last crisis reply, which waits for an answer; `again` whether
    it was put a second time already; `seen` the crisis replies she got, oldest first.
    """

    asked: str | None = None
    again: bool = False
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """The crisis reply that comes next: `crisis`, or the kind of a follow-up."""

    kind: str
    assessment: Assessment


def standing(told: Sequence[Told], crisis_replies: Container[str]) -> Crisis:
    """Where the crisis stands after these bot messages, oldest first.

    The question of a crisis reply stays open until a bot message of another kind.
    """
    told = [t for t in told if t.reply and not t.reply.startswith(ELSEWHERE)]
    seen = tuple(t.reply for t in told if t.reply and t.reply in crisis_replies)
    last = told[-1] if told else None
    if last is None or last.reply not in crisis_replies:
        return Crisis(seen=seen)
    asked_twice = any(kind in f".{last.reply}" for kind in (".again", ".later"))
    return Crisis(asked=last.asked, again=asked_twice, seen=seen)


def next_move(
    assessment: Assessment,
    own_words: Assessment,
    answer: str | None,
    crisis: Crisis,
    *,
    moves_on: bool,
    in_triage: bool,
) -> Move | None:
    """The crisis reply for a message, or None when the ordinary conversation goes on.

    `assessment` reads the message with the turns before it, `own_words` without them; `answer` is
    the kind of follow-up that the message leads to as an answer to the open question. Whatever
    she writes while a safety question is open is met by it once more; after that, and when
    the open question is not about safety (`moves_on`), she is not held up. Where triage asked the
    safety question (`in_triage`), triage itself answers "not sure" and "rather not say", with
    the help lines in its card.
    """
    if own_words.tier.rank >= Tier.CHECK.rank:
        return Move(
            CRISIS, own_words if own_words.tier.rank >= assessment.tier.rank else assessment
        )
    if crisis.asked is not None and answer is not None:
        return Move(answer, assessment)
    least = Tier.URGENT if in_triage else Tier.CHECK
    if assessment.tier.rank >= least.rank:
        return Move(CRISIS, assessment)
    if crisis.asked is None or moves_on or crisis.again:
        return None
    return Move("again", assessment)


def comes_back(crisis: Crisis) -> bool:
    """Whether she passed over a question twice, so that it is asked once more after her answer."""
    return crisis.again and not any(".later" in reply for reply in crisis.seen)


def follow_ups_in_a_row(told: Sequence[Told]) -> int:
    """How many of the last bot messages followed up on an answer about safety."""
    count = 0
    for one in reversed(told):
        if one.reply is None or not one.reply.startswith("crisis.") or _is_first(one.reply):
            break
        count += 1
    return count


def _is_first(reply: str) -> bool:
    """Whether a crisis reply met words of danger, and not an answer."""
    return any(f".{tier.value}." in reply for tier in Tier)
