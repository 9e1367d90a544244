"""Compiled patterns, kept on disk, so that the next start need not compile them again.

Compiling all patterns takes seconds, and the first message of a mother in danger must not wait
for it. What is kept is the byte code of Python's own `re`, which its constructor checks; it is
used only by the very Python and the very patterns that it was made for. Anything that does not fit
means compiling as usual.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import sys
import tempfile
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebb.knowledge.places import PROJECT

_RIGHT_PYTHON = sys.version_info[:2] == (3, 10)
"""Python's byte code of patterns differs from version to version."""

log = logging.getLogger(__name__)

FOLDER = PROJECT / ".ebb" / "cache" / "patterns"
MOST_FILES = 200
_VERSION = "1"
_WORD = "I"


@dataclass(frozen=True, slots=True)
class Kept:
    """One compiled pattern: how many groups it has, its flags, and its packed byte code."""

    groups: int
    flags: int
    code: bytes

    def pattern(self, shown: str) -> re.Pattern[str]:
        """The pattern; `shown` is what it calls itself. Raises on code that is not sound."""
        import _sre

        code = array(_WORD)
        code.frombytes(zlib.decompress(self.code))
        found: re.Pattern[str] = _sre.compile(
            shown, self.flags, code.tolist(), self.groups, {}, (None,) * (self.groups + 1)
        )
        return found


def digest(
    patterns: Sequence[tuple[str, str]], concepts: Mapping[str, Sequence[str]], maker: Path
) -> str | None:
    """What `patterns` are kept under; None where nothing can be kept.

    It changes with the patterns, with `maker`, the file that turns them into regular expressions,
    and with Python.
    """
    if not _RIGHT_PYTHON:
        return None
    import _sre

    try:
        made = maker.read_bytes()
    except OSError:
        return None
    parts = [_VERSION, sys.version, str(_sre.MAGIC), list(patterns), sorted(concepts.items())]
    told = json.dumps(parts, default=list).encode()
    return hashlib.blake2s(made + told, digest_size=16).hexdigest()


def compiled(regex: str) -> Kept:
    """`regex` compiled, in a form that can be kept."""
    import sre_compile
    import sre_parse

    parsed = sre_parse.parse(regex)
    code = sre_compile._code(parsed, 0)  # type: ignore[attr-defined]
    packed = zlib.compress(array(_WORD, code).tobytes(), 1)
    return Kept(parsed.state.groups - 1, parsed.state.flags, packed)


def load(name: str | None) -> tuple[list[tuple[Any, Kept]], Any] | None:
    """What was kept under `name`: for each pattern its own JSON and the code, and the JSON that
    all of them share; None if nothing.
    """
    if name is None:
        return None
    try:
        head, _, blob = (FOLDER / name).read_bytes().partition(b"\n")
        heads, shared, told = json.loads(head)
    except (OSError, ValueError, TypeError):
        return None
    if _sum(blob) != told:
        return None
    found, place = [], 0
    for of_pattern, groups, flags, length in heads:
        found.append((of_pattern, Kept(groups, flags, blob[place : place + length])))
        place += length
    return found, shared


def save(name: str | None, entries: Iterable[tuple[Any, Kept]], shared: Any) -> None:
    """Keep `entries` and what they share under `name`. A disk that refuses costs only time."""
    if name is None:
        return
    listed = list(entries)
    heads = [[told, kept.groups, kept.flags, len(kept.code)] for told, kept in listed]
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        descriptor, fresh = tempfile.mkstemp(dir=FOLDER, prefix=".new-")
        with os.fdopen(descriptor, "wb") as file:
            blob = b"".join(kept.code for _, kept in listed)
            file.write(json.dumps([heads, shared, _sum(blob)]).encode() + b"\n" + blob)
        Path(fresh).replace(FOLDER / name)
        _prune()
    except OSError as error:
        log.debug("compiled patterns were not kept: %s", type(error).__name__)


def _sum(blob: bytes) -> str:
    return hashlib.blake2s(blob).hexdigest()


def _prune() -> None:
    files = sorted(FOLDER.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[MOST_FILES:]:
        with contextlib.suppress(OSError):
            file.unlink()
