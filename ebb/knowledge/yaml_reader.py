"""Reads the YAML of knowledge/ strictly, and remembers the line of every value.

Only `true`, `false`, `null` and plain numbers are typed; everything else (phone numbers, hours,
country codes, yes and no) is a string. Duplicate keys, anchors, tags and several documents in
one file are refused. A `Node` checks shapes as it is taken apart, so that a loader reads each
value once and every refusal names file, line, reason and a hint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

import yaml

E = TypeVar("E", bound=Enum)
T = TypeVar("T")


class ContentError(Exception):
    """Bad content, with the place, the reason and how to mend it."""

    def __init__(self, file: Path | str, line: int, reason: str, hint: str = "") -> None:
        self.file, self.line, self.reason, self.hint = str(file), line, reason, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        hint = f" Hint: {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}: {self.reason}.{hint}"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loader with a resolver that types only true, false, null and plain numbers."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"true|false", "tf"),
    ("tag:yaml.org,2002:null", r"null", "n"),
    ("tag:yaml.org,2002:int", r"0|-?[1-9][0-9]{0,8}", "-0123456789"),
    ("tag:yaml.org,2002:float", r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]+", "-0123456789"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), list(_first))


@dataclass(frozen=True, slots=True)
class Node:
    """One YAML value with its place. `path` tells where in the document it stands."""

    file: Path
    raw: yaml.Node
    path: str = ""

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
        return int(self.raw.start_mark.line) + 1

    def error(self, reason: str, hint: str = "") -> ContentError:
        """A refusal at this place."""
        where = f"{self.path}: " if self.path else ""
        return ContentError(self.file, self.line, f"{where}{reason}", hint)

    # ---- scalars

    def value(self) -> str | int | float | bool | None:
        """The scalar here, typed as the module says."""
        if not isinstance(self.raw, yaml.ScalarNode):
            raise self.error("a single value is expected here")
        found: str | int | float | bool | None = _construct(self.raw)
        return found

    def text(self) -> str:
        """A non-empty string."""
        found = self.value()
        if not isinstance(found, str) or not found.strip():
            raise self.error(f"text is expected, found {found!r}", "put it in quotes")
        return found.strip()

    def number(self) -> float:
        """A number."""
        found = self.value()
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self.error(f"a number is expected, found {found!r}")
        return found

    def integer(self) -> int:
        """A whole number."""
        found = self.value()
        if isinstance(found, bool) or not isinstance(found, int):
            raise self.error(f"a whole number is expected, found {found!r}")
        return found

    def flag(self) -> bool:
        """`true` or `false`."""
        found = self.value()
        if not isinstance(found, bool):
            raise self.error(f"true or false is expected, found {found!r}")
        return found

    def one_of(self, kind: type[E]) -> E:
        """A member of the string enum `kind`."""
        found = self.text()
        try:
            return kind(found)
        except ValueError:
            allowed = ", ".join(str(member.value) for member in kind)
            raise self.error(f"{found!r} is not allowed here", f"one of: {allowed}") from None

    def is_null(self) -> bool:
        """Whether `null` (or nothing) stands here."""
        return isinstance(self.raw, yaml.ScalarNode) and self.raw.tag == "tag:yaml.org,2002:null"

    # ---- collections

    def items(self) -> list[Node]:
        """The entries of a list."""
        if not isinstance(self.raw, yaml.SequenceNode):
            raise self.error("a list is expected here", "start each entry with '- '")
        return [Node(self.file, raw, f"{self.path}[{i}]") for i, raw in enumerate(self.raw.value)]

    def texts(self) -> tuple[str, ...]:
        """A list of strings; a single string counts as a list of one."""
        if isinstance(self.raw, yaml.ScalarNode):
            return (self.text(),)
        return tuple(item.text() for item in self.items())

    def fields(self) -> dict[str, Node]:
        """The entries of a mapping, in order; duplicate keys are refused."""
        if not isinstance(self.raw, yaml.MappingNode):
            raise self.error("key: value entries are expected here")
        found: dict[str, Node] = {}
        for key_raw, raw in self.raw.value:
            key = Node(self.file, key_raw, self.path)
            if not isinstance(key_raw, yaml.ScalarNode):
                raise key.error("a key must be plain text")
            name = key_raw.value
            if name in found:
                raise key.error(f"{name!r} stands here twice", "remove or rename one of them")
            found[name] = Node(self.file, raw, f"{self.path}.{name}" if self.path else name)
        return found

    def record(self, required: set[str], optional: set[str] | None = None) -> Record:
        """A mapping with exactly these keys allowed."""
        found = self.fields()
        allowed = required | (optional or set())
        for name, node in found.items():
            if name not in allowed:
                raise node.error(f"unknown key {name!r}", f"allowed: {', '.join(sorted(allowed))}")
        if missing := sorted(required - found.keys()):
            raise self.error(f"missing: {', '.join(missing)}")
        return Record(self, found)


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping whose keys are known to be allowed."""

    node: Node
    found: Mapping[str, Node]

    def __getitem__(self, name: str) -> Node:
        return self.found[name]

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def get(self, name: str, read: Callable[[Node], T], default: T) -> T:
        """`read(value)` of the key, or `default` where it is missing or null."""
        node = self.found.get(name)
        return default if node is None or node.is_null() else read(node)


def read(file: Path) -> Node:
    """The one document of `file`. Raises `ContentError` on anything that is not plain YAML."""
    try:
        with file.open(encoding="utf-8") as stream:
            loader = _Loader(stream)
            try:
                _refuse_tricks(file, loader)
            finally:
                loader.dispose()
        with file.open(encoding="utf-8") as stream:
            loader = _Loader(stream)
            try:
                raw = loader.get_single_node()
            finally:
                loader.dispose()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ContentError(
            file, mark.line + 1 if mark else 1, f"not valid YAML: {reason}"
        ) from None
    if raw is None:
        raise ContentError(file, 1, "the file is empty")
    return Node(file, raw)


def read_folder(folder: Path) -> Iterator[Node]:
    """The documents of all `*.yml` files below `folder`, by name."""
    files = sorted(folder.rglob("*.yml"))
    if not files:
        raise ContentError(folder, 1, "no *.yml file here")
    for file in files:
        yield read(file)


def _refuse_tricks(file: Path, loader: _Loader) -> None:
    while loader.check_event():
        event = loader.get_event()
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ContentError(file, line, "anchors and aliases (& and *) are not allowed")
        if getattr(event, "tag", None):
            raise ContentError(file, line, "tags (!) are not allowed")


def _construct(raw: yaml.ScalarNode) -> str | int | float | bool | None:
    text: str = raw.value
    if raw.style:
        return text
    match raw.tag.rpartition(":")[2]:
        case "bool":
            return text == "true"
        case "null":
            return None
        case "int":
            return int(text)
        case "float":
            return float(text)
    return text
