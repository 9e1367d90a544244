"""The word rules that every text for mothers keeps: short sentences, no harmful phrases."""

from __future__ import annotations

import re

from ebb.knowledge.replies import Words

_SENTENCE_END = re.compile(r"(?<=[.!?:])[\"')]*\s+|\n+")


def faults(text: str, words: Words) -> tuple[str, ...]:
    """What is wrong with `text`: sentences that are too long, phrases that may never be said."""
    found = [
        f"{len(_words(sentence))} words: {sentence.strip()}"
        for sentence in _SENTENCE_END.split(text)
        if len(_words(sentence)) > words.longest_sentence
    ]
    folded = " ".join(text.lower().replace("\u2019", "'").split())
    found += [f"never said: {phrase}" for phrase in words.never if phrase.lower() in folded]
    if re.search(r"\n\s*\n", text):
        found.append("a blank line")
    return tuple(found)


def _words(sentence: str) -> list[str]:
    return re.findall(r"[\w'\u2019.@/-]*\w[\w'\u2019.@/-]*", sentence)
