"""Folds odd characters to plain lower-case ones, and remembers where each came from.

NFKC, look-alike letters, accents, invisible characters, control characters, emoji to words.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from ebb.knowledge.language import Characters

_INVISIBLE = frozenset({"Cf", "Mn", "Me", "Sk", "Co", "Cn"})


class Folded(NamedTuple):
    """Folded text. `starts[i]`/`ends[i]` is the original place of its character `i`.

    Both are None where nothing moved, which is nearly always.
    """

    text: str
    starts: list[int] | None
    ends: list[int] | None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Original characters of the folded characters `start` up to, not including, `end`."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


class Folder(dict[str, str]):
    """Character -> what it is read as; filled as characters are met."""

    def __init__(self, characters: Characters) -> None:
        super().__init__()
        self._look_alikes = characters.look_alikes
        self._emoji = characters.emoji

    def __missing__(self, character: str) -> str:
        found = self._fold(character)
        self[character] = found
        return found

    def _fold(self, character: str) -> str:
        if character == "\n" or (character.isascii() and character.isprintable()):
            return character.lower()
        if character in self._emoji:
            return f" {self._emoji[character]} "
        low = character.lower()
        if low in self._look_alikes:
            return self._look_alikes[low]
        category = unicodedata.category(character)
        if category in _INVISIBLE:
            return ""
        if category in ("Zl", "Zp") or character in "\r\x0b\x0c\x85":
            return "\n"
        if category in ("Cs", "Cc", "So", "Zs"):
            plain = unicodedata.normalize("NFKD", character)
            if plain == character:
                return " "
        plain = unicodedata.normalize("NFKD", low)
        return "".join(
            self._look_alikes.get(part, part)
            for part in plain.lower()
            if unicodedata.category(part) not in _INVISIBLE
        )

    def fold(self, text: str) -> Folded:
        """`text`, folded. Linear; never raises."""
        if text.isascii():
            return Folded(text.lower(), None, None)
        pieces = [self[character] for character in text]
        joined = "".join(pieces)
        if all(len(piece) == 1 for piece in pieces):
            return Folded(joined, None, None)
        starts: list[int] = []
        ends: list[int] = []
        for place, piece in enumerate(pieces):
            if piece:
                starts.extend([place] * len(piece))
                ends.extend([place + 1] * len(piece))
        return Folded(joined, starts, ends)
