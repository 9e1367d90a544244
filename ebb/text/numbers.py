"""Numbers in words and digits, and amounts with a unit.

A range ("2-3", "2 or 3") stays two number tokens; `amount` takes its larger or smaller end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ebb.knowledge.language import Numbers
from ebb.text.model import Token

_RANGE = ("or", "to")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")

Draft = tuple[str, int, int, int, float | None]
"""text, start, end, clause, number: a token before its lemma is known"""


class NumberReader:
    """Finds the numbers among canonical words, and joins those of several words into one."""

    def __init__(self, numbers: Numbers) -> None:
        self._words = {**numbers.words, **numbers.tens}
        self._tens = numbers.tens
        self._small = {word for word, value in numbers.words.items() if 0 < value < 10}
        self._hundred = frozenset(numbers.hundred)
        self._articles = numbers.articles
        self._units = frozenset(word for table in numbers.units.values() for word in table) - {"c"}
        self._phrases: dict[str, list[tuple[tuple[str, ...], float]]] = {}
        for words, value in sorted(numbers.phrases.items(), key=lambda item: -len(item[0])):
            self._phrases.setdefault(words[0], []).append((words, value))
        self._half_more = numbers.half_more
        self._triggers = frozenset(self._words) | frozenset(self._phrases) | self._articles

    def read(self, drafts: list[Draft]) -> list[Draft]:
        """`drafts` with numbers set; several words of one number become one draft."""
        if not any(d[0] in self._triggers or d[0][0].isdecimal() for d in drafts):
            return drafts
        found: list[Draft] = []
        place = 0
        triggers = self._triggers
        while place < len(drafts):
            word = drafts[place][0]
            if word not in triggers and not word[0].isdecimal():
                found.append(drafts[place])
                place += 1
                continue
            value, used = self._value(drafts, place)
            if value is None:
                found.append(drafts[place])
                place += 1
                continue
            head, tail = drafts[place], drafts[place + used - 1]
            text = head[0] if used == 1 else f"{value:.6g}"
            found.append((text, head[1], tail[2], head[3], value))
            place += used
        return found

    def _value(self, drafts: list[Draft], place: int) -> tuple[float | None, int]:
        text, clause = drafts[place][0], drafts[place][3]
        for words, value in self._phrases.get(text, ()):
            if self._follows(drafts, place, words):
                return value, len(words)
        used = 1
        if text[0].isdecimal() and _DIGITS.fullmatch(text):
            amount = float(text[:15])
            after = self._word(drafts, place + 1, clause)
            if "." not in text and after.startswith("0."):
                return amount + float(after), 2
        elif text in self._tens:
            amount = self._tens[text]
            if (after := self._word(drafts, place + 1, clause)) in self._small:
                amount, used = amount + self._words[after], 2
        elif text in self._words:
            amount = self._words[text]
        elif text in self._articles and self._word(drafts, place + 1, clause) in self._units:
            return 1.0, 1
        else:
            return None, 0
        if self._word(drafts, place + used, clause) in self._hundred:
            amount, used = amount * 100, used + 1
        for words in self._half_more:
            if self._follows(drafts, place + used, words):
                return amount + 0.5, used + len(words)
        return amount, used

    @staticmethod
    def _word(drafts: list[Draft], place: int, clause: int) -> str:
        if place < len(drafts) and drafts[place][3] == clause:
            return drafts[place][0]
        return ""

    @staticmethod
    def _follows(drafts: list[Draft], place: int, words: tuple[str, ...]) -> bool:
        if place + len(words) > len(drafts):
            return False
        return all(drafts[place + i][0] == word for i, word in enumerate(words)) and (
            drafts[place][3] == drafts[place + len(words) - 1][3]
        )


def amount(
    numbers: Numbers,
    tokens: Sequence[Token],
    unit: str,
    default: str | None = None,
    larger: bool = True,
) -> float | None:
    """The amount that `tokens` tell, in `unit` (seconds, hours, days, celsius, or any other
    name for plain counts). A number without a unit counts as `default` of them, or not at all.
    Of a range the larger end counts, or the smaller where `larger` is false. Fahrenheit becomes
    Celsius. "minute and a half" adds a half.
    """
    table = numbers.units.get(unit)
    if table is None:
        values = [token.number for token in tokens if token.number is not None]
        if any(token.text == "out" for token in tokens) or len(values) > 2 or not values:
            return values[0] if values else None
        return max(values) if larger else min(values)
    if unit == "celsius":
        return _celsius(numbers, tokens)
    pending: list[float] = []
    stray: list[float] = []
    found: list[float] = []
    scale = 0.0
    for place, token in enumerate(tokens):
        if token.number is not None:
            # after a unit ("1 min 30") a number is of some other unit, except in "a day or two"
            joined = place > 0 and tokens[place - 1].text in _RANGE
            (stray if found and not joined else pending).append(token.number)
        elif token.text in table:
            scale = table[token.text]
            pending, stray = pending + stray, []
            if pending:
                found.extend(value * scale for value in pending)
                pending = []
        elif token.text == "and" and scale and _and_a_half(tokens, place) and found:
            found[-1] += 0.5 * scale
    pending = [value for value in pending if value != 0.5] if found else pending
    if pending and scale:
        found.extend(value * scale for value in pending)
    elif pending and not found and default is not None:
        found = [value * table[default] for value in pending]
    if not found:
        return None
    return max(found) if larger else min(found)


def _and_a_half(tokens: Sequence[Token], place: int) -> bool:
    following = tokens[place + 1 : place + 3]
    return bool(following) and following[0].number == 0.5


def _celsius(numbers: Numbers, tokens: Sequence[Token]) -> float | None:
    values = [token.number for token in tokens if token.number is not None and token.number > 1]
    if not values:
        return None
    value = max(values)
    fahrenheit = any(token.text in numbers.fahrenheit for token in tokens)
    if fahrenheit or value > 60:  # no living body is warmer: this was Fahrenheit
        value = (value - 32) * 5 / 9
    return round(value, 1)
