"""All parts put together: what the channels, the policy, the actions and the commands call.

Free of Rasa. `core()` loads knowledge/ once in a process.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ebb.conversation import crisis, flow
from ebb.conversation.aside import DECLINED, SAVED, STOPPED, Aside
from ebb.conversation.crisis import Move
from ebb.conversation.diary import DiaryTalk
from ebb.conversation.events import Event, heard, recent_turns, told, told_all
from ebb.conversation.merge import merged
from ebb.conversation.screeners import Screening, closed
from ebb.conversation.state import Heard, State
from ebb.findings import Extractor
from ebb.knowledge.everything import Knowledge, load
from ebb.knowledge.places import PROJECT, digest
from ebb.replies import Renderer
from ebb.safety import Safety
from ebb.text import Reader, Scopes
from ebb.triage import step, tables_in_play
from ebb.types import (
    NOT_SURE,
    Assessment,
    Finding,
    Findings,
    Level,
    Outcome,
    Reply,
    Span,
    Tier,
    Turn,
)

log = logging.getLogger(__name__)

ANSWER_WORDS = {"yes": "yes", "no": "no", "not_sure": "not sure", "refused": "rather not say"}
"""What a pressed answer to a safety question says in words, for the assessment."""
PRESSED = {"affirm": "yes", "deny": "no", "not_sure": "not_sure"}
"""What buttons without an answer of their own say to an open question."""
FEEDING, LIFE, DMER = "feeding", "life", "dmer"
"""What she meant by ambiguous words, as values of the question that asks for it; and what may be
explained once she is safe."""
OFFERS = "words"
"""The offers beside a crisis reply: words to show, words to say, a plan."""
BABY, DIED, REQUEST, ERASE = "baby_situation", "died", "request", "erase"
POSSIBLE_ANSWER = "answer.question_lost"
"""Rule id of a bare "yes" or "no" that may have answered a safety question before a restart."""
TIER_LEVEL = {
    Tier.NONE: Level.SELF_CARE,
    Tier.CHECK: Level.WITHIN_3_DAYS,
    Tier.URGENT: Level.SAME_DAY,
    Tier.EMERGENCY: Level.EMERGENCY,
}
"""The level that each tier of words stands for, to tell which is more urgent."""
COUNTRY, COUNTRY_WORDS = "country", 2
LISTEN, TRIAGE, FORGET = "action_listen", "action_triage", "action_forget"
CRISIS = "utter_crisis"


class Core:
    """Safety, findings, triage and replies over one set of knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.reader = Reader(knowledge.language)
        self.scopes = Scopes(knowledge.language)
        self.safety = Safety(knowledge.crisis, self.reader, self.scopes)
        self.extractor = Extractor(knowledge.findings, self.reader, self.scopes)
        self.renderer = Renderer(
            knowledge.replies,
            knowledge.helplines,
            knowledge.service,
            knowledge.triage,
            say_back=self._say_back,
            source_title=self._source_title,
        )
        zone = knowledge.service.timezone
        screening = Screening(knowledge.screeners, self.reader, zone)
        diary = DiaryTalk(knowledge.diary, self.reader, self.extractor, zone)
        self.aside = Aside(knowledge, screening, diary)
        self.flow = flow.Flow(knowledge, self.renderer, screening.summary)
        self.fingerprint = digest(
            PROJECT / "knowledge" / "language", PROJECT / "knowledge" / "findings"
        )

    def warm(self) -> None:
        """Compile all patterns now, so that the first message is answered like the others."""
        self.safety.warm()
        self.scopes.warm()
        self.extractor.warm()
        self.aside.screening.warm()
        self.aside.diary.warm()

    # ---- crisis

    def assess(self, words: str, payload: str | None, before: Sequence[Event]) -> Assessment:
        """The danger in a message: in her words, or in the answer that a button carries."""
        recent = recent_turns(before)
        question, value = answer_in(payload)
        item = self.aside.screening.danger(question or _asked_last(before), value, words)
        if payload is None:
            found = self._assess(words, recent, self._baby(before))
            return item if item and item.tier.rank > found.tier.rank else found
        if item is not None and question is not None:
            return item
        if question is None or not self._is_safety(question):
            return Assessment()
        asked = Turn("bot", "", question)
        return self.safety.assess(ANSWER_WORDS.get(value, value), (*recent, asked))

    def _assess(self, words: str, recent: Sequence[Turn], baby: str | None) -> Assessment:
        """Words read as they stand and, after a loss, as said by a mother whose baby died."""
        found = self.safety.assess(words, recent)
        if baby != DIED:
            return found
        before = self.knowledge.conversation.loss_context + " "
        grieving = self.safety.assess(before + words)
        if grieving.tier.rank <= found.tier.rank:
            return found
        spans = tuple(
            Span(max(0, span.start - len(before)), span.end - len(before))
            for span in grieving.spans
            if span.end > len(before)
        )
        return replace(grieving, spans=spans)

    def crisis_reply(
        self,
        assessment: Assessment,
        words: str,
        payload: str | None,
        before: Sequence[Event],
        country: str | None,
    ) -> Reply | None:
        """The crisis reply that a message calls for, or None.

        Where facts together show an emergency of the body that is more urgent than the words
        alone, its card comes instead. Needs nothing but what is in memory.
        """
        where = country or self.knowledge.service.country
        outcome, findings = self._emergency_by_facts(assessment, words, before)
        if outcome is not None:
            return self.renderer.outcome(outcome, findings, where)
        move = self._move(assessment, words, payload, before)
        return None if move is None else self._crisis(move, before, where, words)

    def _emergency_by_facts(
        self, assessment: Assessment, words: str, before: Sequence[Event]
    ) -> tuple[Outcome | None, tuple[Finding, ...]]:
        """The emergency that the facts of her last messages show, if words alone show less."""
        joints = self.knowledge.conversation
        bodily = assessment.category in joints.bodily
        if not words or (assessment.tier is not Tier.NONE and not bodily):
            return None, ()
        try:
            known: dict[str, Finding] = {}
            for event in before:
                if event.get("event") == "user":
                    known |= {finding.id: finding for finding in heard(event).findings}
            known |= {finding.id: finding for finding in self.findings_in(words)}
            values = {finding.id: finding.value for finding in known.values()}
            found = step(self.knowledge.triage, values, joints.always).outcome
        except Exception as error:
            log.error("looking for an emergency failed: %s", type(error).__name__)
            return None, ()
        if found is None or found.level.rank <= TIER_LEVEL[assessment.tier].rank:
            return None, ()
        if found.level is not Level.EMERGENCY or not _by_rows(found, joints.always):
            return None, ()
        told_ids = {told(e).reply for e in before if e.get("event") == "bot"}
        if f"outcome.{found.id}" in told_ids:
            return None, ()
        return found, tuple(known.values())

    def _move(
        self, assessment: Assessment, words: str, payload: str | None, before: Sequence[Event]
    ) -> Move | None:
        told_so_far = told_all(before)
        standing = crisis.standing(told_so_far, self.renderer.crisis_ids)
        question, value = answer_in(payload)
        asked = standing.asked
        own = self._assess(words, (), self._baby(before)) if words else Assessment()
        if question is not None:
            # A tapped answer says itself which question it answers.
            asked = question
        answer = None if asked is None else self._answer(asked, value, words, payload)
        joints = self.knowledge.conversation
        if own.tier is Tier.CHECK and self._settled(own, standing):
            own = assessment = Assessment()
        # Questions about safety never go round in circles.
        many = crisis.follow_ups_in_a_row(told_so_far) >= joints.follow_ups
        if many and answer in joints.round_about:
            answer = joints.after_follow_ups
        elsewhere = payload is not None and question is None
        return crisis.next_move(
            assessment,
            own,
            answer,
            standing,
            moves_on=elsewhere
            or standing.asked not in self.knowledge.replies.safety_questions
            or self.country_in(words, payload) is not None,
            in_triage=_asked_last(before) in self.knowledge.conversation.safety_findings,
        )

    def _settled(self, found: Assessment, standing: crisis.Crisis) -> bool:
        """Whether she has just said that such a question is not about herself."""
        once = found.category in self.knowledge.conversation.asked_once
        return once and bool(standing.seen) and self.renderer.settles(standing.seen[-1])

    def _answer(self, asked: str, value: str, words: str, payload: str | None) -> str | None:
        """The kind of follow-up that her answer to `asked` leads to."""
        if not value and (offered := self._heard(words, OFFERS)):
            return self.renderer.follow_up_kind(OFFERS, offered)
        if not value:
            value = PRESSED.get((payload or "").lstrip("/"), "") or self._reading(words, asked)
        if not value:
            return None
        return self.renderer.follow_up_kind(asked, value)

    def _reading(self, words: str, asked: str) -> str:
        """Her words as one of the values that answer `asked`; empty where they are none."""
        if not words:
            return ""
        if named := self._heard(words, asked):
            return named
        meant = self.safety.meant(words, asked)
        if meant is not None and self.renderer.follow_up_kind(asked, FEEDING) is not None:
            return FEEDING if meant is Tier.NONE else LIFE
        found = self.safety.reading(words)
        return NOT_SURE if found == "unsure" else found or ""

    def _heard(self, words: str, asked: str) -> str | None:
        """The answer to `asked` whose words stand in her message."""
        if not words:
            return None
        said = " ".join(token.text for token in self.reader.read(words).tokens)
        return self.renderer.heard(asked, said)

    def _crisis(
        self, move: Move, before: Sequence[Event], country: str | None, words: str
    ) -> Reply:
        where = country or self.knowledge.service.country
        seen = crisis.standing(told_all(before), self.renderer.crisis_ids)
        baby = self._baby(before, words)
        if move.kind == crisis.CRISIS:
            return self.renderer.crisis(move.assessment, where, seen.seen, baby=baby, words=words)
        return self.renderer.crisis_follow_up(
            move.kind,
            seen.asked,
            where,
            seen.seen,
            move.assessment,
            baby=baby,
            about=self._about(before),
        )

    def _about(self, before: Sequence[Event]) -> str | None:
        """What a crisis reply may explain: D-MER, where she told that it comes with the milk."""
        told_of = self.knowledge.conversation.dmer_signs
        for event in before:
            if event.get("event") == "user":
                found = {finding.id: finding.value for finding in heard(event).findings}
                if any(found.get(finding) in values for finding, values in told_of.items()):
                    return DMER
        return None

    def _baby(self, before: Sequence[Event], words: str = "") -> str | None:
        """Where the baby is, if she told: after a loss no reply may name a living baby.

        `words` is her present message, which counts first.
        """
        for finding in self.findings_in(words):
            if finding.id == BABY:
                return finding.value
        for event in reversed(before):
            if event.get("event") == "user":
                for finding in heard(event).findings:
                    if finding.id == BABY:
                        return finding.value
        return None

    def country_in(self, words: str, payload: str | None) -> str | None:
        """The country that a message names as hers. One or two words can be nothing but that."""
        if payload is not None:
            return _payload(payload).get("country")
        asked = COUNTRY if len(words.split()) <= COUNTRY_WORDS else None
        return next((f.value for f in self.findings_in(words, asked) if f.id == COUNTRY), None)

    def findings_in(self, words: str, asked: str | None = None) -> tuple[Finding, ...]:
        """The facts in a message; none, and a line in the log, if reading it fails."""
        try:
            return self.extractor.extract(self.reader.read(words), asked) if words else ()
        except Exception as error:
            log.error("reading findings failed: %s", type(error).__name__)
            return ()

    def _is_safety(self, question: str) -> bool:
        return (
            question in self.knowledge.conversation.safety_findings
            or question in self.knowledge.replies.safety_questions
        )

    # ---- Rasa's policy and responses

    def decide(self, messages: Sequence[Event], state: State, done: Sequence[str]) -> str | None:
        """The action due now, or None when the rules decide.

        `messages` are the last ones of both sides, hers last; `done` the actions since then.
        """
        index = _last_of_hers(messages)
        if index is None:
            return None
        message, before = heard(messages[index]), messages[:index]
        if done:
            return self._after(message, before, state, done)
        if self._emergency_by_facts(message.assessment, _words(message), before)[0] is not None:
            return TRIAGE
        if self._crisis_move(message, before) is not None:
            return CRISIS
        if message.answer is not None and message.answer[0] == ERASE:
            return FORGET
        if self.aside.takes(state, message, _asked_last(before)):
            return TRIAGE
        if self._emergency(message, state) or REQUEST in {f.id for f in message.findings}:
            return TRIAGE
        if message.asked_too:
            return response_to(message.asked_too)
        if (meant := self._meant(message, before)) is not None:
            return meant
        if message.intent == flow.FALLBACK and self._triage_due(message, state):
            # The facts are clear where the intent is not.
            return TRIAGE
        return None

    def _meant(self, message: Heard, before: Sequence[Event]) -> str | None:
        """The answer to a short question whose subject is what was talked of last."""
        follow_on = self.knowledge.conversation.follow_on
        last = next((told(e).reply for e in reversed(before) if e.get("event") == "bot"), None)
        answer = follow_on.means.get((last or "", message.intent or ""))
        if answer is None or not _words(message):
            return None
        words = [token.text for token in self.reader.read(message.text).tokens]
        short = len(words) <= follow_on.most_words
        return answer if short and follow_on.subjects.isdisjoint(words) else None

    def _after(
        self, message: Heard, before: Sequence[Event], state: State, done: Sequence[str]
    ) -> str | None:
        last = done[-1]
        if last in (TRIAGE, CRISIS, FORGET):
            return LISTEN
        if (meant := self._meant(message, before)) is not None and done == (meant,):
            return TRIAGE if state.waiting else LISTEN
        if message.asked_too and done == (response_to(message.asked_too),):
            # Her question has its answer; now what she reported.
            if message.intent in self.knowledge.triage.entries or state.waiting:
                return TRIAGE
            return response_to(message.intent)
        if message.told_too and done == (response_to(message.intent),):
            if message.told_too in self.knowledge.triage.entries:
                return TRIAGE
            return response_to(message.told_too)
        if (message.asked_too or message.told_too) and len(done) > 1:
            owed = state.waiting or self._triage_due(message, state)
            return TRIAGE if owed else LISTEN
        if last.startswith("utter_") and self._comes_back(before):
            return CRISIS
        if last.startswith("utter_") and TRIAGE not in done and self._triage_due(message, state):
            return TRIAGE
        return None

    def _comes_back(self, before: Sequence[Event]) -> bool:
        """Whether an answer to something else is followed by the question that she passed over."""
        standing = crisis.standing(told_all(before), self.renderer.crisis_ids)
        about_safety = standing.asked in self.knowledge.replies.safety_questions
        return about_safety and crisis.comes_back(standing)

    def _crisis_move(self, message: Heard, before: Sequence[Event]) -> Move | None:
        words = _words(message)
        payload = None if words else message.text
        assessment = message.assessment if payload is None else self.assess("", payload, before)
        return self._move(assessment, words, payload, before)

    def _emergency(self, message: Heard, state: State) -> bool:
        """Whether what is known now makes an urgent outcome that she has not been told."""
        after = self._merged(state, message)
        found = step(self.knowledge.triage, after.values, self.knowledge.conversation.always)
        return flow.urgent_and_new(found, state)

    def _triage_due(self, message: Heard, state: State) -> bool:
        """Whether an answer should be followed by a question or an outcome."""
        if not message.findings:
            return False
        after = self._merged(state, message)
        return self.flow.has_more_to_say(after, state)

    def _merged(self, state: State, message: Heard) -> State:
        return merged(
            state,
            message,
            self.knowledge.triage,
            dict(self.knowledge.conversation.crisis_findings),
        )

    def render(
        self, response: str, messages: Sequence[Event], state: State, country: str | None
    ) -> Reply | None:
        """The reply for an `utter_` response that depends on more than the domain knows."""
        where = country or self.knowledge.service.country
        baby = state.values.get(BABY) or self._baby(messages)
        if baby == DIED and response not in self.knowledge.conversation.after_loss:
            return self.renderer.message("after_loss")
        if response == CRISIS:
            return self._render_crisis(messages, where)
        if response == "utter_human":
            return self.renderer.human(where)
        if response == "utter_menu":
            return self.renderer.menu(baby=baby)
        if response == "utter_country":
            return self.flow.country(messages, where)
        if response == "utter_default":
            return self.renderer.failed(where)
        return None

    def _render_crisis(self, messages: Sequence[Event], country: str | None) -> Reply | None:
        index = _last_of_hers(messages)
        if index is None:
            return None
        message, before = heard(messages[index]), messages[:index]
        move = self._crisis_move(message, before)
        if move is None and self._comes_back(before):
            move = Move(crisis.LATER, message.assessment)
        if move is None:
            move = Move(crisis.CRISIS, message.assessment)
        return self._crisis(move, before, country, _words(message))

    # ---- actions

    def turn(
        self, state: State, events: Sequence[Event], country: str | None
    ) -> tuple[State, tuple[Reply, ...]]:
        """Merge what she said since the last turn; the next question, the outcome, or nothing."""
        where = country or self.knowledge.service.country
        new = [m for m in _hers(events) if m.at > state.heard_until]
        if new:
            state = self.flow.picked_up(state, new[0].at)
        asked, became, message, before = _asked_before(events), "", Heard(), state
        for message in new:
            before = state
            state, message, became = self.aside.hear(state, message, asked.get(message.at))
            state = self._merged(state, message)
        return self._said(before, state, message, became, where, _answered(events))

    def _said(
        self,
        before: State,
        state: State,
        message: Heard,
        became: str,
        country: str | None,
        answered: bool,
    ) -> tuple[State, tuple[Reply, ...]]:
        """What is said to the last message: of an aside, of triage, or of both."""
        state, result = self.aside.result(state)
        if result is not None:
            return self._with_result(state, result, message, country)
        if self.flow.urgent_now(state):
            state = replace(state, asides=closed(state.asides))
            return self.flow.next(state, message, country, answered)
        if became:
            reply = self.aside.said(before, state, became)
            said: tuple[Reply, ...] = () if reply is None else (reply,)
            if state.asides.open is not None or became not in (SAVED, STOPPED, DECLINED):
                return state, said
            if became == SAVED and not self.aside.diary.findings(state.asides.entries):
                return state, said
            state, more = self.flow.next(state, Heard(at=message.at), country, True)
            return state, (*said, *more)
        state, reply = self.aside.passed_over(
            state, message, answered, message.intent == flow.GO_BACK
        )
        if reply is not None:
            return state, (reply,)
        state, replies = self.flow.next(state, message, country, answered)
        return self._with_offer(state, replies)

    def _with_offer(
        self, state: State, replies: tuple[Reply, ...]
    ) -> tuple[State, tuple[Reply, ...]]:
        """After an outcome that is not urgent: a questionnaire, or the diary."""
        last = replies[-1].id if replies else ""
        outcome = self.knowledge.triage.outcomes.get(last.removeprefix("outcome."))
        if outcome is None or last != f"outcome.{outcome.id}":
            return state, replies
        if outcome.level.rank >= Level.SAME_DAY.rank or self._gone(state):
            return state, replies
        state, offer = self.aside.offer(state, outcome.id)
        return state, replies if offer is None else (*replies, offer)

    def _gone(self, state: State) -> bool:
        return state.values.get(BABY) == DIED

    def _with_result(
        self, state: State, result: Reply, message: Heard, country: str | None
    ) -> tuple[State, tuple[Reply, ...]]:
        """A score, then the direct question about safety, or what triage makes of it."""
        safety = self.aside.screening.safety
        if safety not in state.values:
            question = self.renderer.question(safety, state.values)
            return replace(state, open=safety, tries=0), (result, question)
        state, more = self.flow.next(state, Heard(at=message.at), country, True)
        return state, (result, *more)

    def clarify(self, events: Sequence[Event], country: str | None) -> tuple[Reply, ...]:
        """What to say when a message was not understood."""
        where = country or self.knowledge.service.country
        return self.flow.clarify(_hers(events), where, self._baby(events))

    def why(self, state: State, events: Sequence[Event]) -> tuple[Reply, ...]:
        """The reasons and sources of the last advice, and what a score is made of."""
        ids = [told(event).reply or "" for event in events if event.get("event") == "bot"]
        if ids and ids[-1].startswith("screener.result."):
            score = Reply("screener.why", self.aside.screening.why())
            return (score, *self.flow.why(replace(state, outcome=None), events))
        return self.flow.why(state, events)

    def start_over(self, state: State, events: Sequence[Event]) -> tuple[State, tuple[Reply, ...]]:
        """A fresh start; red flags and where the baby is are kept."""
        return self.flow.start_over(state, _hers(events))

    def forget(self, events: Sequence[Event]) -> tuple[bool, tuple[Reply, ...]]:
        """Whether to erase now, and what to say: it asks once."""
        return self.flow.forget(_hers(events))

    def _say_back(self, finding: str, value: str) -> str | None:
        return self.knowledge.findings.said(finding, value)

    def _source_title(self, source: str) -> str | None:
        known = self.knowledge.sources
        return known[source].title if source in known else None

    # ---- single messages

    def message(self, name: str, country: str | None = None) -> Reply:
        """A fixed message of knowledge/replies/, with the numbers of `country`."""
        return self.renderer.message(name, country)

    def failed(self, country: str | None) -> Reply:
        """The honest line and the help numbers, for when anything fails."""
        return self.renderer.failed(country or self.knowledge.service.country)

    # ---- after a restart

    def is_bare_answer(self, words: str) -> bool:
        """Whether `words` can only be an answer, to a question that is not known here."""
        return bool(words) and self.safety.reading(words) is not None

    def possible_answer(self) -> Assessment:
        """The assessment of a bare answer whose question was lost: she is asked once more."""
        return Assessment(Tier.CHECK, "ambiguous", (POSSIBLE_ANSWER,))

    # ---- the command line

    def triage_json(self, findings: Findings) -> dict[str, Any]:
        """What `ebb triage` prints for a set of findings."""
        tables = self.knowledge.triage
        playing = tables_in_play(tables, findings)
        found = step(tables, findings, playing)
        outcome = found.outcome
        return {
            "done": outcome is not None,
            "next": found.ask,
            "remaining": found.remaining,
            "outcome": outcome.id if outcome else None,
            "level": outcome.level.value if outcome else None,
            "why": [
                {"row": w.row, "reason": w.reason, "sources": list(w.sources)}
                for w in (outcome.why if outcome else ())
            ],
        }


@lru_cache(maxsize=1)
def core() -> Core:
    """The one core of this process. Raises `ContentError` when knowledge/ is wrong."""
    return Core(load())


def response_to(intent: str | None) -> str | None:
    """The name of the answer to an `ask_` or `report_` intent."""
    return None if intent is None else "utter_" + intent.partition("_")[2]


def answer_in(payload: str | None) -> tuple[str | None, str]:
    """The finding and value that an answer button's payload carries."""
    name, sign, value = str(_payload(payload).get("answer", "")).partition("=")
    return (name, value) if sign else (None, "")


def _payload(payload: str | None) -> dict[str, str]:
    """The entities of a payload such as `/inform{"answer": "..."}`."""
    if payload is None or "{" not in payload:
        return {}
    try:
        found = json.loads(payload[payload.index("{") :])
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _words(message: Heard) -> str:
    """What she wrote; a pressed button has no words of hers."""
    return "" if message.text.startswith("/") else message.text


def _by_rows(outcome: Outcome, tables: Sequence[str]) -> bool:
    """Whether a row of these tables matched, and not only their default."""
    return any(why.row.partition(".")[0] in tables for why in outcome.why)


def _asked_last(messages: Sequence[Event]) -> str | None:
    for event in reversed(messages):
        if event.get("event") == "bot":
            return told(event).asked
    return None


def _asked_before(events: Sequence[Event]) -> dict[float, str | None]:
    """By the time of each message of hers, the question of the bot message before it."""
    found: dict[float, str | None] = {}
    asked: str | None = None
    for event in events:
        if event.get("event") == "bot":
            asked = told(event).asked
        elif event.get("event") == "user":
            found[heard(event).at] = asked
    return found


def _hers(events: Sequence[Event]) -> list[Heard]:
    return [heard(event) for event in events if event.get("event") == "user"]


def _last_of_hers(messages: Sequence[Event]) -> int | None:
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].get("event") == "user":
            return index
    return None


def _answered(events: Sequence[Event]) -> bool:
    """Whether an answer was given already in this turn."""
    for event in reversed(events):
        if event.get("event") == "user":
            return False
        if event.get("event") == "action" and str(event.get("name")).startswith("utter_"):
            return True
    return False
