"""Loads knowledge/language/: how words are written, what they stand for, and what turns them.

In: the folder. Out: one frozen `Language`. Bad content raises `ContentError` with file and line.
Patterns are kept as strings here; ebb.text compiles them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ebb.knowledge.yaml_reader import Node, read

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Characters:
    """How single characters are read. Keys are what is written."""

    look_alikes: Mapping[str, str]
    leet: Mapping[str, str]
    """character -> the letters it may stand for, most likely first"""
    censored: Words
    emoji: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Number words, units and days. A unit's value is how many of the quantity's unit it is."""

    words: Mapping[str, float]
    tens: Mapping[str, float]
    hundred: Words
    phrases: Mapping[Words, float]
    half_more: tuple[Words, ...]
    articles: frozenset[str]
    units: Mapping[str, Mapping[str, float]]
    fahrenheit: frozenset[str]
    weekdays: Mapping[str, int]
    days_ago: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cues:
    """Patterns that turn a statement, by what they do; `reach` in tokens."""

    reach: int
    patterns: Mapping[str, Words]
    """kind (negation, not_a_negation, doubled, stops, uncertain, ...) -> patterns"""
    carries: frozenset[str]


@dataclass(frozen=True, slots=True)
class Language:
    """All that ebb.text knows about English as tired people type it."""

    characters: Characters
    lemmas: Mapping[str, str]
    contractions: Mapping[str, Words]
    spellings: Mapping[Words, Words]
    numbers: Numbers
    clause_starts: tuple[Words, ...]
    joined: frozenset[str]
    concepts: Mapping[str, Words]
    cues: Cues


_CUES = (
    "negation",
    "not_a_negation",
    "doubled",
    "stops",
    "uncertain",
    "other_person",
    "person_back",
    "past",
    "still",
    "hypothetical",
    "asks",
    "quoted",
)


def load(folder: Path) -> Language:
    """The language of `folder`. Raises `ContentError`."""
    clauses = read(folder / "clauses.yml").record({"starts", "joined"})
    return Language(
        characters=_characters(folder),
        lemmas=_table(_only(folder, "lemmas")),
        contractions={
            variant: words for node, words, variant in _variants(_only(folder, "contractions"))
        },
        spellings={
            _split(variant): words for node, words, variant in _variants(_only(folder, "spellings"))
        },
        numbers=_numbers(read(folder / "numbers.yml")),
        clause_starts=tuple(tuple(text.split()) for text in clauses["starts"].texts()),
        joined=frozenset(clauses["joined"].texts()),
        concepts=concepts(_only(folder, "concepts")),
        cues=_cues(read(folder / "scope.yml")),
    )


def concepts(node: Node) -> dict[str, Words]:
    """Named lists of patterns: name -> patterns. Also for the `concepts:` of other folders."""
    return {name: item.texts() for name, item in node.fields().items()}


def _only(folder: Path, name: str) -> Node:
    return read(folder / f"{name}.yml").record({name})[name]


def _split(variant: str) -> Words:
    return tuple(variant.lower().replace("-", " ").split())


def _table(node: Node) -> dict[str, str]:
    return {name: item.text() for name, item in node.fields().items()}


def _variants(node: Node) -> Iterator[tuple[Node, Words, str]]:
    seen: dict[str, str] = {}
    for canonical, entry in node.fields().items():
        for variant in entry.texts():
            key = variant.lower()
            if key in seen:
                raise entry.error(f"{variant!r} is written here and under {seen[key]!r}")
            if key == canonical:
                raise entry.error(f"{variant!r} stands for itself", "remove it")
            seen[key] = canonical
            yield entry, tuple(canonical.split()), key


def _characters(folder: Path) -> Characters:
    record = read(folder / "characters.yml").record({"look_alikes", "leet", "censored"})
    look_alikes: dict[str, str] = {}
    for letter, node in record["look_alikes"].fields().items():
        for character in node.text():
            if character in look_alikes:
                raise node.error(f"{character!r} is listed twice")
            look_alikes[character] = letter
    leet: dict[str, str] = {}
    for letter, node in record["leet"].fields().items():
        for character in node.text():
            leet[character] = leet.get(character, "") + letter
    return Characters(
        look_alikes=look_alikes,
        leet=leet,
        censored=record["censored"].texts(),
        emoji=_table(_only(folder, "emoji")),
    )


def _amounts(node: Node) -> dict[str, float]:
    return {name: item.number() for name, item in node.fields().items()}


def _counts(node: Node) -> dict[str, int]:
    return {name: item.integer() for name, item in node.fields().items()}


def _numbers(node: Node) -> Numbers:
    record = node.record(
        {
            "words", "tens", "hundred", "phrases", "half_more", "articles", "units",
            "fahrenheit", "weekdays", "days_ago",
        }
    )  # fmt: skip
    return Numbers(
        words=_amounts(record["words"]),
        tens=_amounts(record["tens"]),
        hundred=record["hundred"].texts(),
        phrases={_split(name): value for name, value in _amounts(record["phrases"]).items()},
        half_more=tuple(_split(text) for text in record["half_more"].texts()),
        articles=frozenset(record["articles"].texts()),
        units={unit: _amounts(table) for unit, table in record["units"].fields().items()},
        fahrenheit=frozenset(record["fahrenheit"].texts()),
        weekdays=_counts(record["weekdays"]),
        days_ago=_counts(record["days_ago"]),
    )


def _cues(node: Node) -> Cues:
    record = node.record({"reach", "carries", *_CUES})
    return Cues(
        reach=record["reach"].integer(),
        patterns={kind: record[kind].texts() for kind in _CUES},
        carries=frozenset(record["carries"].texts()),
    )
