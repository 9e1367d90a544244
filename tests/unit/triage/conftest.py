"""The real knowledge/triage, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.knowledge import triage
from ebb.knowledge.triage import Tables

TRIAGE = Path(__file__).parents[3] / "knowledge" / "triage"


@pytest.fixture(scope="session")
def real() -> Tables:
    return triage.load(TRIAGE)
