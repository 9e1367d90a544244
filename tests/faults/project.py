"""A project folder below a test's own folder: the real content and model, but its own stores."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from ebb.knowledge.places import PROJECT

SHARED = ("knowledge", "data", "actions", "config.yml", "domain.yml")
STORE = "ebb.assistant.tracker_store.ConversationStore"
LOCKS = "ebb.assistant.locks.ConversationLocks"
DEAD = "http://127.0.0.1:1/webhook"
"""An address where nobody listens."""


def make_project(
    folder: Path,
    *,
    store: dict[str, Any] | None = None,
    locks: dict[str, Any] | None = None,
    actions: str = DEAD,
    action_seconds: float = 3.0,
    models: bool = True,
) -> Path:
    """Write a project into `folder`: by default with SQLite, and whose action server is dead.

    `store` and `locks` are options for endpoints.yml. `models` links the trained model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*SHARED, "models") if models else SHARED:
        if not (folder / name).exists():
            (folder / name).symlink_to(PROJECT / name)
    (folder / ".ebb").mkdir(exist_ok=True)
    spool = str(folder / ".ebb" / "spool" / "events")
    sqlite = {"dialect": "sqlite", "db": str(database(folder))}
    endpoints = {
        "action_endpoint": {"url": actions, "seconds": action_seconds},
        "nlg": {"type": "ebb.assistant.responses.Responses"},
        "tracker_store": {"type": STORE, "spool": spool, **(store or sqlite)},
        "lock_store": {"type": LOCKS, **(locks or {})},
    }
    (folder / "endpoints.yml").write_text(yaml.safe_dump(endpoints))
    channel = {"ebb.assistant.channels.rest.RestChannel": None}
    (folder / "credentials.yml").write_text(yaml.safe_dump(channel))
    return folder


def database(folder: Path) -> Path:
    """The SQLite file of a project."""
    return folder / ".ebb" / "conversations.db"


def crisis_record(folder: Path) -> Path:
    """The folder of the crisis record of a project."""
    return folder / ".ebb" / "spool"


def copy_model(folder: Path) -> Path:
    """A copy of the newest trained model in `folder`/models, to be damaged."""
    models = sorted((PROJECT / "models").glob("*.tar.gz"), key=lambda file: file.stat().st_mtime)
    (folder / "models").mkdir(exist_ok=True)
    return Path(shutil.copy(models[-1], folder / "models"))
