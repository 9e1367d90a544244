"""Whose statement a hit is, and whether it is one: negation, other people, past, questions.

All cues are patterns of knowledge/language/scope.yml, found once per message. Everything is
judged inside one clause, so that a cue never reaches over "but", a comma or a line end.
"""

from __future__ import annotations

from dataclasses import dataclass

from ebb.knowledge.language import Language
from ebb.text.model import Hit, Text
from ebb.text.patterns import PatternSet


@dataclass(frozen=True, slots=True)
class Scope:
    """What turns a statement. All false: she says it of herself, now, as a fact."""

    negated: bool = False
    other_person: bool = False
    past: bool = False
    hypothetical: bool = False
    question: bool = False
    quoted: bool = False
    uncertain: bool = False


_PLAIN = Scope()
_Cues = dict[str, list[tuple[int, int]]]


class Scopes:
    """Finds the scope of hits."""

    def __init__(self, language: Language) -> None:
        cues = language.cues
        self._reach = cues.reach
        self._carries = cues.carries
        self._set = PatternSet(
            [(kind, pattern) for kind, patterns in cues.patterns.items() for pattern in patterns],
            language.concepts,
        )
        self._last: tuple[Text, _Cues] | None = None

    def of(self, text: Text, hit: Hit) -> Scope:
        """The scope of `hit`, which was found in `text`."""
        if not text.tokens:
            return _PLAIN
        cues = self._cues(text)
        first, last = _clause_bounds(text, hit.first, hit.last)
        return Scope(
            negated=self._negated(text, cues, hit, first),
            other_person=_other_person(cues, hit, first),
            past=_within(cues, "past", first, last) and not _within(cues, "still", first, last),
            hypothetical=_before(cues, "hypothetical", first, hit.first),
            question=_question(text, cues, hit),
            quoted=hit.first in text.quoted or _before(cues, "quoted", first, hit.first),
            uncertain=_around(cues, "uncertain", first, last, hit),
        )

    def _cues(self, text: Text) -> _Cues:
        last = self._last
        if last is not None and last[0] is text:
            return last[1]
        cues: _Cues = {}
        for hit in self._set.find(text):
            cues.setdefault(hit.key, []).append((hit.first, hit.last))
        for places in cues.values():
            places.sort()
        self._last = (text, cues)
        return cues

    def _negated(self, text: Text, cues: _Cues, hit: Hit, first: int) -> bool:
        negations = cues.get("negation")
        if not negations:
            return False
        start = max(first, hit.first - self._reach)
        false = cues.get("not_a_negation", ())
        for at, end in reversed(negations):
            if at in hit.free or (start <= at and end < hit.first):
                if any(f <= at <= g and g < hit.first for f, g in false):
                    continue
                if at < hit.first and self._stopped(text, cues, end, hit.first):
                    return False
                return not any(
                    first <= d and (e < at or d < at <= e) for d, e in cues.get("doubled", ())
                )
        return False

    def _stopped(self, text: Text, cues: _Cues, after: int, until: int) -> bool:
        """Whether a new statement begins between a negation and the hit, or with the hit."""
        for at, _ in cues.get("stops", ()):
            if after < at <= until and text.tokens[at - 1].text not in self._carries:
                return True
        return False


def _clause_bounds(text: Text, first: int, last: int) -> tuple[int, int]:
    tokens = text.tokens
    begin, end = tokens[first].clause, tokens[last].clause
    while first > 0 and tokens[first - 1].clause == begin:
        first -= 1
    while last + 1 < len(tokens) and tokens[last + 1].clause == end:
        last += 1
    return first, last


def _within(cues: _Cues, kind: str, first: int, last: int) -> bool:
    return any(first <= at and end <= last for at, end in cues.get(kind, ()))


def _before(cues: _Cues, kind: str, first: int, until: int) -> bool:
    return any(first <= at and end < until for at, end in cues.get(kind, ()))


def _around(cues: _Cues, kind: str, first: int, last: int, hit: Hit) -> bool:
    return any(
        (first <= at and end < hit.first) or (hit.last < at and end <= last) or at in hit.free
        for at, end in cues.get(kind, ())
    )


def _other_person(cues: _Cues, hit: Hit, first: int) -> bool:
    others = [end for at, end in cues.get("other_person", ()) if first <= at and end < hit.first]
    inside = any(hit.first <= at and end <= hit.last for at, end in cues.get("other_person", ()))
    if not others and not inside:
        return False
    if any(hit.first <= at and end <= hit.last for at, end in cues.get("person_back", ())):
        return False
    back = [at for at, end in cues.get("person_back", ()) if first <= at and end < hit.first]
    return not others or not back or max(back) <= max(others)


def _question(text: Text, cues: _Cues, hit: Hit) -> bool:
    clause = text.tokens[hit.last].clause
    while (
        clause < len(text.ends) and text.ends[clause] in ("", ",") and clause + 1 < len(text.ends)
    ):
        clause += 1
    if text.ends[clause] == "?":
        return True
    own = text.tokens[hit.first].clause
    return any(text.tokens[at].clause == own and at <= hit.first for at, _ in cues.get("asks", ()))
