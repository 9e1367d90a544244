"""Hears the facts of knowledge/findings/ in a message.

Each rule hit is judged by its scope (negated, somebody else's, past, only a question ...), the
first rule in the file wins among those that hold, and words after a correction ("no wait")
replace what stood before it. A question that was just asked also takes short answers.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from ebb.findings.answers import Answers
from ebb.findings.quantities import Amounts
from ebb.knowledge.findings import FindingRule, FindingRules, Rule
from ebb.text import Hit, PatternSet, Reader, Scope, Scopes, Text
from ebb.types import Finding, Span

_FIRST_PERSON = frozenset({"i", "my", "me", "mine", "our", "we"})
_DENIAL = 6  # how many words before a wording a "no" still answers it
_SIDE = 40  # how many words to each side may hold her "I"
_NEAR = 6  # how many words after a correction an amount may come


@dataclass(frozen=True, slots=True)
class _Heard:
    """A rule that holds: `order` ranks it among the wordings of its finding."""

    order: tuple[int, int, int]
    value: str
    amount: float | None
    hit: Hit


class Extractor:
    """Findings of messages. `today` is asked for at each call, since weekdays count from it."""

    def __init__(self, findings: FindingRules, reader: Reader, scopes: Scopes) -> None:
        self._rules = findings
        self._scopes = scopes
        concepts = {**reader.language.concepts, **findings.concepts}
        self._by_key: dict[str, tuple[FindingRule, int, Rule]] = {}
        patterns: list[tuple[str, str]] = []
        unless: list[tuple[str, str]] = []
        for finding in findings.findings.values():
            for number, rule in enumerate(finding.rules):
                key = f"{finding.id}/{number}"
                self._by_key[key] = (finding, number, rule)
                patterns += [(key, pattern) for pattern in rule.patterns]
                unless += [(key, pattern) for pattern in rule.unless]
                unless += [(f"{key}+", pattern) for pattern in rule.somewhere]
                unless += [(f"{key}-", pattern) for pattern in rule.nowhere]
        patterns += [("correction", pattern) for pattern in findings.common.correction]
        self._set = PatternSet(patterns, concepts)
        self._unless = PatternSet(unless, concepts)
        self._amounts = Amounts(reader.language.numbers)
        self._answers = Answers(findings, concepts, scopes, self._amounts)

    @property
    def words(self) -> frozenset[str]:
        """Every word and "~lemma" that the patterns name (for checking their spelling)."""
        return self._set.words | self._unless.words | self._answers.words

    def warm(self) -> None:
        """Compiles all patterns now, so that the first message is as fast as the next."""
        self._set.warm()
        self._unless.warm()
        self._answers.warm()

    def extract(
        self, text: Text, asked: str | None = None, today: date | None = None
    ) -> tuple[Finding, ...]:
        """What `text` tells. `asked` is the finding that was just asked for, if any."""
        if not text.tokens:
            return ()
        today = today or datetime.now().astimezone().date()
        heard, corrected = self._heard(text, today)
        found: dict[str, Finding] = {}
        for finding_id, candidates in heard.items():
            best = min(candidates, key=lambda heard: heard.order)
            found[finding_id] = _finding(text, finding_id, best, asked)
        if corrected is not None:
            self._correct(text, today, heard, found, corrected, asked)
        rule = self._rules.findings.get(asked) if asked else None
        if rule is not None:
            answer = None
            if corrected is not None and corrected + 1 < len(text.tokens):
                answer = self._answers.replacement(text, rule, corrected + 1, _NEAR, today)
            answer = answer or self._answers.read(text, rule, found.get(rule.id), today)
            if answer is not None:
                found[rule.id] = answer
        for finding in derive(self._rules, found):
            found.setdefault(finding.id, finding)
        return tuple(found[name] for name in self._rules.findings if name in found)

    def _heard(self, text: Text, today: date) -> tuple[dict[str, list[_Heard]], int | None]:
        hits: dict[str, list[Hit]] = {}
        for hit in self._set.find(text):
            hits.setdefault(hit.key, []).append(hit)
        corrections = hits.pop("correction", None)
        heard: dict[str, list[_Heard]] = {}
        excluding: dict[str, list[Hit]] = {}
        keys = {f"{key}{kind}" for key in hits for kind in ("", "+", "-")}
        for hit in self._unless.find(text, only=keys) if hits else ():
            excluding.setdefault(hit.key, []).append(hit)
        named = _named(hits)
        for key, places in hits.items():
            finding, number, rule = self._by_key[key]
            if f"{key}-" in excluding or (rule.somewhere and f"{key}+" not in excluding):
                continue
            excluded = _clauses(text, excluding.get(key, ()))
            for hit in places:
                if not excluded.isdisjoint(_clauses(text, (hit,))):
                    continue
                judged = self._judge(text, finding, rule, hit, named, today)
                if judged is not None:
                    value, amount, weak = judged
                    order = (weak, number, hit.first)
                    heard.setdefault(finding.id, []).append(_Heard(order, value, amount, hit))
        return heard, max(hit.last for hit in corrections) if corrections else None

    def _judge(
        self,
        text: Text,
        finding: FindingRule,
        rule: Rule,
        hit: Hit,
        named: Container[int],
        today: date,
    ) -> tuple[str, float | None, int] | None:
        """Value, amount and whether it is the weaker (denied) kind; None where it is dropped."""
        scope = self._scopes.of(text, hit)
        if _dropped(text, scope, rule, hit):
            return None
        if scope.negated and "negated" not in rule.even and scope.negation not in named:
            if rule.negated_value is None or hit.first - scope.negation > _DENIAL:
                return None
            return rule.negated_value, None, 1
        if scope.uncertain and rule.uncertain and "uncertain" not in rule.even:
            return rule.uncertain, None, 1
        if rule.value is not None:
            return rule.value, None, 0
        quantity = finding.quantity
        assert quantity is not None  # the loader checks it
        tokens = text.tokens[hit.first : hit.last + 1]
        if rule.days_since:
            amount = self._amounts.days_since(tokens, today)
        else:
            amount = self._amounts.of(tokens, quantity, bare=True)
        return None if amount is None else (quantity.value(amount), amount, 0)

    def _correct(
        self,
        text: Text,
        today: date,
        heard: Mapping[str, list[_Heard]],
        found: dict[str, Finding],
        at: int,
        asked: str | None,
    ) -> None:
        """Lets what follows the last correction (which ends at token `at`) replace findings."""
        if at + 1 >= len(text.tokens):
            return
        latest: tuple[int, str] | None = None
        for finding_id, candidates in heard.items():
            after = [heard for heard in candidates if heard.hit.first > at]
            if after:
                best = min(after, key=lambda heard: heard.order)
                found[finding_id] = _finding(text, finding_id, best, asked)
                continue
            last = max(heard.hit.last for heard in candidates)
            if latest is None or last > latest[0]:
                latest = (last, finding_id)
        if latest is not None:
            rule = self._rules.findings[latest[1]]
            answer = self._answers.replacement(text, rule, at + 1, _NEAR, today)
            if answer is not None:
                found[rule.id] = answer


def derive(rules: FindingRules, found: Mapping[str, Finding | str]) -> tuple[Finding, ...]:
    """Findings that follow from those in `found` (findings, or plain values by id)."""
    derived: list[Finding] = []
    for rule in rules.findings.values():
        if rule.derive is None or rule.id in found:
            continue
        source = found.get(rule.derive.source)
        if source is None:
            continue
        amount = source.amount if isinstance(source, Finding) else None
        value = source.value if isinstance(source, Finding) else source
        span = source.span if isinstance(source, Finding) else None
        if amount is not None and rule.derive.bands:
            for band in rule.derive.bands:
                if band.to is None or amount <= band.to:
                    derived.append(Finding(rule.id, band.value, span))
                    break
        elif value in rule.derive.values:
            derived.append(Finding(rule.id, rule.derive.values[value], span))
    return tuple(derived)


def _finding(text: Text, finding_id: str, heard: _Heard, asked: str | None) -> Finding:
    start, end = text.span(heard.hit.first, heard.hit.last)
    source = "answered" if finding_id == asked else "said"
    return Finding(finding_id, heard.value, Span(start, end), source, heard.amount)  # type: ignore[arg-type]


def _dropped(text: Text, scope: Scope, rule: Rule, hit: Hit) -> bool:
    even = rule.even
    if scope.other_person and "other_person" not in even:
        return True
    if scope.past and "past" not in even:
        return True
    unsure = scope.uncertain and rule.uncertain is not None  # "not sure if I have a fever"
    if scope.hypothetical and not unsure and "hypothetical" not in even:
        return True
    if scope.quoted and "quoted" not in even:
        return True
    return scope.question and "question" not in even and not _first_person(text, hit)


def _first_person(text: Text, hit: Hit) -> bool:
    """Whether the clauses of the hit speak of her: "is it normal that I feel ..."."""
    first, last = text.tokens[hit.first].clause, text.tokens[hit.last].clause
    nearby = text.tokens[max(0, hit.first - _SIDE) : hit.last + _SIDE]
    return any(first <= token.clause <= last and token.text in _FIRST_PERSON for token in nearby)


def _named(hits: Mapping[str, list[Hit]]) -> set[int]:
    """Tokens that some wording names: a "not" that belongs to one ("will not wake") denies
    nothing that stands behind it ("will not wake, yellow eyes")."""
    return {
        index
        for places in hits.values()
        for hit in places
        for index in range(hit.first + 1, hit.last + 1)
        if index not in hit.free
    }


def _clauses(text: Text, hits: Iterable[Hit]) -> set[int]:
    tokens = text.tokens
    return {
        clause
        for hit in hits
        for clause in range(tokens[hit.first].clause, tokens[hit.last].clause + 1)
    }
