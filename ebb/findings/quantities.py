"""Amounts that words tell: durations, ages, temperatures, counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ebb.knowledge.findings import Quantity
from ebb.knowledge.language import Numbers
from ebb.text import Token
from ebb.text.numbers import amount as read_amount

_WEEK = 7


class Amounts:
    """Reads amounts in the unit of a finding."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def of(self, tokens: Sequence[Token], quantity: Quantity, bare: bool) -> float | None:
        """The amount in `tokens`; a number without unit counts only where `bare`.

        None where there is none, or none that is plausible.
        """
        default = quantity.default if bare else None
        top = max((token.number or 0.0 for token in tokens), default=0.0)
        if quantity.default_to is not None and top > quantity.default_to:
            default = None
        found = read_amount(
            self._numbers, tokens, quantity.unit, default=default, larger=quantity.larger
        )
        if found is None:
            return None
        if quantity.plausible and not quantity.plausible[0] <= found <= quantity.plausible[1]:
            return None
        return found

    def days_since(self, tokens: Sequence[Token], today: date) -> float | None:
        """Days from the weekday (or "yesterday") in `tokens` to `today`.

        Today's own weekday means a week ago: for today people say "today".
        """
        for token in tokens:
            if token.text in self._numbers.days_ago:
                return float(self._numbers.days_ago[token.text])
            if token.text in self._numbers.weekdays:
                back = (today.weekday() - self._numbers.weekdays[token.text]) % _WEEK
                return float(back or _WEEK)
        return None
