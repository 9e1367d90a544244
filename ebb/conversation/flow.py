"""The next thing to say, outside a crisis: a question, an outcome, "did you mean", or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ebb.conversation.events import Event
from ebb.conversation.merge import is_red, learned
from ebb.conversation.state import Heard, State
from ebb.knowledge.everything import Knowledge
from ebb.replies import Renderer, Said, Summary
from ebb.triage import step, tables_in_play
from ebb.types import NOT_SURE, Finding, Level, Outcome, Reply, Step

FALLBACK = "nlu_fallback"
GO_BACK = "go_back"


class Flow:
    """Decides over states; holds no state of its own."""

    def __init__(self, knowledge: Knowledge, renderer: Renderer) -> None:
        self._tables = knowledge.triage
        self._joints = knowledge.conversation
        self._renderer = renderer

    # ---- triage

    def next(
        self, state: State, message: Heard, country: str | None, answered: bool
    ) -> tuple[State, tuple[Reply, ...]]:
        """The state after this turn and what to say.

        `answered` tells that her message got an answer in this turn already, so that silence is
        right where nothing is open.
        """
        if message.intent == GO_BACK and message.answer is None and not message.findings:
            return self._go_back(state)
        if _wants_summary(message):
            return state, (self._summary(state),)
        playing = self._playing(state)
        if not playing:
            return state, () if answered else (self._renderer.message("nothing_open"),)
        found = step(self._tables, state.values, playing)
        state, found = self._give_up_asking(state, found, playing, answered)
        if found.ask is not None:
            return self._ask(state, found, message, answered)
        return self._conclude(state, found, country, answered)

    def has_more_to_say(self, state: State, before: State) -> bool:
        """Whether triage has a question or a new outcome now, given what was said `before`."""
        playing = self._playing(state)
        if not playing:
            return False
        found = step(self._tables, state.values, playing)
        if found.ask is not None:
            return True
        return found.outcome is not None and not _told(found.outcome, before)

    def _playing(self, state: State) -> tuple[str, ...]:
        opened = tables_in_play(self._tables, state.values)
        return tuple(dict.fromkeys((*state.tables, *opened)))

    def _give_up_asking(
        self, state: State, found: Step, playing: Sequence[str], answered: bool
    ) -> tuple[State, Step]:
        """After several tries without an answer, "not sure" is the answer: the loop must end."""
        if answered or found.ask is None or found.ask != state.open:
            return state, found
        if state.tries + 1 < self._joints.tries:
            return state, found
        unsure = Finding(found.ask, NOT_SURE, source="answered")
        state = learned(state, unsure, self._tables)
        return state, step(self._tables, state.values, playing)

    def _ask(
        self, state: State, found: Step, message: Heard, answered: bool
    ) -> tuple[State, tuple[Reply, ...]]:
        assert found.ask is not None
        again = found.ask == state.open
        tries = state.tries + (0 if answered else 1) if again else 0
        heard = () if again else self._said(message, found.ask)
        reply = self._renderer.question(
            found.ask,
            state.values,
            remaining=found.remaining,
            tries=max(tries, 1) if again else 0,
            heard=heard,
            first=not state.answered and not again,
        )
        return replace(state, open=found.ask, tries=tries), (reply,)

    def _said(self, message: Heard, ask: str) -> tuple[Finding, ...]:
        """What she told in her own words just now, to say it back to her."""
        if message.answer is not None:
            return ()
        quiet = self._joints.not_said_back
        return tuple(
            f for f in message.findings if f.source == "said" and f.id != ask and f.id not in quiet
        )

    def _conclude(
        self, state: State, found: Step, country: str | None, answered: bool
    ) -> tuple[State, tuple[Reply, ...]]:
        outcome = found.outcome
        assert outcome is not None
        if _told(outcome, state):
            return replace(state, open=None, tries=0), (
                () if answered else (self._renderer.message("nothing_open"),)
            )
        changed = state.outcome is not None
        reply = self._renderer.outcome(outcome, state.findings, country, changed=changed)
        rows = tuple(why.row for why in outcome.why)
        return replace(state, open=None, tries=0, outcome=outcome.id, rows=rows), (reply,)

    def _go_back(self, state: State) -> tuple[State, tuple[Reply, ...]]:
        """Take back the last answer and ask again. A red flag stays, and is asked directly."""
        if not state.answered:
            if state.open is not None:
                found = step(self._tables, state.values, self._playing(state))
                if found.ask is not None:
                    asked, replies = self._ask(state, found, Heard(), answered=True)
                    return asked, (self._renderer.message("nothing_to_go_back"), *replies)
            return state, (self._renderer.message("nothing_to_go_back"),)
        last = state.answered[-1]
        red = is_red(state, last, self._tables)
        if red:
            kept = replace(state, answered=state.answered[:-1], open=last, tries=0)
        else:
            kept = replace(state.without_finding(last), open=last, tries=0, outcome=None, rows=())
        found = step(self._tables, kept.values, self._playing(kept))
        reply = self._renderer.question(
            last,
            kept.values,
            remaining=max(found.remaining, 1),
            tries=0,
            heard=(),
            first=False,
        )
        return kept, (reply,)

    # ---- everything else

    def country(self, messages: Sequence[Event], country: str | None) -> Reply:
        """The help lines of the country she named, or the question which it is."""
        hers = [event for event in messages if event.get("event") == "user"]
        parse = (hers[-1].get("parse_data") or {}) if hers else {}
        named = any(entity.get("entity") == "country" for entity in parse.get("entities") or ())
        if named and country:
            return self._renderer.country_set(country)
        return self._renderer.message("ask_country")

    def clarify(
        self, hers: Sequence[Heard], country: str | None, baby: str | None
    ) -> tuple[Reply, ...]:
        """The likely topics once; after a second miss the menu and how to reach a person."""
        misses = 0
        for message in reversed(hers):
            if message.intent != FALLBACK:
                break
            misses += 1
        if misses >= 2:
            return (self._renderer.missed_twice(country, baby=baby),)
        last = hers[-1] if hers else Heard()
        likely = [
            intent
            for intent, chance in last.ranking
            if chance >= self._joints.least and self._renderer.can_offer(intent)
        ][: self._joints.choices]
        return (self._renderer.did_you_mean(likely, baby=baby),)

    def why(self, state: State, events: Sequence[Event]) -> tuple[Reply, ...]:
        """The reasons of the last outcome, or the sources of the last answer."""
        if state.open is not None:
            asked = step(self._tables, state.values, self._playing(state))
            again = self._renderer.question(
                state.open, state.values, remaining=asked.remaining, tries=1
            )
            return (self._renderer.message("why.question"), again)
        outcome = self._outcome(state)
        if outcome is not None:
            return (self._renderer.why(outcome, state.findings),)
        for event in reversed(events):
            if event.get("event") == "bot":
                sources = (event.get("metadata") or {}).get("sources")
                if sources:
                    return (self._renderer.sources(tuple(sources)),)
        return (self._renderer.message("no_reasons_yet"),)

    def _summary(self, state: State) -> Reply:
        """One page of what she said, for a professional. Nothing that she did not say herself."""
        clauses = [
            Said(clause)
            for finding in state.findings
            if (clause := self._renderer.clause(finding.id, finding.value))
        ]
        red = {flag.finding for flag in self._tables.red_flags}
        answered = [
            (question.again, self._renderer.answer_title(name, state.values[name]))
            for name, question in self._tables.questions.items()
            if name in state.values and name in red
        ]
        return self._renderer.summary(
            Summary(tuple(clauses), self._outcome(state), tuple(answered)), state.values
        )

    def _outcome(self, state: State) -> Outcome | None:
        playing = self._playing(state)
        if state.outcome is None or not playing:
            return None
        return step(self._tables, state.values, playing).outcome

    def start_over(self, state: State, hers: Sequence[Heard]) -> tuple[State, tuple[Reply, ...]]:
        """A state without her answers, but with every red flag and where the baby is."""
        kept = tuple(
            finding
            for finding in state.findings
            if finding.id in self._joints.kept_after_start_over
            or is_red(state, finding.id, self._tables)
        )
        until = hers[-1].at if hers else state.heard_until
        fresh = State(findings=kept, heard_until=until)
        return fresh, (self._renderer.message("start_over"),)

    def forget(self, hers: Sequence[Heard]) -> tuple[bool, tuple[Reply, ...]]:
        """Whether she confirmed that all is to be erased, and what to say."""
        answer = hers[-1].answer if hers else None
        if answer == ("erase", "yes"):
            return True, (self._renderer.message("erased"),)
        if answer == ("erase", "no"):
            return False, (self._renderer.message("erase.kept"),)
        return False, (self._renderer.message("erase_confirm"),)


def urgent_and_new(found: Step, state: State) -> bool:
    """Whether `found` is an outcome for today or now that she has not been told."""
    outcome = found.outcome
    if outcome is None or outcome.level.rank < Level.SAME_DAY.rank or not outcome.why:
        return False
    return not _told(outcome, state)


def _wants_summary(message: Heard) -> bool:
    if message.answer == ("request", "summary"):
        return True
    return any(f.id == "request" and f.value == "summary" for f in message.findings)


def _told(outcome: Outcome, state: State) -> bool:
    return outcome.id == state.outcome and {w.row for w in outcome.why} <= set(state.rows)
