"""No log line, warning or traceback holds what somebody wrote."""

from __future__ import annotations

import io
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from ebb.assistant import quiet_logs

MARKER = "qwertzmarker"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """What a handler at the root writes at level DEBUG; all is put back afterwards."""
    before = (
        logging.getLogRecordFactory(),
        warnings.showwarning,
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        structlog.get_config(),
    )
    processors = list(before[5]["processors"])
    logging.setLogRecordFactory(logging.LogRecord)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    quiet_logs.install()
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(before[0])
    warnings.showwarning, sys.excepthook, threading.excepthook, sys.unraisablehook = before[1:5]
    structlog.configure(**{**before[5], "processors": processors})


def fails() -> None:
    raise RuntimeError(f"she said {MARKER}")


def test_a_library_keeps_its_level_its_name_and_the_place(out: io.StringIO) -> None:
    logging.getLogger("rasa.core.processor").warning("said %s", MARKER)
    logging.getLogger("rasa.core").debug(f"said {MARKER}")
    text = out.getvalue()
    assert "WARNING rasa.core.processor (text left out) at test_quiet_logs.py:" in text
    assert MARKER not in text


def test_a_traceback_is_the_kind_of_error_and_where(out: io.StringIO) -> None:
    try:
        fails()
    except RuntimeError:
        logging.getLogger("sanic.error").exception("while handling %s", MARKER)
        logging.getLogger("ebb.assistant").exception("our own line")
        logging.getLogger("ebb.assistant").error("100 %% sure", exc_info=True)
    text = out.getvalue()
    assert text.count("[RuntimeError at test_quiet_logs.py:") == 3
    assert "our own line" in text
    assert MARKER not in text


def test_our_own_lines_stay(out: io.StringIO) -> None:
    logging.getLogger("ebb.assistant.locks").warning("action %s failed: %s", "a", "KeyError")
    assert "WARNING ebb.assistant.locks action a failed: KeyError" in out.getvalue()


def test_a_name_that_only_begins_like_ours_is_not_ours(out: io.StringIO) -> None:
    logging.getLogger("ebbing").warning(MARKER)
    assert MARKER not in out.getvalue()


def test_a_broken_log_call_breaks_nothing(out: io.StringIO) -> None:
    try:
        fails()
    except RuntimeError:
        logging.getLogger("ebb").error("%s %s", MARKER, exc_info=True)
    assert "RuntimeError" in out.getvalue()
    assert MARKER not in out.getvalue()


@pytest.mark.parametrize("own_settings", [False, True])
def test_structured_logs_keep_their_name_only(
    out: io.StringIO, capsys: pytest.CaptureFixture[str], own_settings: bool
) -> None:
    if own_settings:  # the way `rasa run` sets it up, after us
        from rasa.utils.log_utils import configure_structlog

        configure_structlog(logging.DEBUG)
        logging.setLogRecordFactory(logging.LogRecord)
        quiet_logs.install()
    logger: Any = structlog.get_logger("rasa.test")
    logger.warning("processor.message.parse", parse_data_text=MARKER)
    logger.error(f"free words {MARKER}")
    try:
        fails()
    except RuntimeError as error:
        logger.exception("processor.failed", tracker=MARKER)
        logger.error("processor.failed", exc_info=error)
    text = out.getvalue() + "".join(capsys.readouterr())
    assert MARKER not in text
    assert "RuntimeError" in text or own_settings
    assert "processor.message.parse" in text or own_settings


def test_warnings_and_uncaught_errors_say_no_words(
    out: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    warnings.showwarning(UserWarning(MARKER), UserWarning, "/a/b.py", 3)
    try:
        fails()
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
        args = threading.ExceptHookArgs((type(error), error, error.__traceback__, None))
        threading.excepthook(args)
    text = "".join(capsys.readouterr())
    assert "UserWarning at b.py:3" in text
    assert text.count("RuntimeError") >= 2
    assert "in fails" in text
    assert MARKER not in text


def test_installing_twice_does_it_once(out: io.StringIO) -> None:
    factory = logging.getLogRecordFactory()
    quiet_logs.install()
    assert logging.getLogRecordFactory() is factory
