"""The assessor over the knowledge of this checkout, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.knowledge import crisis, language
from ebb.knowledge.crisis import CrisisRules
from ebb.safety import Safety
from ebb.text import Reader

KNOWLEDGE = Path(__file__).resolve().parents[3] / "knowledge"


@pytest.fixture(scope="session")
def rules() -> CrisisRules:
    return crisis.load(KNOWLEDGE / "crisis")


@pytest.fixture(scope="session")
def safety(rules: CrisisRules) -> Safety:
    return Safety(rules, Reader(language.load(KNOWLEDGE / "language")))
