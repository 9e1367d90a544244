"""A rough reading age, for tests: the Flesch-Kincaid grade of a text plus five years.

Names of help lines, numbers and addresses are left out: nobody can make them simpler.
"""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?:\n]+")
_WORD = re.compile(r"[A-Za-z']+")
_VOWELS = re.compile(r"[aeiouy]+")


def syllables(word: str) -> int:
    """Groups of vowels, without a silent e at the end; never less than one."""
    word = word.lower().replace("'", "")
    count = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and count > 1
    return max(1, count - silent)


def reading_age(text: str) -> float:
    """Years of age at which `text` can be read, by 0.39 words a sentence, 11.8 syllables a word."""
    sentences = [found for part in _SENTENCE.split(text) if (found := _WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return 0.0
    grade = (
        0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    )
    return grade + 5
