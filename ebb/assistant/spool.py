"""The append-only record of crises on local disk: ids and rules, never words.

It needs no database, so that a crisis leaves a trace even when every store is down.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebb.knowledge.places import PROJECT

FOLDER = PROJECT / ".ebb" / "spool"
"""Where everything is that must not need a database."""
FILE = "crisis.jsonl"
DAY = 86_400.0
_TAIL = 4_000_000
"""Bytes at the end of the record that are read back."""


@dataclass(frozen=True, slots=True)
class Record:
    """The last crisis reply of a conversation and the question it put."""

    reply: str
    asked: str | None
    country: str | None


def append(folder: Path, line: dict[str, Any]) -> None:
    """Add one line, in one write. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, (json.dumps(line) + "\n").encode())
    finally:
        os.close(descriptor)


def latest(folder: Path, since: float) -> dict[str, Record]:
    """The last record of each conversation, not older than `since` (seconds since 1970).

    Lines that are torn or not ours are passed over. Raises `OSError`.
    """
    file = folder / FILE
    if not file.exists():
        return {}
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL))
        lines = opened.read().decode("utf-8", "replace").splitlines()
    found: dict[str, Record] = {}
    for line in lines:
        try:
            kept = json.loads(line)
            if kept["at"] >= since:
                found[kept["conversation"]] = Record(
                    kept["reply"], kept.get("asked"), kept.get("country")
                )
        except (ValueError, KeyError, TypeError):
            continue
    return found


def erase(folder: Path, conversation: str) -> int:
    """Take out the lines of `conversation`; returns how many there were. Raises `OSError`."""
    file = folder / FILE
    if not file.exists():
        return 0
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if _conversation(line) != conversation]
    if len(kept) < len(lines):
        fresh = file.with_suffix(".new")
        fresh.write_text("".join(kept), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(file)
    return len(lines) - len(kept)


def _conversation(line: str) -> str | None:
    try:
        found: str | None = json.loads(line).get("conversation")
    except (ValueError, AttributeError):
        return None
    return found
