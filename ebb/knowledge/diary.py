"""Loads knowledge/diary.yml: what is asked of an episode, and what several of them show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ebb.knowledge.yaml_reader import Node, read


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of an episode: its question, its buttons and its words by value.

    `points` says an amount, with the slot {n}, where the finding has one that she knows by number.
    """

    finding: str
    ask: str
    buttons: Mapping[str, str]
    say: Mapping[str, str]
    points: str | None


@dataclass(frozen=True, slots=True)
class Time:
    """Words for a time: the hour that stands for it, and how many days before today."""

    patterns: tuple[str, ...]
    hour: int
    days: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """What several entries show: `least` entries, `most` the share of them that decides."""

    least: int
    most: float
    onset: str
    early: frozenset[str]
    length: str
    order: tuple[str, ...]
    short: frozenset[str]
    strength: str
    known: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DiaryContent:
    """Everything that clinicians edit about the diary."""

    sources: tuple[str, ...]
    fields: tuple[Field, ...]
    length_unit: str
    feelings: frozenset[str]
    times: tuple[Time, ...]
    words: Mapping[str, tuple[str, ...]]
    afternoon: str
    pattern: Pattern
    offer_after: frozenset[str]
    own: frozenset[str]
    texts: Mapping[str, str]


WORDS = ("ago", "clock", "skip", "stop", "yes", "no")


def load(file: Path) -> DiaryContent:
    """The content of `file`. Raises `ContentError`."""
    fields = read(file).record(
        {"sources", "fields", "length_unit", "feelings", "times", "afternoon", "pattern"}
        | {"offer_after", "own", "texts", *WORDS}
    )
    return DiaryContent(
        sources=fields["sources"].texts(),
        fields=tuple(_field(node) for node in fields["fields"].items()),
        length_unit=fields["length_unit"].text(),
        feelings=frozenset(fields["feelings"].texts()),
        times=tuple(_time(node) for node in fields["times"].items()),
        words={name: fields[name].texts() for name in WORDS},
        afternoon=fields["afternoon"].text(),
        pattern=_pattern(fields["pattern"]),
        offer_after=frozenset(fields["offer_after"].texts()),
        own=frozenset(fields["own"].texts()),
        texts=_texts(fields["texts"]),
    )


def _texts(node: Node) -> dict[str, str]:
    return {name: text.text() for name, text in node.fields().items()}


def _field(node: Node) -> Field:
    fields = node.record({"finding", "ask", "buttons", "say"}, {"points"})
    return Field(
        finding=fields["finding"].text(),
        ask=fields["ask"].text(),
        buttons=_texts(fields["buttons"]),
        say=_texts(fields["say"]),
        points=fields.get("points", Node.text, None),
    )


def _time(node: Node) -> Time:
    fields = node.record({"patterns", "hour", "days"})
    return Time(fields["patterns"].texts(), fields["hour"].integer(), fields["days"].integer())


def _pattern(node: Node) -> Pattern:
    fields = node.record(
        {"from", "most", "onset", "early", "length", "order", "short", "strength", "known"}
    )
    return Pattern(
        least=fields["from"].integer(),
        most=fields["most"].number(),
        onset=fields["onset"].text(),
        early=frozenset(fields["early"].texts()),
        length=fields["length"].text(),
        order=fields["order"].texts(),
        short=frozenset(fields["short"].texts()),
        strength=fields["strength"].text(),
        known=_texts(fields["known"]),
    )
