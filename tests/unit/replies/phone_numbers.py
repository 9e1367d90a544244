"""Finds the phone numbers in a text, for tests."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ebb.knowledge.helplines import Country, Line

_NUMBER = re.compile(r"(?<!\d)\+?\d(?:[ -]?\d){1,15}(?!\d)")


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def numbers_in(text: str) -> set[str]:
    """Every run of two or more digits, as digits; times of day are not numbers."""
    without_times = re.sub(r"\b\d{1,2}:\d{2}\b", "", text)
    return {digits(found) for found in _NUMBER.findall(without_times)}


def numbers_of(lines: Iterable[Line]) -> set[str]:
    """Every number that these records hold, in names, addresses and notes too."""
    found: set[str] = set()
    for line in lines:
        parts = [line.tel, line.name, line.url, line.note, line.sms.number if line.sms else None]
        for part in parts:
            found |= numbers_in(part or "")
    return found


def shown(country: Country) -> list[Line]:
    return [line for line in country.lines if line.shown]
