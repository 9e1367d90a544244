"""Loads knowledge/sources.yml: where every fact comes from.

In: the file. Out: `Sources`, one record per source tag (S12, SF7, C6, OK). Raises `ContentError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from ebb.knowledge.yaml_reader import Node, read

_ID = re.compile(r"(?:SF?|C)[1-9][0-9]{0,2}b?|RF[0-9]{2}|OK(?:-low)?")
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
_URL = re.compile(r"https://[^\s/]+\.[^\s/]+\S*")


class Kind(str, Enum):
    """What a source is."""

    ARTICLE = "article"
    """The article whose facts the assistant must be able to state."""
    RULE = "rule"
    """What the assistant says where the article and research differ (C1-C14)."""
    REVIEW = "review"
    STUDY = "study"
    CASE_REPORT = "case_report"
    EXPERT = "expert"
    GUIDANCE = "guidance"
    """Health services, authorities and professional bodies."""
    CHARITY = "charity"
    ADVOCACY = "advocacy"
    GREY = "grey"
    """Blogs, commercial pages, encyclopaedias."""
    PRESS = "press"
    CODE = "code"
    """Software and its documentation, for licences and codes."""
    LAW = "law"
    OWN_KNOWLEDGE = "own_knowledge"
    """Backed by no source: whoever signs off decides."""


class Grade(str, Enum):
    """How strong the evidence is, from systematic reviews (A) to grey literature (D)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@dataclass(frozen=True, slots=True)
class Source:
    """One source. `grade` is None where nobody has graded it."""

    id: str
    title: str
    kind: Kind
    grade: Grade | None = None
    url: str | None = None
    doi: str | None = None
    note: str | None = None

    @property
    def link(self) -> str | None:
        """Where to read it: the DOI's address, else the page, else None."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources by id, in the order of the file."""

    by_id: Mapping[str, Source]

    def __contains__(self, id: object) -> bool:
        return id in self.by_id

    def __getitem__(self, id: str) -> Source:
        return self.by_id[id]

    def __iter__(self) -> Iterator[Source]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)


def load(file: Path) -> Sources:
    """The sources in `file`."""
    found: dict[str, Source] = {}
    for node in read(file).record({"sources"})["sources"].items():
        source = _source(node)
        if source.id in found:
            raise node.error(f"source {source.id} stands here twice", "give one of them a new id")
        found[source.id] = source
    return Sources(MappingProxyType(found))


def _source(node: Node) -> Source:
    record = node.record({"id", "title", "kind", "grade", "url", "doi", "note"})
    return Source(
        id=_shaped(record["id"], _ID, "a source id", "S12, SF7, C6 or OK"),
        title=record["title"].text(),
        kind=record["kind"].one_of(Kind),
        grade=record.get("grade", lambda grade: grade.one_of(Grade), None),
        url=record.get("url", lambda url: _shaped(url, _URL, "a web address", "https://..."), None),
        doi=record.get("doi", lambda doi: _shaped(doi, _DOI, "a DOI", "10.1234/abc"), None),
        note=record.get("note", Node.text, None),
    )


def _shaped(node: Node, shape: re.Pattern[str], what: str, example: str) -> str:
    text = node.text()
    if not shape.fullmatch(text):
        raise node.error(f"{text!r} is not {what}", f"for example {example}")
    return text
