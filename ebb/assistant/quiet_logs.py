"""Keeps what people write out of logs, whatever library writes them.

Rasa, rasa-sdk, Sanic and SQLAlchemy put messages, slots and whole conversations into their log
lines, warnings and tracebacks. Once `install` was called, a record of theirs keeps its level, its
logger, the place in the code, and the kind of an error. Ebb's own lines stay as they are, without
tracebacks: they are written so that they hold no words of hers.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

OURS = ("ebb", "actions")
"""Packages whose log lines are kept."""
HARMLESS = ("sanic.root",)
"""Loggers of others that speak of the server only: workers and signals."""
NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
"""A structured event's name; anything else may hold words."""


def install() -> None:
    """Start; everything that this process logs from now on is covered. Can be called twice."""
    if getattr(logging.getLogRecordFactory(), "quiet", False):
        return
    factory = logging.getLogRecordFactory()

    def quiet(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return scrubbed(factory(*args, **kwargs))

    quiet.quiet = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(quiet)
    # In place: loggers that were made earlier keep this very list.
    processors = structlog.get_config()["processors"]
    if scrub_event not in processors:
        processors.insert(0, scrub_event)
        structlog.configure(processors=processors)
    warnings.showwarning = _show_warning
    sys.excepthook = _show_error
    threading.excepthook = _show_thread_error
    sys.unraisablehook = _show_unraisable


def scrubbed(record: logging.LogRecord) -> logging.LogRecord:
    """`record` without anything that may hold words of hers."""
    kind = _kind(record.exc_info)
    if _top(record.name) not in OURS and record.name not in HARMLESS:
        place = f"{Path(record.pathname).name}:{record.lineno}"
        record.msg, record.args = f"(text left out) at {place}", ()
    if kind:
        # What came so far is formatted first: a % in it must not be read as a placeholder.
        record.msg, record.args = f"{_message(record)} {kind}", ()
    record.exc_info = record.exc_text = record.stack_info = None
    return record


def scrub_event(_: Any, method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """A structlog processor: only the event's name and the kind of an error stay."""
    name = event.get("event")
    kept = name if isinstance(name, str) and NAME.fullmatch(name) else "(text left out)"
    error: Any = event.get("exc_info")
    if error is True or (method == "exception" and error is None):
        error = sys.exc_info()
    elif isinstance(error, BaseException):
        error = (type(error), error, error.__traceback__)
    # False, and not missing: a later processor would put the traceback of `exception` in.
    return {"event": f"{kept} {_kind(error)}".strip(), "exc_info": False}


def _top(name: str) -> str:
    return name.partition(".")[0]


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        return "(text left out)"


def _kind(error: Any) -> str:
    """The type of an error and where it was raised; empty if there is none."""
    if not isinstance(error, tuple) or error[0] is None:
        return ""
    frames = traceback.extract_tb(error[2])
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"[{error[0].__name__}{where}]"


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if not issubclass(category, DeprecationWarning | PendingDeprecationWarning | FutureWarning):
        print(f"warning: {category.__name__} at {Path(filename).name}:{lineno}", file=sys.stderr)


def _show_error(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Where it was raised, and what it is; not what it says."""
    print("".join(traceback.format_tb(trace)) + kind.__name__, file=sys.stderr)


def _show_thread_error(args: Any) -> None:
    if args.exc_type is not SystemExit:
        _show_error(args.exc_type, args.exc_value, args.exc_traceback)


def _show_unraisable(args: Any) -> None:
    _show_error(args.exc_type, args.exc_value, args.exc_traceback)
