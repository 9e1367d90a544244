"""Loads knowledge/service.yml: who hosts this assistant, and how its staff is reached.

In: the file. Out: `Service`; everything in it may be missing. Raises `ContentError`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ebb.knowledge.yaml_reader import Node, read


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach the staff of the host, as the host wants it said."""

    name: str | None = None
    tel: str | None = None
    email: str | None = None
    url: str | None = None
    hours: str | None = None

    @property
    def reachable(self) -> bool:
        """Whether there is any way to reach them."""
        return bool(self.tel or self.email or self.url)


@dataclass(frozen=True, slots=True)
class Service:
    """The host: its name, its country (ISO code), its contact, and the time zone of its times."""

    name: str | None = None
    country: str | None = None
    contact: Contact = Contact()
    timezone: str = "UTC"


def load(file: Path) -> Service:
    """The service in `file`."""
    record = read(file).record({"name", "country", "contact"}, {"timezone"})
    contact = record["contact"].record({"name", "tel", "email", "url", "hours"})
    return Service(
        name=record.get("name", Node.text, None),
        country=record.get("country", _country, None),
        timezone=record.get("timezone", _timezone, "UTC"),
        contact=Contact(
            name=contact.get("name", Node.text, None),
            tel=contact.get("tel", _tel, None),
            email=contact.get("email", _email, None),
            url=contact.get("url", _url, None),
            hours=contact.get("hours", Node.text, None),
        ),
    )


def _timezone(node: Node) -> str:
    name = node.text()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise node.error(f"{name!r} is no time zone", "such as Europe/London") from None
    return name


def _country(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise node.error(f"{text!r} is not an ISO country code", "two capital letters")
    return text


def _tel(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(r"\+?[0-9](?:[ -]?[0-9]){1,16}", text):
        raise node.error(f"{text!r} is not a phone number", "digits and spaces, in quotes")
    return text


def _email(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise node.error(f"{text!r} is not an e-mail address")
    return text


def _url(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(r"https://\S+", text):
        raise node.error(f"{text!r} is not an address", "start with https://")
    return text
