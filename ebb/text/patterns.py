"""The pattern language of knowledge/, compiled to `re` over the canonical text of a message.

    word   word~   (a|b c|d~)   [x y]   {concept}   ...   ..5   //   <num>   <any>   ^   $   !(x)

Only patterns whose required words are all present are tried: for every pattern the rarest
needed word is looked up in a dictionary of words (a set look-up beats spaCy's PhraseMatcher
here, as the tokens are there already). Gaps are bounded and nothing repeats without bound, so
matching is linear in the length of the message.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebb.text import kept
from ebb.text.kept import Kept, compiled
from ebb.text.model import Hit, Text

_LEX = re.compile(
    r"\s*(?:(?P<gap>\.\.\.|\.\.\d{1,2})|(?P<edge>//)|(?P<num><num>)|(?P<any><any>)"
    r"|(?P<concept>\{[a-z0-9_]+\})|(?P<deny>!\()|(?P<sign>[()\[\]|^$])"
    r"|(?P<lemma>[^\W_]+)~|(?P<word>[^\W_]+(?:\.\d+)?)|(?P<bad>\S))"
)
_ANY = r"[^ |/]+/[^ ]+ "
_MAX_GAP = 12
_SHORT = 40
"""Tokens of a message that is simply searched through."""
_COMMON = frozenset(
    [
        "i",
        "my",
        "me",
        "a",
        "an",
        "the",
        "to",
        "of",
        "is",
        "am",
        "be",
        "are",
        "was",
        "it",
        "not",
        "do",
        "have",
        "has",
        "had",
        "and",
        "or",
        "in",
        "on",
        "at",
        "for",
        "with",
        "this",
        "that",
        "he",
        "she",
        "they",
        "her",
        "him",
        "you",
        "so",
        "if",
        "no",
        "when",
        "before",
        "after",
        "feel",
        "get",
        "go",
        "just",
        "like",
        "now",
        "about",
        "baby",
        "~i",
        "~my",
        "~a",
        "~the",
        "~to",
        "~be",
        "~do",
        "~have",
        "~feel",
        "~get",
        "~go",
        "~not",
        "~it",
        "~he",
        "~she",
        "~and",
        "~#",
        "~baby",
        "~feed",
        "feed",
        "~milk",
        "milk",
        "all",
        "every",
        "can",
        "will",
        "want",
        "up",
        "out",
        "off",
    ]
)


class PatternError(ValueError):
    """A pattern that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a pattern: its regex, and the words that a match needs (one of each set)."""

    regex: str
    needs: tuple[frozenset[str], ...] = ()
    words: frozenset[str] = frozenset()
    simple: str | None = None
    """form ("word" or "~lemma") where the piece is just one word"""
    empty: bool = False
    """whether it can match nothing"""
    options: tuple[_Part, ...] = ()
    """the alternatives, where it is a plain choice"""
    most: int = 1
    """how many tokens it can take up"""


@dataclass(slots=True)
class _Compiled:
    key: str
    source: str
    regex: str
    best: frozenset[str] | None
    others: tuple[frozenset[str], ...]
    most: int
    kept: Kept | None = None
    pattern: re.Pattern[str] | None = None

    def ready(self) -> re.Pattern[str]:
        if self.pattern is None:
            if self.kept is None:
                self.kept = compiled(self.regex)
            self.pattern = self.kept.pattern(self.source)
        return self.pattern


class PatternSet:
    """Many keyed patterns, found together.

    `patterns` are (key, pattern); several may share a key. Raises `PatternError`.
    """

    def __init__(
        self, patterns: Iterable[tuple[str, str]], concepts: Mapping[str, Sequence[str]]
    ) -> None:
        listed = list(patterns)
        self._name = kept.digest(listed, concepts, Path(__file__))
        self._all, words = _read(kept.load(self._name)) or _parsed(listed, concepts)
        self._fresh = all(one.kept is None for one in self._all)
        self._index: dict[str, list[int]] = {}
        self._always: list[int] = []
        for number, one in enumerate(self._all):
            if one.best is None:
                self._always.append(number)
            else:
                for form in one.best:
                    self._index.setdefault(form, []).append(number)
        self._triggers = frozenset(self._index)
        self.words = words
        """Every word ("word") and lemma ("~word") that the patterns name."""

    def __len__(self) -> int:
        return len(self._all)

    def warm(self) -> None:
        """Compiles everything now instead of at first use, and keeps it for the next start."""
        for one in self._all:
            one.ready()
        if self._fresh and self._all:
            kept.save(self._name, [_told(one) for one in self._all], sorted(self.words))
            self._fresh = False

    def find(self, text: Text, only: Container[str] | None = None) -> list[Hit]:
        """Every hit, in the order of the patterns, then of the text; of the keys `only`, if set."""
        forms = text.forms
        numbers = set(self._always)
        for form in self._triggers & forms:
            numbers.update(self._index[form])
        if not numbers:
            return []
        found: list[Hit] = []
        places = _Places(text) if len(text.tokens) > _SHORT else None
        for number in sorted(numbers):
            one = self._all[number]
            if only is not None and one.key not in only:
                continue
            for need in one.others:
                if need.isdisjoint(forms):
                    break
            else:
                windows = places.windows(one) if places else _WHOLE
                if not windows:
                    continue
                pattern = one.pattern or one.ready()
                for begin, end in windows:
                    match = pattern.search(text.canonical, begin, end)
                    while match is not None:
                        found.append(_hit(one.key, match, text.starts))
                        # a match ends with the space that the next one begins with
                        match = pattern.search(text.canonical, match.end() - 1, end)
        return found


def _parsed(
    patterns: list[tuple[str, str]], concepts: Mapping[str, Sequence[str]]
) -> tuple[list[_Compiled], frozenset[str]]:
    """The patterns as regular expressions, and all words they name. Raises `PatternError`."""
    parser = _Parser(concepts)
    found: list[_Compiled] = []
    words: set[str] = set()
    for key, source in patterns:
        part = parser.parse(source)
        if part.empty:
            raise PatternError(f"{source!r} can match nothing at all")
        words |= part.words
        best = min(part.needs, key=_cost, default=None)
        others = tuple(need for need in part.needs if need is not best)
        found.append(_Compiled(key, source, " " + part.regex, best, others, part.most))
    return found, frozenset(words)


def _told(one: _Compiled) -> tuple[Any, Kept]:
    """A compiled pattern as it is kept."""
    assert one.kept is not None
    needs = [sorted(need) for need in ((one.best, *one.others) if one.best else ())]
    return [one.key, one.source, needs, one.most], one.kept


def _read(
    found_kept: tuple[list[tuple[Any, Kept]], Any] | None,
) -> tuple[list[_Compiled], frozenset[str]] | None:
    """What was kept of these very patterns."""
    if found_kept is None:
        return None
    entries, words = found_kept
    same: dict[tuple[str, ...], frozenset[str]] = {}
    found: list[_Compiled] = []
    for (key, source, needs, most), code in entries:
        sets = [same.setdefault(tuple(need), frozenset(need)) for need in needs]
        best = sets[0] if sets else None
        found.append(_Compiled(key, source, "", best, tuple(sets[1:]), most, code))
    return found, frozenset(words)


_WHOLE = [(0, sys.maxsize)]
_OFTEN = 20
"""A word so much more frequent than the rarest one stands near it anyway."""


class _Places:
    """Where the words of a long text stand, so that it is read only where a pattern can match."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._of: dict[str, list[int]] = {}
        for at, token in enumerate(text.tokens):
            self._of.setdefault(token.text, []).append(at)
            self._of.setdefault(f"~{token.lemma}", []).append(at)
        self._met: dict[int, list[int]] = {}

    def windows(self, one: _Compiled) -> list[tuple[int, int]]:
        """The parts of the canonical text that hold every match.

        A match reaches no further than its pattern is long, so all words that it needs stand
        that near to each other; parts are as far around such a place as it can reach.
        """
        if one.best is None:
            return _WHOLE
        anchors, reach = self._meeting(one.best), one.most
        for need in one.others:
            others = self._meeting(need)
            if len(others) > _OFTEN * len(anchors):
                continue
            anchors = [at for at in anchors if _near(others, at, reach)]
            if not anchors:
                return []
        found: list[tuple[int, int]] = []
        last = len(self._text.tokens)
        first = after = -1
        for at in anchors:
            if first >= 0 and at - reach > after:
                found.append(_part(self._text, first, after))
                first = -1
            if first < 0:
                first = max(0, at - reach)
            after = min(last, at + reach + 1)
        if first >= 0:
            found.append(_part(self._text, first, after))
        return found

    def _meeting(self, need: frozenset[str]) -> list[int]:
        """Where a word of `need` stands."""
        found = self._met.get(id(need))
        if found is None:
            forms = need & self._text.forms
            if len(forms) == 1:
                (form,) = forms
                found = self._of[form]
            else:
                found = sorted({at for form in forms for at in self._of[form]})
            self._met[id(need)] = found
        return found


def _near(places: list[int], at: int, reach: int) -> bool:
    """Whether one of `places`, sorted, is within `reach` of `at`."""
    first = bisect_left(places, at - reach)
    return first < len(places) and places[first] <= at + reach


def _part(text: Text, first: int, after: int) -> tuple[int, int]:
    """Characters of the tokens `first` up to `after`, and the clause edges beside them."""
    begin = text.starts[first] - 1
    return max(0, begin), text.starts[after] if after < len(text.starts) else sys.maxsize


def _hit(key: str, match: re.Match[str], starts: tuple[int, ...]) -> Hit:
    begin, end = match.span()
    first, after = bisect_right(starts, begin), bisect_left(starts, end)
    free: tuple[int, ...] = ()
    for group in range(1, match.re.groups + 1):
        begin, end = match.span(group)
        if begin < end:
            free += tuple(range(bisect_left(starts, begin), bisect_left(starts, end)))
    return Hit(key, first, after - 1, free)


def _cost(need: frozenset[str]) -> float:
    return sum(20 if form in _COMMON else 1 / len(form) for form in need)


class _Parser:
    """Patterns to parts. Concepts are expanded where they stand."""

    def __init__(self, concepts: Mapping[str, Sequence[str]]) -> None:
        self._concepts = concepts
        self._expanded: dict[str, _Part] = {}
        self._open: list[str] = []

    def parse(self, source: str) -> _Part:
        tokens = list(self._lex(source))
        part, place = self._sequence(source, tokens, 0)
        if place != len(tokens):
            raise PatternError(f"{source!r}: unexpected {tokens[place][1]!r}")
        return part

    def _lex(self, source: str) -> Iterator[tuple[str, str]]:
        place = 0
        text = source.strip()
        while place < len(text):
            match = _LEX.match(text, place)
            if match is None or match["bad"]:
                raise PatternError(f"{source!r}: {text[place : place + 8]!r} is not understood")
            kind = match.lastgroup or ""
            yield kind, match[kind]
            place = match.end()

    def _sequence(
        self, source: str, tokens: list[tuple[str, str]], place: int
    ) -> tuple[_Part, int]:
        parts: list[_Part] = []
        while place < len(tokens):
            kind, text = tokens[place]
            if kind == "sign" and text in ")]|":
                break
            part, place = self._one(source, tokens, place)
            parts.append(part)
        if not parts:
            raise PatternError(f"{source!r}: something is missing")
        if len(parts) == 1:
            return parts[0], place
        return (
            _Part(
                "".join(part.regex for part in parts),
                tuple(need for part in parts for need in part.needs),
                frozenset().union(*(part.words for part in parts)),
                empty=all(part.empty for part in parts),
                most=sum(part.most for part in parts),
            ),
            place,
        )

    def _one(self, source: str, tokens: list[tuple[str, str]], place: int) -> tuple[_Part, int]:
        kind, text = tokens[place]
        place += 1
        if kind == "word":
            return _word(text.lower()), place
        if kind == "lemma":
            return _lemma(text.lower()), place
        if kind == "num":
            return _Part(r"[^ |/]+/# ", (frozenset({"~#"}),)), place
        if kind == "any":
            return _Part(f"({_ANY})"), place
        if kind == "gap":
            size = 3 if text == "..." else int(text[2:])
            if not 1 <= size <= _MAX_GAP:
                raise PatternError(f"{source!r}: a gap is 1 to {_MAX_GAP} words")
            return _Part(f"((?:{_ANY}){{0,{size}}}?)", empty=True, most=size), place
        if kind == "edge":
            return _Part(r"(?:\| )?", empty=True, most=0), place
        if kind == "concept":
            return self._concept(source, text[1:-1]), place
        if kind == "deny":
            part, place = self._choice(source, tokens, place, ")")
            return _Part(f"(?!{part.regex})", words=part.words, empty=True, most=part.most), place
        if text == "(":
            return self._choice(source, tokens, place, ")")
        if text == "[":
            part, place = self._choice(source, tokens, place, "]")
            return _Part(f"(?:{part.regex})?", words=part.words, empty=True, most=part.most), place
        if text == "^":
            return _Part(r"(?<=\| )", empty=True), place
        return _Part(r"(?=\|)", empty=True), place

    def _choice(
        self, source: str, tokens: list[tuple[str, str]], place: int, close: str
    ) -> tuple[_Part, int]:
        options: list[_Part] = []
        while True:
            part, place = self._sequence(source, tokens, place)
            options.append(part)
            if place >= len(tokens):
                raise PatternError(f"{source!r}: a {close!r} is missing")
            if tokens[place][1] == "|":
                place += 1
                continue
            if tokens[place][1] != close:
                raise PatternError(f"{source!r}: {tokens[place][1]!r} closes something else")
            return _either(options), place + 1

    def _concept(self, source: str, name: str) -> _Part:
        if name in self._expanded:
            return self._expanded[name]
        if name in self._open:
            raise PatternError(f"concept {{{name}}} needs itself")
        if name not in self._concepts:
            raise PatternError(f"{source!r}: there is no concept {{{name}}}")
        self._open.append(name)
        part = _either([self.parse(pattern) for pattern in self._concepts[name]])
        self._open.pop()
        self._expanded[name] = part
        return part


def _word(word: str) -> _Part:
    return _Part(f"{re.escape(word)}/[^ ]+ ", (frozenset({word}),), frozenset({word}), word)


def _lemma(word: str) -> _Part:
    form = f"~{word}"
    return _Part(f"[^ |/]+/{re.escape(word)} ", (frozenset({form}),), frozenset({form}), form)


def _either(options: list[_Part]) -> _Part:
    """One of `options`. Choices inside are drawn up, and single words put together by their
    first letter: the regex engine rejects a branch by its first character."""
    if len(options) == 1:
        return options[0]
    flat = tuple(inner for option in options for inner in (option.options or (option,)))
    words = [o.simple for o in flat if o.simple and o.simple[0] != "~"]
    lemmas = [o.simple[1:] for o in flat if o.simple and o.simple[0] == "~"]
    branches = list(dict.fromkeys(o.regex for o in flat if not o.simple))
    if words:
        branches.insert(0, f"(?:{_spelled(words)})/[^ ]+ ")
    if lemmas:
        branches.append(f"[^ |/]+/(?:{_spelled(lemmas)}) ")
    needs: tuple[frozenset[str], ...] = ()
    if all(o.needs for o in flat):
        needs = (frozenset().union(*(min(o.needs, key=_cost) for o in flat)),)
    return _Part(
        f"(?:{'|'.join(branches)})" if len(branches) > 1 else branches[0],
        needs,
        frozenset().union(*(o.words for o in flat)),
        empty=any(o.empty for o in flat),
        options=flat,
        most=max(o.most for o in flat),
    )


def _spelled(words: list[str]) -> str:
    by_letter: dict[str, list[str]] = {}
    for word in dict.fromkeys(words):
        by_letter.setdefault(word[0], []).append(re.escape(word[1:]))
    return "|".join(
        f"{re.escape(letter)}(?:{'|'.join(rest)})" if len(rest) > 1 else re.escape(letter) + rest[0]
        for letter, rest in by_letter.items()
    )
