"""What a message is after reading: tokens with their place in the original text.

Named tuples, because every message makes dozens of them and they are made in half the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Token(NamedTuple):
    """One canonical word. `start` and `end` are characters of the original text.

    Words that one written word stands for ("im" is "i", "am") share its place.
    `clause` counts from 0; `number` is set for digits and number words.
    """

    text: str
    lemma: str
    start: int
    end: int
    clause: int
    number: float | None


class Hit(NamedTuple):
    """A pattern found: its key, and its first and last token, inclusive.

    `free` are the tokens in between that the pattern did not name (gaps and `<any>`).
    """

    key: str
    first: int
    last: int
    free: tuple[int, ...] = ()


@dataclass(frozen=True)
class Text:
    """A message as read. The fields after `tokens` serve matching.

    `canonical`: "text/lemma " for each token and "| " around each clause.
    `starts`: where in `canonical` each token starts. `forms`: all texts and "~lemma"s.
    `ends`: the mark that closes each clause ("?", ".", "," ... or "" where a word opens the
    next one). `quoted`: tokens inside quotation marks.
    """

    original: str
    tokens: tuple[Token, ...] = ()
    canonical: str = "| "
    starts: tuple[int, ...] = ()
    forms: frozenset[str] = frozenset()
    ends: tuple[str, ...] = ()
    quoted: frozenset[int] = field(default=frozenset())

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Original characters of the tokens `first` to `last`, inclusive."""
        return self.tokens[first].start, self.tokens[last].end
