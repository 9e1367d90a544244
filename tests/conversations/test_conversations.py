"""Every scenario of the YAML files here, through the trained model with the real actions."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ebb.assistant.terminal import Talk

sys.path.insert(0, str(Path(__file__).parent))
from scenario import Run

HERE = Path(__file__).parent
SCENARIOS = [
    pytest.param(scenario, id=f"{file.stem}: {scenario['scenario']}")
    for file in sorted(HERE.glob("*.yml"))
    for scenario in yaml.safe_load(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_conversation(
    scenario: dict[str, Any], talk: Talk, loop: asyncio.AbstractEventLoop
) -> None:
    run = Run(talk, scenario)
    problems = loop.run_until_complete(run.all())
    assert not problems, "\n".join([*problems, *run.log])
