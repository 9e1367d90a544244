"""What was accepted and is in no store yet: one file a message on local disk, for seconds.

If the process is killed in the middle of a turn, the next one takes the message up again. The
files hold her words, so only the owner may read them, and erasing a conversation erases them.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

FOLDER = "accepted"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message as Rasa is to hear it. `id` tells it from every other one.

    `sent` is the reply that the safety net sent for it, `lines` what the door said by itself
    since, as they go to Rasa.
    """

    conversation: str
    channel: str
    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    sent: dict[str, Any] | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    id: str = field(default_factory=lambda: f"{time.time_ns():020d}-{uuid.uuid4().hex}")


def keep(spool: Path, accepted: Accepted) -> None:
    """Write the message down, so that it outlives this process. Raises `OSError`."""
    folder = spool / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_file(spool, accepted.id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, json.dumps(asdict(accepted)).encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def add(spool: Path, accepted_id: str, line: dict[str, Any]) -> None:
    """Write down what was said while the turn ran. Raises `OSError`, also if it is over."""
    descriptor = os.open(_file(spool, accepted_id), os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, json.dumps(line).encode() + b"\n")
    finally:
        os.close(descriptor)


def done(spool: Path, accepted_id: str) -> None:
    """The message is stored with its conversation. Raises `OSError`."""
    with contextlib.suppress(FileNotFoundError):
        _file(spool, accepted_id).unlink()


def waiting(spool: Path) -> list[Accepted]:
    """What an earlier process accepted and did not finish, oldest first. Raises `OSError`."""
    return [accepted for _, accepted in _all(spool)]


def erase(spool: Path, conversation: str) -> int:
    """Delete what waits of `conversation`; returns how many there were. Raises `OSError`."""
    found = 0
    for file, accepted in _all(spool):
        if accepted.conversation == conversation:
            file.unlink(missing_ok=True)
            found += 1
    return found


def _file(spool: Path, accepted_id: str) -> Path:
    return spool / FOLDER / f"{accepted_id}.json"


def _all(spool: Path) -> Iterator[tuple[Path, Accepted]]:
    folder = spool / FOLDER
    if not folder.exists():
        return
    for file in sorted(folder.glob("*.json")):
        try:
            first, *lines = file.read_text(encoding="utf-8").splitlines()
            accepted = Accepted(**json.loads(first))
            yield file, replace(accepted, lines=[json.loads(line) for line in lines])
        except FileNotFoundError:
            continue
        except (ValueError, TypeError):
            # Torn while it was written: it was never acknowledged.
            file.unlink(missing_ok=True)
