"""Loads knowledge/helplines/: one record per help line and country, and the fallback.

In: a folder of `<iso>.yml` files and `international.yml`. Out: `HelpLines`. Refuses a number
without the shape of one, an unknown kind, an id given twice, a country given twice, and a
country without an emergency number. Lines of confidence L are kept and never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ebb.knowledge.yaml_reader import ContentError, Node, Record, read_folder

INTERNATIONAL = "international"


class Kind(str, Enum):
    """What a help line is for."""

    EMERGENCY = "emergency"
    CRISIS = "crisis"
    MATERNAL_MENTAL_HEALTH = "maternal_mental_health"
    BREASTFEEDING = "breastfeeding"
    ABUSE = "abuse"
    BEREAVEMENT = "bereavement"
    POISON = "poison"
    HEALTH_ADVICE = "health_advice"


class Confidence(str, Enum):
    """How far the record may be trusted: H official and dated, M secondary, L not shown."""

    H = "H"
    M = "M"
    L = "L"


@dataclass(frozen=True, slots=True)
class Sms:
    """Where to send a text message, and the word to send, if one is asked for."""

    number: str
    keyword: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One help line. `is_crisis`: it takes people who are in a crisis."""

    id: str
    kind: Kind
    name: str
    tel: str | None
    sms: Sms | None
    url: str | None
    hours: str | None
    languages: tuple[str, ...]
    is_crisis: bool
    note: str | None
    sources: tuple[str, ...]
    source_date: str | None
    confidence: Confidence
    checked_on: str | None
    checked_by: str | None

    @property
    def shown(self) -> bool:
        """Whether mothers may see this line."""
        return self.confidence is not Confidence.L


@dataclass(frozen=True, slots=True)
class Country:
    """The lines of one country, in the order in which they are offered."""

    iso: str
    name: str
    lines: tuple[Line, ...]

    def of(self, kind: Kind) -> tuple[Line, ...]:
        """The lines of `kind` that may be shown."""
        return tuple(line for line in self.lines if line.kind is kind and line.shown)


@dataclass(frozen=True, slots=True)
class HelpLines:
    """ISO code (upper case) to country, and what is shown for any other country."""

    countries: Mapping[str, Country]
    international: Country

    def find(self, country: str | None) -> Country | None:
        """The country with this ISO code, in any case; None if it is unknown."""
        if not isinstance(country, str):
            return None
        return self.countries.get(country.strip().upper())


def load(folder: Path) -> HelpLines:
    """The help lines in `folder`. Raises `ContentError`."""
    countries: dict[str, Country] = {}
    ids: set[str] = set()
    for node in read_folder(folder):
        country = _country(node, ids)
        if country.iso in countries:
            raise node.error(f"{country.iso} has a file already", "one file per country")
        countries[country.iso] = country
    international = countries.pop(INTERNATIONAL, None)
    if international is None:
        raise ContentError(folder, 1, "international.yml is missing", "it is the fallback")
    if not any(line.url and line.shown for line in international.lines):
        raise ContentError(folder / "international.yml", 1, "the fallback needs a line with a url")
    return HelpLines(countries, international)


def _country(node: Node, ids: set[str]) -> Country:
    record = node.record({"country", "name", "lines"})
    iso = record["country"].text()
    if iso != INTERNATIONAL and not re.fullmatch(r"[A-Z]{2}", iso):
        raise record["country"].error(f"{iso!r} is not an ISO country code", "two capital letters")
    if node.file.stem != iso.lower():
        raise record["country"].error(f"{iso} stands in {node.file.name}", "name the file after it")
    lines = tuple(_line(entry, ids) for entry in record["lines"].items())
    country = Country(iso, record["name"].text(), lines)
    if not any(line.tel for line in country.of(Kind.EMERGENCY)):
        raise record["lines"].error("no emergency number that may be shown")
    return country


_KEYS = set(Line.__slots__)


def _line(node: Node, ids: set[str]) -> Line:
    record = node.record(_KEYS)
    line_id = record["id"].text()
    if line_id in ids:
        raise record["id"].error(f"{line_id!r} is there twice", "every line has its own id")
    ids.add(line_id)
    line = Line(
        id=line_id,
        kind=record["kind"].one_of(Kind),
        name=record["name"].text(),
        tel=record.get("tel", _tel, None),
        sms=record.get("sms", _sms, None),
        url=record.get("url", _url, None),
        hours=_optional(record, "hours"),
        languages=record["languages"].texts(),
        is_crisis=record["is_crisis"].flag(),
        note=_optional(record, "note"),
        sources=record["sources"].texts(),
        source_date=_optional(record, "source_date"),
        confidence=record["confidence"].one_of(Confidence),
        checked_on=record.get("checked_on", _date, None),
        checked_by=_optional(record, "checked_by"),
    )
    if not (line.tel or line.sms or line.url):
        raise node.error(f"{line_id} cannot be reached", "give tel, sms or url")
    if not line.sources:
        raise record["sources"].error(f"{line_id} has no source")
    if (line.checked_on is None) != (line.checked_by is None):
        raise record["checked_on"].error("checked_on and checked_by belong together")
    return line


def _tel(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(r"\+?[0-9](?:[ -]?[0-9]){1,16}", text):
        raise node.error(f"{text!r} is not a phone number", 'digits, single spaces or "-"')
    return text


def _sms(node: Node) -> Sms:
    record = node.record({"number", "keyword"})
    keyword = record.get("keyword", Node.text, None)
    if keyword is not None and not re.fullmatch(r"[A-Z0-9]{1,20}", keyword):
        raise record["keyword"].error(f"{keyword!r} is not a keyword", "capital letters")
    return Sms(_tel(record["number"]), keyword)


def _url(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[^\s]*)?", text):
        raise node.error(f"{text!r} is not an address", "start with https://")
    return text


def _date(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", text):
        raise node.error(f"{text!r} is not a date", "year-month-day")
    return text


def _optional(record: Record, name: str) -> str | None:
    return record.get(name, Node.text, None)


def digits(number: str) -> str:
    """A number as a `tel:` or `sms:` link wants it: digits, and a leading plus."""
    return re.sub(r"[^0-9+]", "", number)


def names(countries: Iterable[Country]) -> tuple[tuple[str, str], ...]:
    """ISO code and name of each country, by name."""
    return tuple(sorted(((c.iso, c.name) for c in countries), key=lambda pair: pair[1]))
