"""The next thing to say, outside a crisis: a question, an outcome, "did you mean", or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from ebb.conversation.asides import Asides
from ebb.conversation.events import Event
from ebb.conversation.merge import is_red, learned
from ebb.conversation.state import Heard, State
from ebb.knowledge.everything import Knowledge
from ebb.knowledge.triage import Table
from ebb.replies import Renderer, Said, Summary
from ebb.triage import holds, step, tables_in_play
from ebb.types import NOT_SURE, Finding, Level, Outcome, Reply, Step

FALLBACK, START_OVER, GO_BACK = "nlu_fallback", "start_over", "go_back"
NEXT_TOPIC, BABY_AGE = "next_topic", "baby_age"
DAY = 86_400.0


class Flow:
    """Decides over states; holds no state of its own."""

    def __init__(
        self,
        knowledge: Knowledge,
        renderer: Renderer,
        scores: Callable[[Asides], tuple[str, ...]] = lambda _asides: (),
    ) -> None:
        self._scores = scores
        self._tables = knowledge.triage
        self._joints = knowledge.conversation
        self._findings = knowledge.findings
        self._zone = ZoneInfo(knowledge.service.timezone)
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
            return self._go_back(self._at_once(state))
        if _wants_summary(message):
            return state, (self._summary(state, message.at),)
        state, reply = self._pause(state, message)
        if reply is not None:
            return state, (reply,)
        state, reply = self._offer_answered(state, message)
        if reply is not None:
            return state, (reply,)
        playing = self._playing(state)
        if not playing:
            return state, () if answered else (self._renderer.message("nothing_open"),)
        state, found = self._next_step(state, playing)
        state, found = self._give_up_asking(state, found, playing, answered)
        if found.ask is not None:
            return self._ask(state, found, message, answered)
        return self._conclude(state, found, message, country, answered)

    def _next_step(self, state: State, playing: Sequence[str]) -> tuple[State, Step]:
        """The next move for the concern she is at; anything urgent elsewhere comes before it."""
        found = step(self._tables, state.values, playing)
        if state.topic is None:
            return state, found
        always = found.ask is not None and any(
            found.ask in table.inputs for table in self._tables.tables if self._always(table)
        )
        if always or urgent_and_new(found, state):
            return replace(state, topic=None), found
        return state, step(self._tables, state.values, playing, state.topic)

    def _always(self, table: Table) -> bool:
        return table.id in self._joints.always

    # ---- after a pause

    def picked_up(self, state: State, at: float) -> State:
        """The state when she writes at Unix time `at`, after however long.

        Within a while it goes on. After a longer pause she is asked whether to carry on. After
        more than a day only what stays true is left: where she lives, how old the baby is now,
        and that a baby died.
        """
        pause = self._joints.pause
        gap = at - state.heard_until
        if not state.heard_until or gap < pause.ask_after:
            return state
        if gap <= pause.forget_after:
            return replace(state, resuming="due") if state.open is not None else state
        kept = tuple(
            self._older(finding, gap)
            for finding in state.findings
            if finding.id in pause.carry or pause.carry_value.get(finding.id) == finding.value
        )
        return State(findings=kept, heard_until=state.heard_until, asides=state.asides.lasting())

    def _older(self, finding: Finding, seconds: float) -> Finding:
        """A finding that time has passed over: the baby's age grows, all else stays."""
        finding = replace(finding, source="carried")
        quantity = self._findings.findings[finding.id].quantity if finding.id == BABY_AGE else None
        if finding.amount is None or quantity is None:
            return finding
        age = finding.amount + seconds / DAY
        return replace(finding, amount=age, value=quantity.value(age))

    def _pause(self, state: State, message: Heard) -> tuple[State, Reply | None]:
        """Whether to carry on is asked once, unless she carries on by herself."""
        if state.resuming == "no":
            return state, None
        if state.open is None:
            # She answered the question that had waited.
            return replace(state, resuming="no"), None
        if state.resuming == "due":
            if message.intent == START_OVER:
                return replace(state, resuming="no"), None
            return replace(state, resuming="asked"), self._renderer.message("resume")
        return replace(state, resuming="no", tries=0), None

    def _at_once(self, state: State) -> State:
        return replace(state, resuming="no", offered=None)

    # ---- more than one concern

    def _offer_answered(self, state: State, message: Heard) -> tuple[State, Reply | None]:
        """Her answer to the offer to look at her other concern."""
        offered = state.offered
        if offered is None:
            return state, None
        state = replace(state, offered=None)
        told = message.answer[1] if message.answer and message.answer[0] == NEXT_TOPIC else None
        if told == "yes" or message.intent == "affirm":
            return replace(state, topic=offered), None
        if told == "no" or not (message.findings or message.intent in self._tables.entries):
            declined = replace(state, done=(*state.done, offered))
            return declined, self._renderer.message(f"{NEXT_TOPIC}.no")
        return state, None

    def _topic_of(self, rows: Sequence[str]) -> str | None:
        """The concern that the deciding row of an outcome is about."""
        table = rows[0].partition(".")[0] if rows else None
        return next((t.topic for t in self._tables.tables if t.id == table), None)

    def _met(self, state: State, outcome: Outcome) -> tuple[str, ...]:
        """The concerns of which all that she told led to this outcome already."""
        matched = {why.row for why in outcome.why}
        rows = [r for r in self._tables.rows if r.id in matched and r.outcome == outcome.id]
        used = {finding for row in rows for finding in row.when}
        told: dict[str, set[str]] = {}
        for table in self._tables.tables:
            for opener in table.opens_when:
                if holds(opener, state.values):
                    told.setdefault(table.topic, set()).update(opener)
        return tuple(topic for topic, findings in told.items() if findings <= used)

    def _pending(self, state: State) -> str | None:
        """Another concern that she told of, and that still has a question or advice to it."""
        playing = self._playing(state)
        topics: dict[str, None] = {}
        for table in self._tables.tables:
            if table.id in playing and table.closing_below is None and not self._always(table):
                topics.setdefault(table.topic)
        for topic in topics:
            if topic in state.done:
                continue
            found = step(self._tables, state.values, playing, topic)
            if found.ask is not None or (found.outcome is not None and _by_a_row(found.outcome)):
                return topic
        return None

    def _offer(self, state: State) -> tuple[State, tuple[Reply, ...]]:
        topic = self._pending(state)
        if topic is None:
            return state, ()
        name = self._joints.topics[topic]
        return replace(state, offered=topic), (self._renderer.message(NEXT_TOPIC, topic=name),)

    def has_more_to_say(self, state: State, before: State) -> bool:
        """Whether triage has a question or a new outcome now, given what was said `before`."""
        playing = self._playing(state)
        if not playing:
            return False
        state, found = self._next_step(state, playing)
        if found.ask is not None:
            return True
        if found.outcome is not None and not _told(found.outcome, before):
            return True
        return self._pending(state) is not None and self._pending(before) is None

    def urgent_now(self, state: State) -> bool:
        """Whether there is an outcome for today or now that she has not been told."""
        playing = self._playing(state)
        return bool(playing) and urgent_and_new(step(self._tables, state.values, playing), state)

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
        return self._next_step(learned(state, unsure, self._tables), playing)

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
        self, state: State, found: Step, message: Heard, country: str | None, answered: bool
    ) -> tuple[State, tuple[Reply, ...]]:
        outcome = found.outcome
        assert outcome is not None
        state = replace(state, open=None, tries=0)
        rows = tuple(why.row for why in outcome.why)
        topic = state.topic or self._topic_of(rows)
        if _told(outcome, state):
            return self._nothing_new(state, message, country, answered)
        changed = state.outcome is not None and topic == self._topic_of(state.rows)
        reply = self._renderer.outcome(outcome, state.findings, country, changed=changed)
        done = dict.fromkeys((*state.done, *([topic] if topic else ()), *self._met(state, outcome)))
        state = replace(state, outcome=outcome.id, rows=rows, topic=None, done=tuple(done))
        if outcome.level is Level.EMERGENCY:
            # Nothing stands between her and the call.
            return state, (reply,)
        state, offer = self._offer(state)
        return state, (reply, *offer)

    def _nothing_new(
        self, state: State, message: Heard, country: str | None, answered: bool
    ) -> tuple[State, tuple[Reply, ...]]:
        """All was told of this concern: the other one she speaks of now, or the offer of it."""
        state = replace(state, topic=None)
        topic = self._pending(state)
        if topic is None:
            return state, () if answered else (self._renderer.message("nothing_open"),)
        entry = self._tables.entries.get(message.intent or "")
        about = {t.topic for t in self._tables.tables if entry and t.id == entry.table}
        about |= {
            table.topic
            for table in self._tables.tables
            for finding in message.findings
            if any(finding.id in row.when for row in table.rows)
        }
        if topic in about:
            state = replace(state, topic=topic)
            found = step(self._tables, state.values, self._playing(state), topic)
            if found.ask is not None:
                return self._ask(state, found, message, answered)
            return self._conclude(state, found, message, country, answered)
        return self._offer(state)

    def _go_back(self, state: State) -> tuple[State, tuple[Reply, ...]]:
        """Take back the last answer and ask again. A red flag stays, and is asked directly."""
        if not state.answered:
            if state.open is not None:
                _, found = self._next_step(state, self._playing(state))
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
            kept = replace(kept, topic=None, done=())
        _, found = self._next_step(kept, self._playing(kept))
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
            _, asked = self._next_step(state, self._playing(state))
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

    def _summary(self, state: State, now: float) -> Reply:
        """One page of what she said, for a professional. Nothing that she did not say herself."""
        clauses = [
            Said(clause, self._clock(finding.at))
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
            Summary(
                said=tuple(clauses),
                outcomes=self._outcomes(state),
                red_flags=tuple(answered),
                questions=state.questions,
                scores=self._scores(state.asides),
                made=self._clock(now),
            ),
            state.values,
        )

    def _clock(self, at: float) -> str:
        """A time as she reads it; empty where it is not known."""
        return datetime.fromtimestamp(at, self._zone).strftime("%-d %b %Y, %H:%M %Z") if at else ""

    def _outcomes(self, state: State) -> tuple[Outcome, ...]:
        """What was told of each concern, the most urgent first."""
        playing = self._playing(state)
        told = self._outcome(state)
        found = {told.id: told} if told else {}
        for topic in state.done:
            outcome = step(self._tables, state.values, playing, topic).outcome
            if outcome is not None and _by_a_row(outcome):
                found.setdefault(outcome.id, outcome)
        return tuple(sorted(found.values(), key=lambda outcome: -outcome.level.rank))

    def _outcome(self, state: State) -> Outcome | None:
        """What was told last, with its reasons."""
        playing = self._playing(state)
        if state.outcome is None or not playing:
            return None
        for topic in (None, self._topic_of(state.rows)):
            found = step(self._tables, state.values, playing, topic).outcome
            if found is not None and found.id == state.outcome:
                return found
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
        fresh = State(findings=kept, heard_until=until, asides=state.asides.lasting())
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


def _by_a_row(outcome: Outcome) -> bool:
    """Whether something she said led to `outcome`, and not only that nothing did."""
    return any(not why.row.endswith(".otherwise") for why in outcome.why)


def _wants_summary(message: Heard) -> bool:
    if message.answer == ("request", "summary"):
        return True
    return any(f.id == "request" and f.value == "summary" for f in message.findings)


def _told(outcome: Outcome, state: State) -> bool:
    return outcome.id == state.outcome and {w.row for w in outcome.why} <= set(state.rows)
