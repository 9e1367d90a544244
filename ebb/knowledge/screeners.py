"""Loads knowledge/screeners/: questionnaires that may be reproduced, and what is said with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ebb.knowledge.yaml_reader import Node, read, read_folder

COMMON = "common.yml"


@dataclass(frozen=True, slots=True)
class Danger:
    """An item about death or self-harm: above zero it counts as words of `category`.

    `finding` becomes `above` or `zero`.
    """

    category: str
    finding: str
    above: str
    zero: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item, as its authors published it."""

    text: str
    danger: Danger | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """What is said of a score of `least` points or more."""

    least: int
    text: str


@dataclass(frozen=True, slots=True)
class Screener:
    """A questionnaire. Its first `short` items decide, from `go_on_from` points, whether the rest
    is offered; the score of all is the finding `finding`.
    """

    id: str
    name: str
    lead: str
    short: int
    go_on_from: int
    finding: str
    sources: tuple[str, ...]
    items: tuple[Item, ...]
    short_bands: tuple[Band, ...]
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """An answer: its points, its button, and the patterns of words that mean it."""

    value: int
    title: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Screeners:
    """All questionnaires. `offers`: by outcome, the questionnaire offered after it; `safety` the
    finding that is asked for with every result; `texts` by name, with slots in braces.
    """

    screeners: Mapping[str, Screener]
    options: tuple[Option, ...]
    skip: tuple[str, ...]
    stop: tuple[str, ...]
    offers: Mapping[str, str]
    safety: str
    texts: Mapping[str, str]

    @property
    def most(self) -> int:
        """The points of the highest option."""
        return max(option.value for option in self.options)


def load(folder: Path) -> Screeners:
    """The content of `folder`. Raises `ContentError`."""
    common = read(folder / COMMON).record({"options", "skip", "stop", "offers", "safety", "texts"})
    found: dict[str, Screener] = {}
    for document in read_folder(folder):
        if document.file.name != COMMON:
            screener = _screener(document)
            found[screener.id] = screener
    offers: dict[str, str] = {}
    for name, outcomes in common["offers"].fields().items():
        if name not in found:
            raise outcomes.error(f"there is no questionnaire {name!r}")
        offers |= dict.fromkeys(outcomes.texts(), name)
    return Screeners(
        screeners=found,
        options=tuple(_option(node) for node in common["options"].items()),
        skip=common["skip"].texts(),
        stop=common["stop"].texts(),
        offers=offers,
        safety=common["safety"].text(),
        texts={name: node.text() for name, node in common["texts"].fields().items()},
    )


def _screener(document: Node) -> Screener:
    fields = document.record(
        {"screener", "name", "lead", "short", "go_on_from", "finding", "sources", "items"}
        | {"short_bands", "bands"}
    )
    return Screener(
        id=fields["screener"].text(),
        name=fields["name"].text(),
        lead=fields["lead"].text(),
        short=fields["short"].integer(),
        go_on_from=fields["go_on_from"].integer(),
        finding=fields["finding"].text(),
        sources=fields["sources"].texts(),
        items=tuple(_item(node) for node in fields["items"].items()),
        short_bands=_bands(fields["short_bands"]),
        bands=_bands(fields["bands"]),
    )


def _item(node: Node) -> Item:
    fields = node.record({"text"}, {"danger"})
    return Item(fields["text"].text(), fields.get("danger", _danger, None))


def _danger(node: Node) -> Danger:
    fields = node.record({"category", "finding", "above", "zero"})
    return Danger(
        *(fields[name].text() for name in ("category", "finding", "above", "zero")),
    )


def _bands(node: Node) -> tuple[Band, ...]:
    found = []
    for entry in node.items():
        fields = entry.record({"from", "text"})
        found.append(Band(fields["from"].integer(), fields["text"].text()))
    if not found or found[0].least != 0 or found != sorted(found, key=lambda band: band.least):
        raise node.error("bands start at 0 and rise")
    return tuple(found)


def _option(node: Node) -> Option:
    fields = node.record({"value", "title", "patterns"})
    return Option(fields["value"].integer(), fields["title"].text(), fields["patterns"].texts())
