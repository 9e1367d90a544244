"""The command line: JSON Lines in and out, errors in place, help with an example."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

import pytest

COMMANDS = [
    ["serve"], ["chat"], ["assess"], ["understand"], ["triage"], ["replay"], ["erase"], ["train"],
    ["knowledge", "check"], ["knowledge", "prove"], ["knowledge", "show"],
]  # fmt: skip


def ebb(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ebb.cli", *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
    )


def lines(found: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.stdout.splitlines()]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    found = ebb(*command, "--help")
    assert found.returncode == 0
    assert "example" in found.stdout and "ebb " in found.stdout.partition("example")[2]


def test_no_command_is_an_error_on_standard_error() -> None:
    found = ebb()
    assert found.returncode == 2
    assert not found.stdout and "usage" in found.stderr


def test_assess_answers_each_line_in_order_errors_included() -> None:
    given = '{"text": "i want to die"}\nnot json\n{"text": 5}\n[]\n{"text": "my milk is slow"}\n'
    found = lines(ebb("assess", given=given))
    assert [one.get("tier") for one in found] == ["urgent", None, None, None, "none"]
    assert all("error" in found[i] for i in (1, 2, 3))
    start, end = found[0]["spans"][0]
    assert "want to die" in "i want to die"[start:end]


def test_assess_reads_an_answer_to_a_safety_question() -> None:
    recent = [{"by": "bot", "text": "Are you thinking about it?", "asked": "safety.now"}]
    given = json.dumps({"text": "yes", "recent": recent}) + "\n"
    (found,) = lines(ebb("assess", given=given))
    assert found["tier"] in ("urgent", "emergency")


@pytest.mark.parametrize("recent", ['"x"', "[1]", '[{"by": "nobody", "text": "x"}]'])
def test_a_wrong_recent_is_a_clear_error(recent: str) -> None:
    (found,) = lines(ebb("assess", given=f'{{"text": "hi", "recent": {recent}}}\n'))
    assert "recent" in found["error"]


def test_triage_asks_and_concludes_with_reasons_and_sources() -> None:
    done = {
        "feeling_at_letdown": "yes", "onset_relative_to_letdown": "before",
        "episode_length": "up_to_2_min", "mood_between_feeds": "fine",
        "thoughts_of_harm": "no", "strength": "mild", "closing_signs": "none",
    }  # fmt: skip
    given = '{"findings": {"feeling_at_letdown": "yes"}}\n' + json.dumps({"findings": done}) + "\n"
    asked, concluded = lines(ebb("triage", given=given))
    assert asked["done"] is False and asked["next"]
    assert concluded["outcome"] == "dmer_pattern" and concluded["level"] == "self_care"
    assert concluded["why"][0]["reason"] and concluded["why"][0]["sources"]


@pytest.mark.parametrize("given", ['{"findings": []}', '{"findings": {"a": 1}}', "{}", "null"])
def test_wrong_findings_are_a_clear_error(given: str) -> None:
    (found,) = lines(ebb("triage", given=given + "\n"))
    assert found["error"]


def test_a_finding_or_value_that_does_not_exist_counts_as_unknown() -> None:
    given = '{"findings": {"moon": "full", "strength": "purple"}}\n'
    (found,) = lines(ebb("triage", given=given))
    assert found["done"] is False


def test_the_content_has_no_errors_and_is_not_ready_for_release() -> None:
    found = ebb("knowledge", "check")
    assert found.returncode == 0, found.stderr
    release = ebb("knowledge", "check", "--release")
    assert release.returncode == 1
    assert "not signed off" in release.stderr and "was not checked" in release.stderr


def test_a_taken_port_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = ebb("serve", "--port", str(taken.getsockname()[1]))
    assert found.returncode == 1
    assert "cannot listen" in found.stderr and "--port" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_table_is_shown_in_plain_words() -> None:
    found = ebb("knowledge", "show", "feelings")
    assert "TABLE feelings" in found.stdout and "Rows, most urgent first" in found.stdout
    assert ebb("knowledge", "show", "moon").returncode == 1
