"""Reads what was said from stored events: plain dictionaries in Rasa's own event format.

The same view serves the policy, the actions, `ebb replay` and anything else that looks back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ebb.conversation.crisis import Told
from ebb.conversation.state import Heard
from ebb.types import Assessment, Finding, Span, Tier, Turn

Event = Mapping[str, Any]

SAFETY, FINDINGS = "safety", "findings"
ASKED_TOO, TOLD_TOO = "asked_too", "told_too"
"""Keys of the parse result that hold what `ebb` read from the message."""
REPLY_ID, ASKED = "reply", "asked"
"""Keys of a bot event's metadata: the reply's id and the question it put."""
ANSWER = "answer"
"""Entity that a pressed answer button carries, as "<finding>=<value>"."""


def assessment_to_json(assessment: Assessment) -> dict[str, Any]:
    """An assessment as `ebb assess` prints it and events keep it."""
    return {
        "tier": assessment.tier.value,
        "category": assessment.category,
        "rules": list(assessment.rules),
        "spans": [[span.start, span.end] for span in assessment.spans],
    }


def assessment_from_json(kept: object) -> Assessment:
    """What `assessment_to_json` wrote; anything else counts as nothing found."""
    if not isinstance(kept, Mapping):
        return Assessment()
    try:
        return Assessment(
            tier=Tier(kept["tier"]),
            category=kept["category"],
            rules=tuple(kept["rules"]),
            spans=tuple(Span(start, end) for start, end in kept["spans"]),
        )
    except (KeyError, TypeError, ValueError):
        return Assessment()


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """A finding as events keep it."""
    return {
        "id": finding.id,
        "value": finding.value,
        "span": [finding.span.start, finding.span.end] if finding.span else None,
        "source": finding.source,
        "amount": finding.amount,
    }


def finding_from_json(kept: Event) -> Finding:
    """What `finding_to_json` wrote."""
    span = kept.get("span")
    return Finding(
        id=kept["id"],
        value=kept["value"],
        span=Span(*span) if span else None,
        source=kept.get("source", "said"),
        amount=kept.get("amount"),
    )


def answer_of(parse: Event) -> tuple[str, str] | None:
    """The finding and value that a pressed answer button carried."""
    for entity in parse.get("entities") or ():
        if entity.get("entity") == ANSWER and isinstance(entity.get("value"), str):
            name, sign, value = entity["value"].partition("=")
            return (name, value) if sign else (name, "")
    return None


def heard(event: Event) -> Heard:
    """One stored user message."""
    parse = event.get("parse_data") or {}
    intent = parse.get("intent") or {}
    return Heard(
        at=float(event.get("timestamp") or 0.0),
        text=event.get("text") or "",
        intent=intent.get("name"),
        ranking=tuple(
            (entry["name"], float(entry["confidence"]))
            for entry in parse.get("intent_ranking") or ()
        ),
        findings=tuple(finding_from_json(kept) for kept in parse.get(FINDINGS) or ()),
        answer=answer_of(parse),
        assessment=assessment_from_json(parse.get(SAFETY)),
        asked_too=parse.get(ASKED_TOO),
        told_too=parse.get(TOLD_TOO),
    )


def told(event: Event) -> Told:
    """One stored bot message."""
    meta = event.get("metadata") or {}
    return Told(reply=meta.get(REPLY_ID), asked=meta.get(ASKED))


def told_all(events: Iterable[Event]) -> tuple[Told, ...]:
    """All bot messages, oldest first."""
    return tuple(told(event) for event in events if event.get("event") == "bot")


def recent_turns(events: Sequence[Event], keep: int = 8) -> tuple[Turn, ...]:
    """The last messages of both sides, oldest first. A pressed button has no words of hers."""
    turns: list[Turn] = []
    for event in reversed(events):
        if event.get("event") == "user":
            words = event.get("text") or ""
            turns.append(Turn("user", "" if words.startswith("/") else words))
        elif event.get("event") == "bot":
            turns.append(Turn("bot", event.get("text") or "", told(event).asked))
        if len(turns) == keep:
            break
    return tuple(reversed(turns))
