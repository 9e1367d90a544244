"""Crisis words as tired thumbs type them: an unknown word -> the crisis word that was meant.

The table is made once, so that a look-up costs a few dictionary look-ups and only for words that
are no English. Short words are left alone: too many names and slips lie close to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from ebb.knowledge.crisis import Spelling

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE = frozenset(
    pair for row in _ROWS for left, right in pairwise(row) for pair in (left + right, right + left)
)


class Speller:
    """The hook `canonical` of `ebb.text.Reader`.

    `also` are further words that the rules name: one slip is forgiven in them, where no word of
    `spelling` is as near. `known` are words that are meant as they are typed.
    """

    def __init__(
        self, spelling: Spelling, also: Iterable[str] = (), known: Iterable[str] = ()
    ) -> None:
        self._variants = dict(spelling.variants)
        self._never = spelling.never | frozenset(known)
        self._listed = frozenset(spelling.words)
        self._words = {word: 1 for word in sorted(also) if word.isalpha() and len(word) > 3}
        self._words |= spelling.words
        self._by_deletion: dict[int, dict[str, list[str]]] = {}
        for word, distance in self._words.items():
            table = self._by_deletion.setdefault(distance, {})
            for shorter in _deletions(word, distance):
                table.setdefault(shorter, []).append(word)

    def __call__(self, word: str) -> str | None:
        """The crisis word that the unknown `word` stands for, or None."""
        if word in self._never:
            return None
        if found := self._variants.get(word):
            return found
        if word in self._words:
            return None
        if not 4 <= len(word) <= 16:
            return None
        best: tuple[tuple[int, bool, bool, bool], str] | None = None
        for candidate in self._near(word):
            distance = _distance(word, candidate)
            if distance > self._words[candidate]:
                continue
            likely = distance == 1 and _finger(word, candidate)
            if not likely and (candidate[0] != word[0] or len(candidate) < _least(word)):
                continue
            if candidate not in self._listed and not likely and len(word) < 5:
                continue
            rank = (distance, candidate not in self._listed, not likely, candidate[0] != word[0])
            if best is None or rank < best[0]:
                best = (rank, candidate)
        return best[1] if best else None

    def _near(self, word: str) -> Iterator[str]:
        """Words that `word` may be a slip of, each once."""
        seen: set[str] = set()
        for slips, table in self._by_deletion.items():
            for shorter in _deletions(word, slips):
                for candidate in table.get(shorter, ()):
                    if candidate not in seen and abs(len(candidate) - len(word)) <= slips:
                        seen.add(candidate)
                        yield candidate


def _least(word: str) -> int:
    return 4 if len(word) > 4 else 3


def _finger(typed: str, meant: str) -> bool:
    """Whether one slip of the likeliest kinds lies between: swapped, doubled, the next key."""
    if len(typed) == len(meant):
        places = [at for at in range(len(typed)) if typed[at] != meant[at]]
        if len(places) == 1:
            return typed[places[0]] + meant[places[0]] in _BESIDE
        return len(places) == 2
    if len(typed) == len(meant) + 1:
        return any(
            typed[at] == typed[at - 1] and typed[:at] + typed[at + 1 :] == meant
            for at in range(1, len(typed))
        )
    return False


def _deletions(word: str, times: int) -> Iterator[str]:
    """`word` and all that is left after up to `times` letters were taken out, each once."""
    seen = {word}
    layer = [word]
    yield word
    for _ in range(times):
        following: list[str] = []
        for known in layer:
            for at in range(len(known)):
                shorter = known[:at] + known[at + 1 :]
                if shorter not in seen:
                    seen.add(shorter)
                    following.append(shorter)
                    yield shorter
        layer = following


def _distance(one: str, other: str) -> int:
    """Slips between two words: letters added, left out, changed, or two neighbours swapped."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]
