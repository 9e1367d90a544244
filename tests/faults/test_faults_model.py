"""A model file missing, cut short, not a model, or of another version; put right while it runs."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import NewTrial
from project import copy_model, database, make_project
from services import Server, listens, running, wait_for
from trial import PLAIN, REPORT, TURN_SECONDS, OverHttp


def missing(model: Path) -> None:
    model.unlink()


def cut_short(model: Path) -> None:
    os.truncate(model, model.stat().st_size // 2)


def empty(model: Path) -> None:
    os.truncate(model, 0)


def no_model(model: Path) -> None:
    model.write_bytes(b"this is no model")


def other_version(model: Path) -> None:
    """The same model, said to come from a Rasa that is too old to be compatible."""
    changed = model.with_suffix(".changed")
    with tarfile.open(model) as old, tarfile.open(changed, "w:gz") as new:
        for member in old:
            content = old.extractfile(member)
            if content is None:
                new.addfile(member)
                continue
            data = content.read()
            if member.name.endswith("metadata.json"):
                meta = json.loads(data)
                assert "rasa_open_source_version" in meta
                meta["rasa_open_source_version"] = "2.8.0"
                data = json.dumps(meta).encode()
                member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    changed.replace(model)


@pytest.mark.parametrize(
    ("fault", "damage"),
    [
        ("model missing at the start", missing),
        ("model cut short", cut_short),
        ("model file empty", empty),
        ("model file is no model", no_model),
        ("model of another version", other_version),
    ],
)
async def test_a_model_that_cannot_be_used(
    fault: str, damage: Callable[[Path], None], trial: NewTrial, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project", models=False)
    model = copy_model(project)
    whole = shutil.copy(model, tmp_path / "whole")
    damage(model)
    server = Server(project, EBB_TURN_SECONDS=str(TURN_SECONDS))
    with running(server):
        server.start(ready=False)
        wait_for(lambda: listens(server.port) or not server.runs, "the server did not start")
        assert server.runs, server.log[-2000:]
        assert not server.ready, "a server without a model must not say that it is ready"
        case = trial(fault, OverHttp(server, f"sqlite:///{database(project)}"))
        await case.through(PLAIN, REPORT)
        assert not case.answered or case.honest
        wait_for(lambda: bool(server.said), "nobody was told", 10)
        assert "make train" in " ".join(server.said) + server.log
        shutil.copy(whole, model)
        os.utime(model, (time.time(), time.time()))
        await case.heals()
        await case.finish()
