"""Whose statement a hit is, and whether it is one: negation, other people, past, questions.

All cues are patterns of knowledge/language/scope.yml, found once per message. Everything is
judged inside one clause, so that a cue never reaches over "but", a comma or a line end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
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
    negation: int = -1
    """the token that negates, where `negated`"""


_PLAIN = Scope()
_CLAUSES = 8  # how many clauses on, at most, a question mark is looked for
_AFTER = 4  # "... with my first, and now again": how many words on "again" may stand
_SIDE = 60  # how many words to each side count as the clause, where no edge ends it


@dataclass(frozen=True, slots=True)
class _Places:
    """Where cues of one kind are: starts in order, and the end of each."""

    starts: list[int]
    ends: list[int]

    def between(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Cues that begin and end within tokens `first` to `last`, last ones first."""
        for index in range(bisect_right(self.starts, last) - 1, -1, -1):
            if self.starts[index] < first:
                return
            if self.ends[index] <= last:
                yield self.starts[index], self.ends[index]

    def any_between(self, first: int, last: int) -> bool:
        return next(self.between(first, last), None) is not None


_NONE = _Places([], [])


class _Cues:
    """The cues of one message, by kind, and the bounds of its clauses."""

    def __init__(self, text: Text, hits: list[Hit]) -> None:
        places: dict[str, list[tuple[int, int]]] = {}
        for hit in hits:
            places.setdefault(hit.key, []).append((hit.first, hit.last))
        self._kinds: dict[str, _Places] = {}
        for kind, found in places.items():
            found.sort()
            self._kinds[kind] = _Places([f for f, _ in found], [g for _, g in found])
        self._firsts: list[int] = []
        clause = -1
        for index, token in enumerate(text.tokens):
            if token.clause != clause:
                clause = token.clause
                self._firsts.append(index)
        self._count = len(text.tokens)

    def __getitem__(self, kind: str) -> _Places:
        return self._kinds.get(kind, _NONE)

    def bounds(self, text: Text, first: int, last: int) -> tuple[int, int]:
        """First and last token of the clauses of tokens `first` to `last`."""
        begin = self._firsts[text.tokens[first].clause]
        after = text.tokens[last].clause + 1
        end = self._firsts[after] - 1 if after < len(self._firsts) else self._count - 1
        return max(begin, first - _SIDE), min(end, last + _SIDE)


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

    def warm(self) -> None:
        """Compiles all cues now instead of at first use."""
        self._set.warm()

    def of(self, text: Text, hit: Hit) -> Scope:
        """The scope of `hit`, which was found in `text`."""
        if not text.tokens:
            return _PLAIN
        last_seen = self._last
        if last_seen is not None and last_seen[0] is text:
            cues = last_seen[1]
        else:
            cues = _Cues(text, self._set.find(text))
            self._last = (text, cues)
        first, last = cues.bounds(text, hit.first, hit.last)
        before = hit.first - 1
        negation = self._negation(text, cues, hit, first)
        return Scope(
            negated=negation >= 0,
            negation=negation,
            other_person=_other_person(cues, hit, first),
            past=cues["past"].any_between(first, last)
            and not cues["still"].any_between(first, last + _AFTER),
            hypothetical=cues["hypothetical"].any_between(first, before),
            question=_question(text, cues, hit, first),
            quoted=hit.first in text.quoted or cues["quoted"].any_between(first, before),
            uncertain=_uncertain(cues["uncertain"], hit, first, last),
        )

    def _negation(self, text: Text, cues: _Cues, hit: Hit, first: int) -> int:
        """The token that negates `hit`, or -1."""
        start = max(first, hit.first - self._reach)
        for at, end in cues["negation"].between(start, hit.last):
            if at in hit.free or end < hit.first:
                if any(
                    f <= at <= g for f, g in cues["not_a_negation"].between(start, hit.first - 1)
                ):
                    continue
                if at < hit.first and self._stopped(text, cues, end, hit.first):
                    return -1
                doubled = any(
                    e < at or d < at <= e for d, e in cues["doubled"].between(start, hit.first - 1)
                )
                return -1 if doubled else at
        return -1

    def _stopped(self, text: Text, cues: _Cues, after: int, until: int) -> bool:
        """Whether a new statement begins between a negation and the hit, or with the hit."""
        stops = cues["stops"].starts
        for index in range(bisect_right(stops, after), bisect_right(stops, until)):
            if text.tokens[stops[index] - 1].text not in self._carries:
                return True
        return False


def _uncertain(places: _Places, hit: Hit, first: int, last: int) -> bool:
    return any(
        end < hit.first or hit.last < at or at in hit.free
        for at, end in places.between(first, last)
    )


def _other_person(cues: _Cues, hit: Hit, first: int) -> bool:
    other = next(cues["other_person"].between(first, hit.first - 1), None)
    inside = cues["other_person"].any_between(hit.first, hit.last)
    if other is None and not inside:
        return False
    if cues["person_back"].any_between(hit.first, hit.last):
        return False
    back = next(cues["person_back"].between(first, hit.first - 1), None)
    return other is None or back is None or back[0] <= other[1]


def _question(text: Text, cues: _Cues, hit: Hit, first: int) -> bool:
    clause = text.tokens[hit.last].clause
    for _ in range(_CLAUSES):
        if text.ends[clause] not in ("", ",") or clause + 1 >= len(text.ends):
            break
        clause += 1
    return text.ends[clause] == "?" or cues["asks"].any_between(first, hit.last)
