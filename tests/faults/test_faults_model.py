"""A model file missing, cut short, not a model, or of another version; put right while it runs."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
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


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "model missing": (missing, "there is no trained model"),
    "model cut short": (cut_short, "damaged"),
    "model file empty": (empty, "damaged"),
    "model file is no model": (no_model, "damaged"),
    "model of another version": (other_version, "another version"),
}
"""What is done to the model, and what the server says is wrong with it."""


@pytest.mark.parametrize("first", ["model missing", "model of another version"])
async def test_models_that_cannot_be_used(first: str, trial: NewTrial, tmp_path: Path) -> None:
    """The server starts with the first of them, gets the others while it runs, then a good one."""
    project = make_project(tmp_path / "project", models=False)
    model = copy_model(project)
    whole = Path(shutil.copy(model, tmp_path / "whole"))
    others = [fault for fault in DAMAGES if fault != first]
    order = [first, *(others if first == "model missing" else ())]
    server = Server(project, EBB_TURN_SECONDS=str(TURN_SECONDS))
    way = OverHttp(server, f"sqlite:///{database(project)}")
    cases = []
    with running(server):
        for fault in order:
            damage, problem = DAMAGES[fault]
            damaged = Path(shutil.copy(whole, tmp_path / "damaged"))
            damage(damaged)
            model.unlink(missing_ok=True)
            if damaged.exists():
                damaged.replace(model)
            if fault == first:
                server.start(ready=False)
                wait_for(lambda: listens(server.port) or not server.runs, "it did not start")
                assert server.runs, server.log[-2000:]
            wait_for(partial(says, server, problem), problem)
            case = trial(fault, way)
            await case.through(PLAIN, REPORT)
            assert case.honest, "without a model nothing but a crisis can be answered"
            cases.append(case)
        assert not server.ready, "a server without a model must not say that it is ready"
        assert "make train" in " ".join(server.said) + server.log
        new = Path(shutil.copy(whole, tmp_path / "new"))
        new.replace(model)
        for case in cases:
            await case.heals()
            await case.finish()


def says(server: Server, problem: str) -> bool:
    """Whether whoever watches the server is told of this problem."""
    return problem in health(server)["model"]


def health(server: Server) -> dict[str, str]:
    """What GET /health answers, whatever its status."""
    try:
        with urllib.request.urlopen(f"{server.address}/health", timeout=10) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    found: dict[str, str] = json.loads(body)
    return found
