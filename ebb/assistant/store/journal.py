"""The spool of what the database could not take: one append-only file a conversation.

One line is one turn's rows, or the wish to erase. Lines are on disk when `append` returns. A
line that was cut short by the end of a process is passed over. Several processes may use
the folder: each change of a file happens under a lock on it, held only for that change.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ebb.assistant.store.rows import Row

log = logging.getLogger(__name__)

ENDING = ".jsonl"
LOCK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Known:
    """What the database was last seen to hold of a conversation.

    `database` tells one database from another that took its place; `last` is the id of the
    conversation's last row, None if there was none.
    """

    database: str
    last: int | None


@dataclass(frozen=True, slots=True)
class Turn:
    """Rows of one turn, and what was known to be stored when it began (None: nothing)."""

    rows: tuple[Row, ...]
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Erase:
    """All that was kept before is to be erased. `wish` tells one from the next."""

    wish: str = field(default_factory=lambda: secrets.token_hex(8))


Step = Turn | Erase


@dataclass(frozen=True, slots=True)
class Spooled:
    """What the file of one conversation held when it was read."""

    conversation: str
    steps: tuple[Step, ...]
    file: Path
    content: bytes

    @property
    def rows(self) -> list[Row]:
        """The rows that are not erased again."""
        found: list[Row] = []
        for step in self.steps:
            found = [] if isinstance(step, Erase) else [*found, *step.rows]
        return found


class Journal:
    """The spool in `folder`, which is made when it is needed first. All methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> list[Path]:
        """The files that hold something, oldest first."""
        try:
            found = [(f.stat().st_mtime, f) for f in self._folder.glob(f"*{ENDING}")]
        except FileNotFoundError:
            return []
        return [file for _, file in sorted(found)]

    def holds(self, conversation: str) -> bool:
        """Whether anything is spooled for `conversation`."""
        return self._file(conversation).exists()

    def mark(self, conversation: str) -> tuple[int, int] | None:
        """What changes whenever another process touches the file; None if there is none."""
        try:
            seen = self._file(conversation).stat()
        except FileNotFoundError:
            return None
        return seen.st_ino, seen.st_size

    def append(
        self,
        conversation: str,
        steps: Sequence[Step],
        still: Callable[[], bool] = lambda: True,
    ) -> None:
        """Add lines, and wait until the disk has them. Raises `OSError`; then nothing was added.

        Nothing is added either if `still()` is false once the file is locked.
        """
        lines = b"".join(_line(conversation, step) for step in steps)
        with self._locked(conversation) as descriptor:
            size = os.fstat(descriptor).st_size
            if not still():
                self._drop_empty(conversation, size)
                return
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                lines = b"\n" + lines
            try:
                _write(descriptor, lines)
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, size)
                self._drop_empty(conversation, size)
                raise
            if size == 0:
                self._sync_folder()

    def erase(
        self,
        conversation: str,
        wish: Erase | None = None,
        still: Callable[[], bool] = lambda: True,
    ) -> int:
        """Put the wish to erase in place of all lines; returns how many events they had.

        Changes nothing if `still()` is false once the file is locked. Raises `OSError`.
        """
        file = self._file(conversation)
        before = self.read(file)
        with self._locked(conversation) as descriptor:
            if not still():
                self._drop_empty(conversation, os.fstat(descriptor).st_size)
                return 0
            self._replace(file, _line(conversation, wish or Erase()))
        return len(before.rows) if before else 0

    def of(self, conversation: str) -> Spooled | None:
        """What is spooled for `conversation`. Raises `OSError`."""
        return self.read(self._file(conversation))

    def read(self, file: Path) -> Spooled | None:
        """What a file holds; None if it is gone or holds nothing. Raises `OSError`."""
        try:
            descriptor = os.open(file, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            # Never a line that another thread or process is writing.
            _lock(descriptor, fcntl.LOCK_SH)
            content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        finally:
            os.close(descriptor)
        conversation, steps = "", []
        for line in content.splitlines():
            if not line:
                continue
            try:
                conversation, step = _step(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                log.error("a spooled line cannot be read: %s, %s", type(error).__name__, file.name)
                continue
            steps.append(step)
        return Spooled(conversation, tuple(steps), file, content)

    def still(self, spooled: Spooled) -> bool:
        """Whether the file holds just what was read: nothing was erased, stored or added since."""
        try:
            return spooled.file.read_bytes() == spooled.content
        except FileNotFoundError:
            return False

    def done(self, spooled: Spooled) -> bool:
        """Take out the lines that were read; whether nothing is left. Raises `OSError`."""
        with self._locked(spooled.conversation, spooled.file) as descriptor:
            now = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
            rest = now.removeprefix(spooled.content)
            if rest:
                if len(rest) < len(now):
                    self._replace(spooled.file, rest)
                return False
            spooled.file.unlink(missing_ok=True)
            return True

    def _drop_empty(self, conversation: str, size: int) -> None:
        """Under the lock: an empty file would look like something that waits."""
        if size == 0:
            self._file(conversation).unlink(missing_ok=True)

    def _replace(self, file: Path, content: bytes) -> None:
        fresh = file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(file)
        self._sync_folder()

    def _file(self, conversation: str) -> Path:
        # An id may hold characters that a file name must not.
        name = hashlib.sha256(conversation.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return self._folder / f"{name}{ENDING}"

    @contextlib.contextmanager
    def _locked(self, conversation: str, file: Path | None = None) -> Iterator[int]:
        """The file of a conversation, made if need be, for this process alone."""
        file = file or self._file(conversation)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                _lock(descriptor, fcntl.LOCK_EX)
                if _is(descriptor, file):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _lock(descriptor: int, kind: int) -> None:
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.005)
        else:
            return


def _is(descriptor: int, file: Path) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.fstat(descriptor).st_ino == file.stat().st_ino
    except FileNotFoundError:
        return False


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _line(conversation: str, step: Step) -> bytes:
    kept: dict[str, Any] = {"conversation": conversation}
    if isinstance(step, Erase):
        kept["erase"] = step.wish
    else:
        kept["known"] = [step.known.database, step.known.last] if step.known else None
        kept["rows"] = [list(row) for row in step.rows]
    return json.dumps(kept).encode() + b"\n"


def _step(line: bytes) -> tuple[str, Step]:
    kept = json.loads(line)
    if kept.get("erase"):
        return str(kept["conversation"]), Erase(str(kept["erase"]))
    known = Known(*kept["known"]) if kept["known"] else None
    return str(kept["conversation"]), Turn(tuple(Row(*row) for row in kept["rows"]), known)
