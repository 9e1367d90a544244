"""Crisis words as tired thumbs type them: an unknown word -> the crisis word that was meant.

The table is made once, so that a look-up costs a few dictionary look-ups and only for words that
are no English. Short words are left alone: too many names and slips lie close to them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ebb.knowledge.crisis import Spelling


class Speller:
    """The hook `canonical` of `ebb.text.Reader`."""

    def __init__(self, spelling: Spelling) -> None:
        self._variants = dict(spelling.variants)
        self._never = spelling.never
        self._words = dict(spelling.words)
        self._most = max(self._words.values(), default=0)
        self._by_deletion: dict[str, list[str]] = {}
        for word, distance in self._words.items():
            for shorter in _deletions(word, distance):
                self._by_deletion.setdefault(shorter, []).append(word)

    def __call__(self, word: str) -> str | None:
        """The crisis word that the unknown `word` stands for, or None."""
        if word in self._never:
            return None
        if found := self._variants.get(word):
            return found
        if not 4 <= len(word) <= 16:
            return None
        best: tuple[int, str] | None = None
        for shorter in _deletions(word, self._most):
            for candidate in self._by_deletion.get(shorter, ()):
                if candidate[0] != word[0]:
                    continue
                distance = _distance(word, candidate)
                if distance <= self._words[candidate] and (best is None or distance < best[0]):
                    best = (distance, candidate)
        return best[1] if best else None


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
