"""One run of characters without spaces -> canonical words.

Undoes leet, stars, letters split by signs, elongation and words run together, writes out
contractions, and applies spellings. Every rule of doubt ends in "keep what she wrote".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from ebb.knowledge.language import Language

MAX_WORD = 64
"""Longer words are cut in the canonical text (never in the original)."""
_JOINED = 48
_PART = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?(?:/\d+)?)(?P<unit>[^\W\d_]*)"
    r"|(?P<word>[^\W\d_][^\W_]*(?:'[^\W_]+)*)"
    r"|(?P<quote>\")|(?P<edge>[.…!?,;:()\[\]{}<>—–\n|]+)"
    r"|(?P<sign>[&+%°/\\_*~=#@$€^'`-]+)"
)
_LETTERS = re.compile(r"[^\W\d_]")
_DISGUISED = re.compile(r"^[^\W_]*[\d@$!€+*|][^\s]*$")
_SPLIT = re.compile(r"[-._*/~+'|,]+")
_RUN = re.compile(r"(.)\1{2,}")
_WOVEN = re.compile(r"[^\W\d_][\d@$!]+[^\W\d_]")
_FRACTION = {"2", "3", "4"}


class Piece(NamedTuple):
    """A canonical word, or an edge (`text` empty, `mark` its sign), placed inside the chunk."""

    text: str
    start: int
    end: int
    mark: str = ""


class Lemmas:
    """Look-up lemmatizer of spaCy (spacy-lookups-data), with corrections of our own."""

    def __init__(self, corrections: dict[str, str], also_known: Iterable[str]) -> None:
        self._table, values = _lookups()
        self._corrections = corrections
        self._known = values | frozenset(also_known)
        self._cache: dict[str, str] = {}

    def known(self, word: str) -> bool:
        """Whether `word` is English that we know."""
        return word in self._known or word in self._table

    def of(self, word: str) -> str:
        """The lemma of a canonical word."""
        found = self._cache.get(word)
        if found is None:
            found = self._corrections.get(word) or self._table.get(word)
            if found is None and len(word) > 3 and word[-1] == "s" and self.known(word[:-1]):
                found = self._corrections.get(word[:-1], word[:-1])
            found = (found or word).replace("/", "").replace(" ", "") or word
            if len(self._cache) > 20_000:
                self._cache.clear()
            self._cache[word] = found
        return found


@lru_cache(maxsize=1)
def _lookups() -> tuple[Mapping[str, str], frozenset[str]]:
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("lemmatizer", config={"mode": "lookup"})
    nlp.initialize()
    table = nlp.get_pipe("lemmatizer").lookups.get_table("lemma_lookup")
    return table, frozenset(value.lower() for value in table.values())


class Words:
    """Chunk -> pieces. `canonical` may map an unknown word to the one that was meant."""

    def __init__(self, language: Language, canonical: Callable[[str], str | None] | None) -> None:
        self._contractions = language.contractions
        self._single = {
            variant[0]: words for variant, words in language.spellings.items() if len(variant) == 1
        }
        vocabulary = {word for words in language.spellings.values() for word in words}
        vocabulary |= {word for words in language.contractions.values() for word in words}
        vocabulary |= set(_words_of(language.concepts.values())) | language.joined
        vocabulary |= set(_words_of(language.cues.patterns.values()))
        vocabulary |= set(language.numbers.words) | set(language.numbers.tens)
        vocabulary |= set(language.characters.censored)
        vocabulary |= {word for words in language.clause_starts for word in words}
        self._lemmas = Lemmas(dict(language.lemmas), vocabulary)
        self._units = {word for table in language.numbers.units.values() for word in table}
        self._leet = dict(language.characters.leet)
        self._censored = tuple(word.replace("-", "") for word in language.characters.censored)
        self._joined = language.joined
        self._canonical = canonical

    @property
    def lemmas(self) -> Lemmas:
        """The lemmatizer in use."""
        return self._lemmas

    def read(self, chunk: str) -> list[Piece]:
        """The words and edges of `chunk`, which holds no spaces and is folded."""
        if chunk.isalpha():
            return [Piece(word, 0, len(chunk)) for word in self.word(chunk)]
        return list(self._mixed(chunk))

    def letters(self, run: str) -> list[str]:
        """Words spelled out letter by letter ("k i l l"), or the letters where it says nothing."""
        joined = "".join(_LETTERS.findall(run))
        found = self._variant(joined)
        if found:
            return list(found)
        if self._lemmas.known(joined):
            return [joined]
        if (words := self._segment(joined, self._lemmas.known)) and all(
            len(word) > 1 or word in "ia" for word in words
        ):
            return [out for word in words for out in self.word(word)]
        return list(joined)

    # ---- one written word

    def word(self, word: str) -> tuple[str, ...]:
        """Canonical words of a written word of letters and apostrophes."""
        found = self._variant(word)
        if found:
            return found
        plain = word.replace("'", "")
        if plain != word:
            if word.endswith(("'s", "'")):
                return (plain[:MAX_WORD],)
            for ending, meaning in (("'ll", "will"), ("'ve", "have"), ("'re", "are"),
                                    ("'d", "would"), ("n't", "not")):  # fmt: skip
                if word.endswith(ending) and len(word) > len(ending):
                    return (*self.word(word[: -len(ending)]), meaning)
            word = plain
            if found := self._variant(word):
                return found
        if self._lemmas.known(word):
            return (word[:MAX_WORD],)
        if len(word) > 2 and _RUN.search(word):
            for candidate in _shorter(word):
                if found := self._variant(candidate):
                    return found
                if self._lemmas.known(candidate):
                    return (candidate,)
            word = _RUN.sub(r"\1", word)
        if len(word) > MAX_WORD:
            return (word[:MAX_WORD],)
        if self._canonical is not None and (meant := self._canonical(word)):
            return tuple(meant.split()) or (word,)
        if 5 <= len(word) <= _JOINED:
            parts = self._segment(word, self._joined.__contains__)
            if parts and len(parts) > 1:
                return tuple(parts)
        return (word,)

    def _variant(self, word: str) -> tuple[str, ...] | None:
        found = self._contractions.get(word) or self._single.get(word)
        if found is None and word[:1] == "'":
            return self._variant(word[1:])
        return found

    def _segment(self, word: str, good: Callable[[str], bool]) -> list[str] | None:
        """`word` as the fewest good words, longest first; None where it is not made of them."""
        if len(word) > _JOINED:
            return None
        best: list[list[str] | None] = [[], *([None] * len(word))]
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - 14), end):
                before = best[start]
                if before is None or not good(word[start:end]):
                    continue
                if best[end] is None or len(before) + 1 < len(best[end] or ()):
                    best[end] = [*before, word[start:end]]
        return best[-1]

    # ---- letters mixed with digits and signs

    def _mixed(self, chunk: str) -> Iterator[Piece]:
        start, end = 0, len(chunk)
        if chunk[0] == "!" and (found := self._hidden_i(chunk)):
            for word in found:
                yield Piece(word, 0, end)
            return
        while start < end and chunk[start] in "\"'([{<.,;:!?…-*_~—–|#`/\\&":
            start += 1
        while end > start and chunk[end - 1] in "\"')]}>.,;:!?…-*_~—–|#`/\\&":
            end -= 1
        yield from self._parts(chunk, 0, start)
        if start < end:
            core = chunk[start:end]
            found = self._core(core) if len(core) <= MAX_WORD else None
            if found is not None:
                for word in found:
                    yield Piece(word, start, end)
            else:
                yield from self._parts(chunk, start, end)
        yield from self._parts(chunk, end, len(chunk))

    def _hidden_i(self, chunk: str) -> tuple[str, ...] | None:
        """Words of a chunk whose first sign stands for a letter ("!t", "!ntrus!ve")."""
        core = chunk.rstrip("\"')]}>.,;:!?…-*_~—–#`")
        if not 1 < len(core) <= MAX_WORD or not core[1].isalpha():
            return None
        return self._variant(core) or self._undisguised(core)

    def _core(self, core: str) -> tuple[str, ...] | None:
        """Canonical words where the whole core is one disguised or spelled-out word."""
        if core.isalpha():
            return self.word(core)
        if found := self._variant(core):
            return found
        if not _LETTERS.search(core) and not any(sign in core for sign in "$@!*"):
            return None
        if "'" in core and core.replace("'", "").isalpha():
            return self.word(core)
        parts = [part for part in _SPLIT.split(core) if part]
        if len(parts) > 1 and all(part.isalpha() for part in parts):
            joined = "".join(parts)
            if all(len(part) == 1 for part in parts) and len(parts) > 2:
                return tuple(self.letters(joined))
            if "*" in core and (meant := self._uncensored(core)):
                return (meant,)
            if any(not self._lemmas.known(part) and not self._variant(part) for part in parts):
                if found := self._variant(joined):
                    return found
                if self._lemmas.known(joined):
                    return (joined,)
            if (
                len(parts) > 2 and "," not in core and "'" not in core
            ):  # i.want.to.die: signs instead of spaces
                return tuple(word for part in parts for word in self.word(part))
            return None
        if _DISGUISED.match(core):
            return self._undisguised(core)
        return None

    def _undisguised(self, core: str) -> tuple[str, ...] | None:
        if "*" in core:
            meant = self._uncensored(core)
            return (meant,) if meant else None
        if "'" in core:
            return next(filter(None, map(self._variant, self._unleet(core))), None)
        bare = core.replace("-", "").replace(".", "").replace("_", "")
        if not all(sign.isalpha() or sign in self._leet for sign in bare) or bare.isdigit():
            return None
        match = _PART.match(core)
        if match and match["number"] and match.end() == len(core) and match["unit"] in self._units:
            return None
        for plain in self._unleet(bare):
            if found := self._variant(plain):
                return found
            if len(plain) > 2 and self._lemmas.known(plain):
                return (plain,)
            if _RUN.search(plain):
                for candidate in _shorter(plain):
                    if self._lemmas.known(candidate):
                        return (candidate,)
            if self._canonical is not None and len(plain) > 3 and (meant := self._canonical(plain)):
                return tuple(meant.split())
        if self._canonical is not None and len(bare) > 4 and _WOVEN.search(bare):
            return (self._unleet(bare)[0],)
        return None

    def _unleet(self, word: str) -> list[str]:
        """Readings of a word with leet signs, at most 8."""
        found = [""]
        for sign in word:
            letters = self._leet.get(sign, sign)
            if len(found) * len(letters) > 8:
                letters = letters[0]
            found = [head + letter for head in found for letter in letters]
        return found

    def _uncensored(self, core: str) -> str | None:
        """The listed word that a starred one stands for; a star may hide up to three letters."""
        if core.count("*") > 6:
            return None
        stars = re.sub(r"\\\*", ".?", re.escape(core))
        shape = re.compile(re.sub(r"(?:\.\?)+", lambda m: f".{{1,{len(m[0]) // 2 + 2}}}", stars))
        exact = re.compile(stars.replace(".?", "."))
        for word in self._censored:
            if exact.fullmatch(word):
                return word
        for word in self._censored:
            if shape.fullmatch(word):
                return word
        return None

    def _parts(self, chunk: str, start: int, end: int) -> Iterator[Piece]:
        for match in _PART.finditer(chunk, start, end):
            first, last = match.span()
            match match.lastgroup:
                case "unit":
                    number, unit = match["number"], match["unit"]
                    yield from self._number(number, first)
                    if unit:
                        for word in self.word(unit):
                            yield Piece(word, last - len(unit), last)
                case "word":
                    for word in self.word(match[0]):
                        yield Piece(word, first, last)
                case "quote":
                    yield Piece("", first, last, '"')
                case "edge":
                    yield Piece("", first, last, _mark(match[0]))
                case _:
                    if "°" in match[0]:
                        yield Piece("degrees", first, last)
                    elif "%" in match[0]:
                        yield Piece("percent", first, last)
                    elif match[0] == "&":
                        yield Piece("and", first, last)
                    elif match[0] == "-" and _between_numbers(chunk, first, last):
                        yield Piece("to", first, last)

    def _number(self, number: str, start: int) -> Iterator[Piece]:
        whole, slash, under = number.partition("/")
        end = start + len(number)
        if slash and (under not in _FRACTION or len(whole) > 1 or whole >= under):
            yield Piece(_decimal(whole), start, start + len(whole))
            yield Piece("out", start + len(whole), start + len(whole) + 1)
            yield Piece("of", start + len(whole), start + len(whole) + 1)
            yield Piece(_decimal(under), start + len(whole) + 1, end)
        elif slash:
            yield Piece(f"{int(whole) / int(under):.4g}", start, end)
        else:
            yield Piece(_decimal(number), start, end)


def _between_numbers(chunk: str, first: int, last: int) -> bool:
    return first > 0 and chunk[first - 1].isdigit() and chunk[last : last + 1].isdigit()


def _decimal(number: str) -> str:
    head, comma, tail = number.partition(",")
    if comma:
        number = head + tail if len(tail) == 3 else f"{head}.{tail}"
    return number[:MAX_WORD]


def _mark(signs: str) -> str:
    for mark in "?!\n.;:,":
        if mark in signs:
            return mark
    return "."


def _shorter(word: str) -> list[str]:
    """Readings of an elongated word: each run of three or more as one letter or two."""
    found = [""]
    place = 0
    for match in _RUN.finditer(word):
        head = word[place : match.start()]
        counts = (1, 2) if len(found) <= 4 else (1,)
        found = [text + head + match[1] * count for text in found for count in counts]
        place = match.end()
    return [text + word[place:] for text in found]


def _words_of(patterns: Iterable[Iterable[str]]) -> Iterator[str]:
    for group in patterns:
        for pattern in group:
            yield from re.findall(r"(?<![{<\w])[a-z']+(?![}>\w])", pattern)
