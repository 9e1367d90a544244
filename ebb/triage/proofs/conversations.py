"""Properties of conversations, over every way in and every sequence of answers.

Answers that no condition tells apart count as one, and states reached in several ways are
visited once.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ebb.knowledge.triage import SITUATION, Row, Tables
from ebb.triage.engine import State, holds, may_be_asked, move, state, understood
from ebb.triage.proofs.report import WALK, Failure, Proof
from ebb.triage.proofs.walk import Visit, Walk, WayIn, classes, ways_in
from ebb.types import Level, Outcome

MOST_QUESTIONS, MOST_TO_EMERGENCY = 8, 2
SHOWN = 200
"""How many counter-examples of one property are kept."""

ENDS = "Every conversation ends in an outcome"
ASKABLE = "Every question can be asked, and only once"
SAFETY_FIRST = "The safety question comes first"
GATED = "A gated outcome needs its answers, in every conversation"
ACTED_ON = "A red flag is acted on, in every conversation"
SUFFICES = "No answer that was not asked for could raise the level"
STAYS = "No answer that was not asked for could lower the level"
FEW = f"No conversation takes more than {MOST_QUESTIONS} questions"
QUICK = f"An emergency is reached within {MOST_TO_EMERGENCY} questions of its first sign"
REACHED = "Every outcome is reached by questions or free words"
FIRES = "Every row fires in some conversation"
PROPERTIES = (ENDS, ASKABLE, SAFETY_FIRST, GATED, ACTED_ON, SUFFICES, STAYS, FEW, QUICK)


class Conversations:
    """Walks conversations and checks each state; may be used for some of the ways in only."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._walk = Walk(tables)
        self.cases: Counter[str] = Counter()
        self.failures: dict[str, list[Failure]] = defaultdict(list)
        self.ended: set[str] = set()
        self.fired: set[str] = set()
        self.lengths: Counter[int] = Counter()
        self._listed = frozenset(f for table in tables.tables for f in table.covers)
        self._quick: dict[tuple[frozenset[tuple[str, str]], str], int] = {}

    def check(self, starts: Sequence[WayIn]) -> None:
        """Walk from each of `starts`."""
        for start in starts:
            for visit in self._walk.visits(start):
                self._visited(visit)
            most = self._walk.questions(start)
            self.lengths[most] += 1
            self._say(FEW, most > MOST_QUESTIONS, f"{start.name} may take {most}", start.said)

    def _say(self, name: str, failed: bool, where: str, case: Mapping[str, str]) -> None:
        self.cases[name] += 1
        if failed and len(self.failures[name]) < SHOWN:
            self.failures[name].append(Failure(name, where, dict(case)))

    def _visited(self, visit: Visit) -> None:
        for table in visit.playing:
            for row in table.rows:
                if row.id not in self.fired and state(row, visit.known) is State.MATCHED:
                    self.fired.add(row.id)
        if isinstance(visit.found, Outcome):
            self._ending(visit, visit.found)
        else:
            self._question(visit, visit.found)
            self._emergencies(visit)

    def _question(self, visit: Visit, ask: str) -> None:
        question = self._tables.questions.get(ask)
        known = visit.known
        wrong = question is None or question.ask_in(known.get(SITUATION)) is None
        self._say(ASKABLE, wrong or ask in known, f"{ask} must not be asked now", known)

    def _ending(self, visit: Visit, outcome: Outcome) -> None:
        name, known, tables = visit.way_in.name, visit.known, self._tables
        self.ended.add(outcome.id)
        self._say(ENDS, outcome.id not in tables.outcomes, f"{name}: {outcome.id}", known)
        playing = {table.id for table in visit.playing}
        for rule in tables.safety_first:
            own = playing.intersection(rule.tables) and any(
                why.row.partition(".")[0] in rule.tables for why in outcome.why
            )
            early = own and outcome.level.rank < rule.below.rank and rule.ask not in known
            self._say(SAFETY_FIRST, bool(early), f"{name} ends in {outcome.id}", known)
        for gate in tables.gates:
            if outcome.id in gate.outcomes:
                missing = [need for need in gate.needs if need not in known]
                where = f"{name} ends in {outcome.id} without {', '.join(missing)}"
                self._say(GATED, bool(missing), where, known)
        for flag in tables.red_flags:
            least = flag.at_least.get(known.get(flag.finding, ""))
            if least is None or (flag.unless and holds(flag.unless, known)):
                continue
            low = outcome.level.rank < least.rank
            self._say(ACTED_ON, low, f"{name} ends in {outcome.id} despite {flag.finding}", known)
        self._sufficient(visit, outcome)

    def _sufficient(self, visit: Visit, outcome: Outcome) -> None:
        """No row that is still open could raise the level, none that matched be taken back.

        A finding that the closing question lists counts as asked for. From the same day on
        there is no closing question: the card itself lists what is an emergency.
        """
        known = visit.known
        for table in visit.playing:
            for row in table.rows:
                if row.level.rank <= outcome.level.rank or state(row, known) is not State.OPEN:
                    continue
                missing = [finding for finding in row.when if finding not in known]
                listed = self._listed.intersection(missing)
                closed = outcome.level.rank >= Level.SAME_DAY.rank or not self._may_ask_now(
                    missing, known
                )
                where = f"{visit.way_in.name} ends in {outcome.id}, {row.id} open"
                self._say(SUFFICES, not (listed or closed), where, known)
        for row in self._deciding(visit, outcome):
            for finding, values in row.not_if.items():
                # After a loss, rows about a living baby are void by design.
                if finding in known or finding == SITUATION:
                    continue
                for value in sorted(values):
                    then = understood(self._tables, {**known, finding: value})
                    after = move(self._tables, then, visit.way_in.in_play)
                    low = isinstance(after, Outcome) and after.level.rank < outcome.level.rank
                    where = f"{outcome.id} is lost with {finding}: {value}"
                    self._say(STAYS, low, where, known)

    def _may_ask_now(self, missing: Sequence[str], known: Mapping[str, str]) -> bool:
        """Whether all that a row misses could be asked for, given where the baby is."""
        questions = (self._tables.questions.get(finding) for finding in missing)
        return all(q is not None and q.ask_in(known.get(SITUATION)) is not None for q in questions)

    def _deciding(self, visit: Visit, outcome: Outcome) -> Iterator[Row]:
        matched = {why.row for why in outcome.why}
        for table in visit.playing:
            yield from (r for r in table.rows if r.id in matched and r.outcome == outcome.id)

    def _emergencies(self, visit: Visit) -> None:
        for table in visit.playing:
            for row in table.rows:
                if row.level is Level.EMERGENCY and self._signed(row, visit.known):
                    count = self._until_settled(row, dict(visit.known), visit.way_in)
                    where = f"{row.id} is settled after {count} questions"
                    self._say(QUICK, count > MOST_TO_EMERGENCY, where, visit.known)

    def _signed(self, row: Row, known: Mapping[str, str]) -> bool:
        """Whether a sign of the emergency is there and the rest of it can be asked for."""
        sign = any(known.get(finding) in values for finding, values in row.when.items())
        return sign and state(row, known) is State.OPEN and may_be_asked(self._tables, row, known)

    def _until_settled(self, row: Row, known: dict[str, str], way_in: WayIn) -> int:
        key = (frozenset(known.items()), row.id)
        if key not in self._quick:
            found = move(self._tables, known, way_in.in_play)
            count = 0
            if isinstance(found, str):
                for value in self._walk.answers[found]:
                    then = understood(self._tables, {**known, found: value})
                    ahead = 0
                    if self._signed(row, then):
                        ahead = self._until_settled(row, then, way_in)
                    count = max(count, 1 + ahead)
            self._quick[key] = count
        return self._quick[key]


def prove_conversations(tables: Tables) -> tuple[tuple[Proof, ...], Mapping[int, int]]:
    """One proof for each property of conversations, and the longest way from each way in."""
    started = time.perf_counter()
    walked = Conversations(tables)
    walked.check(ways_in(tables))
    seconds = (time.perf_counter() - started) / (len(PROPERTIES) + 2)
    found = [
        Proof(name, WALK, walked.cases[name], seconds, tuple(walked.failures[name]))
        for name in PROPERTIES
    ]
    outcomes = sorted({row.outcome for row in tables.rows})
    missed = [Failure(REACHED, o, {}) for o in outcomes if o not in walked.ended]
    found.append(Proof(REACHED, WALK, len(outcomes), seconds, tuple(missed)))
    silent = [
        Failure(FIRES, row.id, row.match[0] if row.match else {})
        for row in tables.rows
        if row.id not in walked.fired
    ]
    found.append(Proof(FIRES, WALK, len(tables.rows), seconds, tuple(silent)))
    return tuple(found), dict(sorted(walked.lengths.items()))


__all__ = ["Conversations", "classes", "prove_conversations"]
