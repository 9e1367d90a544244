"""Why a message was judged as it was, for a person: each rule, its words, and what turned it.

In: the assessor, a message and the turns before it. Out: lines of text. Nothing here decides
anything, and the lines quote the message: they are for a terminal, never for a log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ebb.knowledge.crisis import Rule
from ebb.safety.assess import Safety
from ebb.types import Tier, Turn


def explain(safety: Safety, text: str, recent: Sequence[Turn] = ()) -> Iterator[str]:
    """Lines for a person about `text`, said after `recent` (oldest first)."""
    found = safety.assess(text, recent)
    yield f"{found.tier.value}: {found.category or 'no danger found in these words'}"
    told: set[str] = set()
    for trace in safety.trace(text):
        told.add(trace.rule)
        outcome = _outcome(safety.rule(trace.rule), trace.cause, trace.tier)
        yield f'  {trace.rule}: "{trace.words}"{outcome}'
    for rule in found.rules:
        if rule not in told:
            yield f"  {rule}: {_elsewhere(rule)}"
    if found.spans:
        yield f"  read as: {safety.read_as(text)}"


def _outcome(rule: Rule, cause: str | None, tier: Tier) -> str:
    base = f" -> {tier.value} ({rule.category}, level {rule.level}, {', '.join(rule.sources)})"
    if cause is None:
        return base
    if tier is Tier.NONE:
        return f" -> left out: {_CAUSES.get(cause, cause)}"
    return f"{base}, lowered from {rule.tier.value}: {_CAUSES.get(cause, cause)}"


def _elsewhere(rule: str) -> str:
    if rule.startswith("answer."):
        return "her answer to the safety question that was open"
    if rule.startswith("veiled."):
        return "no rule; the model of veiled danger asks for a question"
    return "only together with her messages before"


_CAUSES = {
    "unless": "an exception of the rule covers these words",
    "together": "words that the rule needs beside them are missing",
    "negated": "denied",
    "quoted": "somebody else's words, a title or a form",
    "information": "a question or a subject, not about herself",
    "past": "told as past",
    "other": "about somebody else",
    "adult": "more likely about a grown person",
    "feeding": "more likely about a feed",
    "unwanted": "unwanted, and she is horrified by it",
}
