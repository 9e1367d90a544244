"""Adds what she said to what is known. Nothing lowers a red flag once it was given."""

from __future__ import annotations

from dataclasses import replace

from ebb.conversation.state import Heard, State
from ebb.knowledge.triage import Tables
from ebb.types import NOT_SURE, Finding, Tier

YES_NO = {"affirm": "yes", "deny": "no", "not_sure": NOT_SURE}
"""What a bare yes, no or "don't know" answers when a question is open."""
QUESTIONS, QUESTION_LENGTH = 5, 200
"""How many of her own questions are kept, and how many characters of each."""
ANSWER_WORDS = 8
"""Up to so many words, a message that answers the open question is nothing but the answer."""


def merged(state: State, heard: Heard, tables: Tables, crisis_findings: dict[str, str]) -> State:
    """The state after hearing one message.

    `crisis_findings` gives, by crisis category, the finding whose value becomes "yes" when words
    of that category were urgent: what safety saw, triage knows too.
    """
    new = {finding.id: finding for finding in heard.findings}
    if heard.answer is not None and heard.answer[0] in tables.questions and heard.answer[1]:
        new[heard.answer[0]] = Finding(heard.answer[0], heard.answer[1], source="answered")
    # A red flag is answered by what she wrote alone: an intent may be mistaken.
    asked = state.listening_for
    red = any(flag.finding == asked for flag in tables.red_flags)
    if asked is not None and not red and not new:
        value = YES_NO.get(heard.intent or "")
        if value is not None and value in tables.domain.get(asked, ()):
            new[asked] = Finding(asked, value, source="answered")
    told = crisis_findings.get(heard.assessment.category or "")
    if told is not None and heard.assessment.tier.rank >= Tier.URGENT.rank:
        new[told] = Finding(told, "yes")
    for finding in new.values():
        state = learned(state, replace(finding, at=heard.at), tables)
    state = _asking(state, heard)
    if not _only_an_answer(heard, new.get(asked or "")):
        for intent in (heard.intent, heard.told_too):
            state = _entered(state, intent, tables)
    return replace(state, heard_until=max(state.heard_until, heard.at))


def _only_an_answer(heard: Heard, answer: Finding | None) -> bool:
    """Whether she answered in a few words. A guess at what they report must not open a table.

    What they do tell besides is among the findings, and those open tables by themselves.
    """
    short = len((heard.text or "").split()) <= ANSWER_WORDS
    return short and answer is not None and answer.source == "answered"


def learned(state: State, finding: Finding, tables: Tables) -> State:
    """The state after learning `finding`, which an earlier red flag may outrank."""
    if finding.id == state.open:
        answered = (*(a for a in state.answered if a != finding.id), finding.id)
        state = replace(state, open=None, tries=0, answered=answered)
    before = state.values.get(finding.id)
    if before is not None and _lowers(before, finding, tables):
        return state
    return state.with_finding(finding)


def is_red(state: State, finding_id: str, tables: Tables) -> bool:
    """Whether what she said of `finding_id` is a red flag."""
    value = state.values.get(finding_id)
    return any(flag.finding == finding_id and value in flag.at_least for flag in tables.red_flags)


def _lowers(before: str, finding: Finding, tables: Tables) -> bool:
    for flag in tables.red_flags:
        if flag.finding == finding.id and before in flag.at_least:
            now = flag.at_least.get(finding.value)
            return now is None or now.rank < flag.at_least[before].rank
    return False


def _asking(state: State, heard: Heard) -> State:
    """Her own questions are kept for the summary, the last few and not too long."""
    intent = heard.asked_too or heard.intent or ""
    if not intent.startswith("ask_") or not heard.text or heard.text.startswith("/"):
        return state
    asked = (*(q for q in state.questions if q != heard.text), heard.text[:QUESTION_LENGTH])
    return replace(state, questions=asked[-QUESTIONS:])


def _entered(state: State, intent: str | None, tables: Tables) -> State:
    """What the intent itself means: the table it opens, the findings it implies."""
    entry = tables.entries.get(intent or "")
    if entry is None:
        return state
    for name, value in entry.findings.items():
        if name not in state.values:
            state = state.with_finding(Finding(name, value))
    if entry.table not in state.tables:
        # She comes with something new: what was concluded before does not hold it back.
        state = replace(state, tables=(*state.tables, entry.table))
    return state
