"""Questionnaires and the diary beside triage: who a message is for, and what is said then.

Danger in a message never comes here first: the safety path has answered before.
"""

from __future__ import annotations

from dataclasses import replace

from ebb.conversation.asides import Asides
from ebb.conversation.diary import CONSENT, DELETE, ERASE, FIELD, LOG, SHOW, DiaryTalk
from ebb.conversation.merge import learned
from ebb.conversation.screeners import MORE, NO, OFFER, YES, Screening, closed
from ebb.conversation.state import Heard, State
from ebb.knowledge.everything import Knowledge
from ebb.types import Assessment, Finding, Reply, Tier

REQUEST, SCREEN = "request", "start_screener"
OFFERS = (OFFER, MORE, CONSENT, DELETE)
FEW = 8
"""In so many words an answer is nothing but the answer."""
SAVED, SHOWN, DECLINED, STOPPED, ASKED = "saved", "shown", "declined", "stopped", "asked"
DELETED, KEPT, NO_DIARY = "deleted", "kept", "consent_declined"


class Aside:
    """Holds no state of its own."""

    def __init__(self, knowledge: Knowledge, screening: Screening, diary: DiaryTalk) -> None:
        self._tables = knowledge.triage
        self._findings = knowledge.findings
        self.screening = screening
        self.diary = diary

    # ---- hearing

    def takes(self, state: State, message: Heard, asked: str | None) -> bool:
        """Whether `message` is for a questionnaire or the diary; `asked` is what stood before."""
        return bool(self.hear(state, message, asked)[2])

    def hear(self, state: State, message: Heard, asked: str | None) -> tuple[State, Heard, str]:
        """The state after `message`, what is left of it for triage, and what became of it.

        That is empty where the message was for nothing here.
        """
        words = "" if message.text.startswith("/") else message.text
        mine = any(rule.startswith("screener.") for rule in message.assessment.rules)
        if message.assessment.tier.rank >= Tier.URGENT.rank and not mine:
            return state, message, ""
        wanted = self._wanted(message)
        if wanted:
            return self._start(state, message, wanted, words)
        asides = state.asides
        value = self._value(asides, message, words, asked)
        if asides.open is None or value is None:
            return state, message, ""
        if self._is_diary(asides.open):
            after = self.diary.hear(asides, value, words, message.at)
            became = self._diary_became(asides, after, value)
            state = self._fed(replace(state, asides=after))
            return state, self._rest(message, self.diary.own), became
        danger = self.screening.danger(asides.open, value, words)
        after = self.screening.hear(asides, value, message.at)
        state = self._scored(replace(state, asides=after), asides, message.at)
        became = ASKED
        if after.open is None and len(after.scores) == len(asides.scores):
            became = DECLINED if asides.open == OFFER else STOPPED
        every = len(words.split()) <= FEW
        own = frozenset(f.id for f in message.findings) if every else frozenset()
        left = self._rest(message, own)
        # An answer that shows danger counts for triage as her words would.
        return state, replace(left, assessment=danger or Assessment()), became

    def _wanted(self, message: Heard) -> str:
        if message.answer is not None:
            return message.answer[1] if message.answer[0] == REQUEST else ""
        for finding in message.findings:
            if finding.id == REQUEST:
                return finding.value
        return message.intent if message.intent in (LOG, SHOW, SCREEN) else ""

    def _start(
        self, state: State, message: Heard, wanted: str, words: str
    ) -> tuple[State, Heard, str]:
        asides, names = state.asides, self.screening.names
        if wanted in names or wanted == SCREEN:
            name = wanted if wanted in names else min(names, key=lambda n: n != "phq9")
            after = self.screening.start(closed(asides), name, whole=wanted in names)
            return replace(state, asides=after), self._rest(message, frozenset({REQUEST})), ASKED
        if wanted == LOG:
            after = self.diary.log(asides, words, message.at)
            became = SAVED if after.open is None else ASKED
            state = self._fed(replace(state, asides=after))
            return state, self._rest(message, self.diary.own | {REQUEST}), became
        if wanted == SHOW:
            return state, self._rest(message, frozenset({REQUEST})), SHOWN
        if wanted == ERASE:
            after = replace(closed(asides), open=DELETE) if asides.entries else asides
            became = ASKED if asides.entries else SHOWN
            return replace(state, asides=after), self._rest(message, frozenset({REQUEST})), became
        return state, message, ""

    def _value(self, asides: Asides, message: Heard, words: str, asked: str | None) -> str | None:
        """Her answer to the open question; words count only right after it was put."""
        opened = asides.open
        if opened is None:
            return None
        if message.answer is not None:
            return message.answer[1] if message.answer[0] == opened and message.answer[1] else None
        if asked != opened:
            return None
        if opened in (OFFER, MORE, CONSENT, DELETE):
            plain = {"affirm": YES, "deny": NO}.get(message.intent or "")
            return plain or (self.diary.reading(CONSENT, words) if words else None)
        if not words:
            return None
        if self._is_diary(opened):
            return self.diary.reading(opened, words)
        told = self.screening.reading(words)
        if told is None and self.screening.danger(opened, None, words) is not None:
            return YES
        return told

    def _is_diary(self, opened: str) -> bool:
        return opened.startswith(FIELD)

    def _diary_became(self, before: Asides, after: Asides, value: str) -> str:
        if before.open == DELETE:
            return DELETED if value == YES else KEPT
        if before.open == CONSENT and value != YES:
            return NO_DIARY
        return SAVED if after.open is None else ASKED

    def _rest(self, message: Heard, own: frozenset[str]) -> Heard:
        """What is left for triage: no intent, and no finding that was said of the aside."""
        left = tuple(f for f in message.findings if f.id not in own)
        return replace(
            message,
            intent=None,
            findings=left,
            answer=None,
            asked_too=None,
            told_too=None,
            assessment=Assessment(),
        )

    def _scored(self, state: State, before: Asides, at: float) -> State:
        """What an answer tells triage. A finding of hers that weighs more stays."""
        for name, (value, amount) in self.screening.findings(before, state.asides).items():
            rule = self._findings.findings[name]
            if not value:
                assert rule.quantity is not None and amount is not None
                value = rule.quantity.value(amount)
            old = next((f for f in state.findings if f.id == name), None)
            order = list(rule.values)
            if old is None or old.value not in order or order.index(old.value) < order.index(value):
                finding = Finding(name, value, source="answered", amount=amount, at=at)
                state = state.with_finding(finding)
        return state

    def _fed(self, state: State) -> State:
        """The state with what enough entries show; nothing that she said herself is replaced."""
        known = {f.id: f for f in state.findings}
        for finding in self.diary.findings(state.asides.entries):
            old = known.get(finding.id)
            if old is None or (old.source == "carried" and finding.source == "carried"):
                state = learned(state, finding, self._tables)
        return state

    # ---- saying

    def result(self, state: State) -> tuple[State, Reply | None]:
        """The score that she has not been told, and the state in which she has."""
        asides = state.asides
        score = next((score for score in asides.scores if not score.told), None)
        if score is None:
            return state, None
        scores = tuple(replace(s, told=True) if s is score else s for s in asides.scores)
        reply = self.screening.result(score, advised=state.outcome is not None)
        return replace(state, asides=replace(asides, scores=scores)), reply

    def said(self, before: State, state: State, became: str) -> Reply | None:
        """The reply to a message that was for the aside."""
        match became:
            case "saved":
                return self.diary.logged(before.asides.entries, state.asides.entries)
            case "shown":
                return self.diary.shown(state.asides.entries)
            case "deleted" | "kept" | "consent_declined":
                return self.diary.said(became)
            case "declined" | "stopped":
                return self.screening.said(became)
        return self.question(state.asides)

    def question(self, asides: Asides, *, unclear: bool = False) -> Reply | None:
        """The open question, if there is one."""
        if asides.open is None:
            return None
        talk = self.diary if self._is_diary(asides.open) else self.screening
        return talk.question(asides, unclear=unclear)

    def passed_over(
        self, state: State, message: Heard, answered: bool, back: bool
    ) -> tuple[State, Reply | None]:
        """A message that was not for the open question: it is put again, once, or let go."""
        asides = state.asides
        if asides.open is None:
            return state, None
        if asides.open in OFFERS or (message.text.startswith("/") and not answered and not back):
            return replace(state, asides=closed(asides)), None
        if back and not self._is_diary(asides.open):
            asides = self.screening.back(asides)
        elif not answered:
            if asides.tries:
                return replace(state, asides=closed(asides)), None
            asides = replace(asides, tries=1)
        again = self.question(asides, unclear=not answered and not back)
        return replace(state, asides=asides), again

    def offer(self, state: State, outcome: str) -> tuple[State, Reply | None]:
        """A questionnaire or the diary, offered after an outcome."""
        after = self.screening.offered(state.asides, outcome)
        if after is not None:
            return replace(state, asides=after), self.screening.question(after)
        if not state.asides.entries and (mention := self.diary.offer(outcome)) is not None:
            return state, mention
        return state, None
