"""Trains the model with Rasa, and knows when that is due."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ebb.conversation.core import core
from ebb.knowledge.places import PROJECT, digest

STAMP = PROJECT / "models" / ".trained-on"
KEEP = 3


def train_model(*, only_if_changed: bool) -> int:
    """Train; returns an exit code. Says what it does on standard output."""
    now = _inputs()
    if only_if_changed and _trained_on() == now and any((PROJECT / "models").glob("*.tar.gz")):
        print("The model is up to date.")
        return 0
    print("Training (about half a minute) ...", flush=True)
    started = time.monotonic()
    import rasa

    result = rasa.train(
        domain=str(PROJECT / "domain.yml"),
        config=str(PROJECT / "config.yml"),
        training_files=str(PROJECT / "data"),
        output=str(PROJECT / "models"),
        force_training=True,
        fixed_model_name=f"ebb-{now}",
        # Gluing stories together teaches nothing that the rules do not know, and takes time.
        core_additional_arguments={"augmentation_factor": 0},
    )
    if result.code or not result.model:
        print("ebb: training failed; see the messages above", file=sys.stderr)
        return 1
    STAMP.write_text(now, encoding="utf-8")
    _remove_old()
    core().warm()
    print(f"Trained in {time.monotonic() - started:.0f} s.")
    return 0


def _inputs() -> str:
    """A hash of everything that the model is made from."""
    code = [PROJECT / "ebb" / part for part in ("text", "findings", "assistant/intent_model.py")]
    return digest(
        PROJECT / "data",
        PROJECT / "domain.yml",
        PROJECT / "config.yml",
        PROJECT / "knowledge" / "language",
        PROJECT / "knowledge" / "findings",
        *code,
    )


def _trained_on() -> str | None:
    return STAMP.read_text(encoding="utf-8").strip() if STAMP.exists() else None


def _remove_old() -> None:
    models = sorted((PROJECT / "models").glob("ebb-*.tar.gz"), key=_age)
    for model in models[:-KEEP]:
        model.unlink()


def _age(file: Path) -> float:
    return file.stat().st_mtime
