"""The real knowledge/, loaded once, and a renderer over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.knowledge import helplines, replies, service, triage
from ebb.knowledge.helplines import HelpLines
from ebb.knowledge.replies import Replies
from ebb.knowledge.triage import Tables
from ebb.replies import Renderer

KNOWLEDGE = Path(__file__).parents[3] / "knowledge"


@pytest.fixture(scope="session")
def lines() -> HelpLines:
    return helplines.load(KNOWLEDGE / "helplines")


@pytest.fixture(scope="session")
def texts() -> Replies:
    return replies.load(KNOWLEDGE / "replies")


@pytest.fixture(scope="session")
def tables() -> Tables:
    return triage.load(KNOWLEDGE / "triage")


@pytest.fixture(scope="session")
def renderer(texts: Replies, lines: HelpLines, tables: Tables) -> Renderer:
    return Renderer(texts, lines, service.Service(), tables, say_back=_say_back)


def _say_back(finding: str, value: str) -> str | None:
    clauses = {("onset_relative_to_letdown", "before"): "it starts before the milk lets down"}
    return clauses.get((finding, value))
