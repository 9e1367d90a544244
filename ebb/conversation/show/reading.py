"""How hard a text is to read: the Flesch-Kincaid grade, and the age of who can read it.

Grade = 0.39 words per sentence + 11.8 syllables per word - 15.59 (Kincaid and others, 1975); a
child in grade 1 is about 6 years old, so the age is the grade and 5. Syllables are counted as
groups of vowels, which is right for about nine words in ten: read the age as "about".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d+(?:[.,]\d+)*")
_END = re.compile(r"(?<=[.!?:;])\s+")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^aeiouy]e|[^aeiouytd]ed|[^aeiouylscxz]es)$")
_SPOKEN_E = re.compile(r"[^aeiouy]le$")
_PARTS = re.compile(r"[-'’]")
_YOUNGEST = 5.0


@dataclass(frozen=True, slots=True)
class Readability:
    """`age` in years (about), number of `words`, and the `longest` sentence in words."""

    age: float
    words: int
    longest: int


def readability(texts: Iterable[str]) -> Readability:
    """Of `texts` together; each ends a sentence. No words at all: the youngest age."""
    sentences = [words for text in texts for part in _END.split(text) if (words := _words(part))]
    if not sentences:
        return Readability(_YOUNGEST, 0, 0)
    words = [word for sentence in sentences for word in sentence]
    grade = 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words)
    return Readability(
        max(_YOUNGEST, grade - 15.59 + 5), len(words), max(len(sentence) for sentence in sentences)
    )


def syllables(word: str) -> int:
    """How many syllables `word` has, at least 1; a number counts as one."""
    return sum(_part(part) for part in _PARTS.split(word.lower()) if part) or 1


def _part(part: str) -> int:
    count = len(_VOWELS.findall(part))
    if count > 1 and _SILENT.search(part) and not _SPOKEN_E.search(part):
        count -= 1
    return max(count, 0 if len(part) < 3 and not _VOWELS.search(part) else 1)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
