"""Short answers to the question that was just asked: "before", "about 2 mins", "nope", "dunno"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from ebb.findings.quantities import Amounts
from ebb.knowledge.findings import FindingRule, FindingRules, Rule
from ebb.text import Hit, PatternSet, Scopes, Text
from ebb.types import NOT_SURE, REFUSED, Finding, Span

_EARLY = 3  # a bare yes or no counts within the first words
_KINDS = ("yes", "no", NOT_SURE, REFUSED)


class Answers:
    """Reads a message as the answer to one finding."""

    def __init__(
        self,
        findings: FindingRules,
        concepts: Mapping[str, Sequence[str]],
        scopes: Scopes,
        amounts: Amounts,
    ) -> None:
        common = findings.common
        self._common = PatternSet(
            [
                (kind, pattern)
                for kind, patterns in zip(
                    _KINDS, (common.yes, common.no, common.not_sure, common.refused), strict=True
                )
                for pattern in patterns
            ],
            concepts,
        )
        self._own: dict[str, PatternSet] = {}
        for rule in findings.findings.values():
            patterns: list[tuple[str, str]] = []
            for number, answer in enumerate(rule.answers):
                patterns += [(str(number), pattern) for pattern in answer.patterns]
                patterns += [(f"!{number}", pattern) for pattern in answer.unless]
            if patterns:
                self._own[rule.id] = PatternSet(patterns, concepts)
        self._scopes = scopes
        self._amounts = amounts

    @property
    def words(self) -> frozenset[str]:
        """Every word that the answers name."""
        return self._common.words.union(*(own.words for own in self._own.values()))

    def warm(self) -> None:
        """Compiles all patterns."""
        for patterns in (self._common, *self._own.values()):
            patterns.warm()

    def read(
        self, text: Text, rule: FindingRule, said: Finding | None, today: date
    ) -> Finding | None:
        """The answer; `said` is what the rules heard anyway, or None."""
        own = self._own_answer(text, rule, 0, today)
        if own is not None and not (said is not None and said.value not in (NOT_SURE, REFUSED)
                                    and own.value in (NOT_SURE, REFUSED)):  # fmt: skip
            return own
        if said is not None:
            return said
        counted = self._counted(text, rule, 0, len(text.tokens))
        if counted is not None:
            return counted
        return self._common_answer(text, rule)

    def replacement(
        self, text: Text, rule: FindingRule, start: int, near: int, today: date
    ) -> Finding | None:
        """What the words from token `start` on say instead, after a correction."""
        counted = self._counted(text, rule, start, start + near)
        return counted or self._own_answer(text, rule, start, today)

    def _own_answer(self, text: Text, rule: FindingRule, start: int, today: date) -> Finding | None:
        patterns = self._own.get(rule.id)
        if patterns is None:
            return None
        hits = [hit for hit in patterns.find(text) if hit.first >= start]
        excluded = {hit.key[1:] for hit in hits if hit.key[0] == "!"}
        best: tuple[tuple[int, int, int], str, float | None, Hit] | None = None
        for hit in hits:
            if hit.key[0] == "!" or hit.key in excluded:
                continue
            answer = rule.answers[int(hit.key)]
            judged = self._judge(text, rule, answer, hit, today)
            if judged is None:
                continue
            value, amount, weak = judged
            order = (weak, int(hit.key), hit.first)
            if best is None or order < best[0]:
                best = (order, value, amount, hit)
        return (
            _answered(text, rule, best[1], best[3].first, best[3].last, best[2]) if best else None
        )

    def _judge(
        self, text: Text, rule: FindingRule, answer: Rule, hit: Hit, today: date
    ) -> tuple[str, float | None, int] | None:
        if self._scopes.of(text, hit).negated and "negated" not in answer.even:
            return (answer.negated_value, None, 1) if answer.negated_value else None
        if answer.value is not None:
            return answer.value, None, 0
        quantity = rule.quantity
        assert quantity is not None  # the loader checks it
        tokens = text.tokens[hit.first : hit.last + 1]
        if answer.days_since:
            amount = self._amounts.days_since(tokens, today)
        else:
            amount = self._amounts.of(tokens, quantity, bare=True)
        return None if amount is None else (quantity.value(amount), amount, 0)

    def _counted(self, text: Text, rule: FindingRule, start: int, stop: int) -> Finding | None:
        """The first clause with an amount in it."""
        if rule.quantity is None:
            return None
        tokens = text.tokens[start:stop]
        place = 0
        while place < len(tokens):
            end = place
            while end < len(tokens) and tokens[end].clause == tokens[place].clause:
                end += 1
            clause = tokens[place:end]
            if any(token.number is not None for token in clause):
                amount = self._amounts.of(clause, rule.quantity, bare=True)
                if amount is not None:
                    value = rule.quantity.value(amount)
                    return _answered(text, rule, value, start + place, start + end - 1, amount)
            place = end
        return None

    def _common_answer(self, text: Text, rule: FindingRule) -> Finding | None:
        first: dict[str, Hit] = {}
        for hit in self._common.find(text):
            if hit.key in ("yes", "no") and hit.first >= _EARLY:
                continue
            if hit.key not in first or hit.first < first[hit.key].first:
                first[hit.key] = hit
        if (refused := first.get(REFUSED)) is not None:
            return _answered(text, rule, REFUSED, refused.first, refused.last)
        unsure = first.get(NOT_SURE)
        plain = [first[kind] for kind in ("yes", "no") if kind in first]
        for hit in sorted(plain, key=lambda hit: hit.first):
            if unsure and unsure.first <= hit.first:
                break
            value = rule.yes if hit.key == "yes" else rule.no
            if value is not None:
                return _answered(text, rule, value, hit.first, hit.last)
        return _answered(text, rule, NOT_SURE, unsure.first, unsure.last) if unsure else None


def _answered(
    text: Text, rule: FindingRule, value: str, first: int, last: int, amount: float | None = None
) -> Finding:
    return Finding(rule.id, value, Span(*text.span(first, last)), "answered", amount)
