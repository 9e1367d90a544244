"""Text -> tokens. Never raises, linear in the length of the text, remembers every offset."""

from __future__ import annotations

import re
from collections.abc import Callable

from ebb.knowledge.language import Language
from ebb.knowledge.language import Words as Names
from ebb.text.model import Text, Token
from ebb.text.normalise import Folded, Folder
from ebb.text.numbers import Draft, NumberReader
from ebb.text.words import Piece, Words

_CHUNK = re.compile(r"[^\s]+|\n")
_SPELLED = re.compile(r"(?<!\S)[^\W\d_](?:[ ._*\-~]{1,3}[^\W\d_](?![^\W_]|'[^\W_])){2,}(?=\W|$)")
_CACHED = 32
_CACHE_SIZE = 20_000
NUMBER = "#"
"""The lemma of every number token."""


class Reader:
    """Reads messages. `canonical` may tell which word an unknown one was meant to be."""

    def __init__(
        self, language: Language, canonical: Callable[[str], str | None] | None = None
    ) -> None:
        self.language = language
        self._folder = Folder(language.characters)
        self._words = Words(language, canonical)
        self._numbers = NumberReader(language.numbers)
        self._starts: dict[str, list[Names]] = {}
        for words in sorted(language.clause_starts, key=len, reverse=True):
            self._starts.setdefault(words[0], []).append(words)
        self._cache: dict[str, tuple[Piece, ...]] = {}
        self._forms: dict[str, tuple[str, str]] = {}
        self._phrases: dict[str, list[tuple[Names, Names]]] = {}
        by_words: dict[Names, Names] = {}
        for variant, words in language.spellings.items():
            if len(variant) > 1:
                by_words[variant] = words
                by_words.setdefault(self._canonical_words(variant), words)
        for words in sorted(by_words, key=len, reverse=True):
            if words != by_words[words]:
                self._phrases.setdefault(words[0], []).append((words, by_words[words]))

    def read(self, text: str) -> Text:
        """`text` as tokens. Any str will do."""
        folded = self._folder.fold(text)
        drafts, ends, quotes = self._drafts(folded)
        drafts = self._spell(drafts)
        drafts = self._numbers.read(drafts)
        return self._text(text, folded, drafts, ends, quotes)

    def is_canonical(self, word: str, lemma: bool = False) -> bool:
        """Whether reading ever gives this word (or lemma): patterns may use only such."""
        tokens = self.read(word).tokens
        if len(tokens) != 1:
            return False
        return tokens[0].lemma in (word, NUMBER) if lemma else tokens[0].text == word

    # ---- steps

    def _canonical_words(self, words: Names) -> Names:
        return tuple(piece.text for word in words for piece in self._pieces(word) if piece.text)

    def _pieces(self, chunk: str) -> tuple[Piece, ...]:
        found = self._cache.get(chunk)
        if found is None:
            found = tuple(self._words.read(chunk))
            if len(chunk) <= _CACHED:
                if len(self._cache) >= _CACHE_SIZE:
                    self._cache.clear()
                self._cache[chunk] = found
        return found

    def _drafts(self, folded: Folded) -> tuple[list[Draft], list[str], list[int]]:
        """Words with their places in the folded text, what closes each clause, and the
        places of quotation marks."""
        drafts: list[Draft] = []
        ends: list[str] = []
        quotes: list[int] = []
        clause = 0
        opened = False  # whether the clause has a word yet
        text = folded.text
        spelled = _SPELLED.search(text)
        place = 0
        while True:
            stop = spelled.start() if spelled else len(text)
            for match in _CHUNK.finditer(text, place, stop):
                chunk = match[0]
                at = match.start()
                if chunk == "\n":
                    if opened:
                        ends.append("\n")
                        clause, opened = clause + 1, False
                    continue
                for word, start, end, mark in self._cache.get(chunk) or self._pieces(chunk):
                    if word:
                        drafts.append((word, at + start, at + end, clause, None))
                        opened = True
                    elif mark == '"':
                        quotes.append(at + start)
                    elif opened:
                        ends.append(mark)
                        clause, opened = clause + 1, False
                    elif ends and mark == "?":
                        ends[-1] = mark
            if spelled is None:
                break
            for word in self._words.letters(spelled[0]):
                drafts.append((word, spelled.start(), spelled.end(), clause, None))
                opened = True
            place = spelled.end()
            spelled = _SPELLED.search(text, place)
        if opened:
            ends.append("")
        return drafts, ends, quotes

    def _spell(self, drafts: list[Draft]) -> list[Draft]:
        """Spellings of several words, longest first."""
        phrases = self._phrases
        if not any(draft[0] in phrases for draft in drafts):
            return drafts
        found: list[Draft] = []
        place = 0
        count = len(drafts)
        while place < count:
            draft = drafts[place]
            for variant, words in phrases.get(draft[0], ()):
                size = len(variant)
                if (
                    place + size <= count
                    and drafts[place + size - 1][3] == draft[3]
                    and all(drafts[place + i][0] == variant[i] for i in range(1, size))
                ):
                    end = drafts[place + size - 1][2]
                    found.extend((word, draft[1], end, draft[3], None) for word in words)
                    place += size
                    break
            else:
                found.append(draft)
                place += 1
        return found

    def _text(
        self,
        original: str,
        folded: Folded,
        drafts: list[Draft],
        ends: list[str],
        quotes: list[int],
    ) -> Text:
        tokens: list[Token] = []
        canonical: list[str] = []
        starts: list[int] = []
        forms: set[str] = set()
        final_ends: list[str] = []
        length = 0
        clause = -1
        before = -1
        known = self._forms
        identity = folded.starts is None
        for index, (word, start, end, drafted, number) in enumerate(drafts):
            opens = word in self._starts and self._opens(drafts, index)
            if drafted != before or (opens and tokens and canonical[-1] != "| "):
                if clause >= 0:
                    final_ends.append(ends[before] if drafted != before else "")
                before = drafted
                clause += 1
                canonical.append("| ")
                length += 2
            if number is None:
                cached = known.get(word)
                if cached is None:
                    lemma = self._words.lemmas.of(word)
                    cached = (lemma, f"~{lemma}")
                    if len(known) > _CACHE_SIZE:
                        known.clear()
                    known[word] = cached
                lemma, form = cached
            else:
                lemma, form = NUMBER, "~#"
            if not identity:
                start, end = folded.place(start, end)
            tokens.append(Token(word, lemma, start, end, clause, number))
            forms.add(word)
            forms.add(form)
            starts.append(length)
            piece = f"{word}/{lemma} "
            canonical.append(piece)
            length += len(piece)
        if tokens:
            final_ends.append(ends[before])
        canonical.append("| ")
        return Text(
            original=original,
            tokens=tuple(tokens),
            canonical="".join(canonical),
            starts=tuple(starts),
            forms=frozenset(forms),
            ends=tuple(final_ends),
            quoted=_quoted(quotes, drafts) if len(quotes) > 1 else frozenset(),
        )

    def _opens(self, drafts: list[Draft], index: int) -> bool:
        clause = drafts[index][3]
        for words in self._starts[drafts[index][0]]:
            size = len(words)
            if index + size <= len(drafts) and all(
                drafts[index + i][0] == words[i] and drafts[index + i][3] == clause
                for i in range(1, size)
            ):
                return True
        return False


def _quoted(quotes: list[int], drafts: list[Draft]) -> frozenset[int]:
    """Tokens between the first and second quotation mark, the third and fourth, and so on."""
    found: list[int] = []
    pairs = list(zip(quotes[::2], quotes[1::2], strict=False))
    pair = 0
    for index, draft in enumerate(drafts):
        while pair < len(pairs) and pairs[pair][1] <= draft[1]:
            pair += 1
        if pair < len(pairs) and pairs[pair][0] < draft[1]:
            found.append(index)
    return frozenset(found)
