"""Loads and checks the YAML in knowledge/ into frozen objects."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ebb.knowledge import conversation, crisis, findings, helplines, language, replies, service, sources, triage

PROJECT = Path(os.environ.get("EBB_PROJECT") or Path(__file__).resolve().parents[2])
"""The folder that holds config.yml, knowledge/ and models/."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that clinicians edit."""

    language: language.Language
    crisis: crisis.CrisisRules
    findings: findings.FindingRules
    triage: triage.Tables
    replies: replies.Replies
    helplines: helplines.HelpLines
    service: service.Service
    sources: sources.Sources
    conversation: conversation.Joints
    version: str


@lru_cache(maxsize=4)
def load(folder: Path = PROJECT / "knowledge") -> Knowledge:
    """All of knowledge/. Raises `ContentError` at the first thing that is wrong."""
    return Knowledge(
        language=language.load(folder / "language"),
        crisis=crisis.load(folder / "crisis"),
        findings=findings.load(folder / "findings"),
        triage=triage.load(folder / "triage"),
        replies=replies.load(folder / "replies"),
        helplines=helplines.load(folder / "helplines"),
        service=service.load(folder / "service.yml"),
        sources=sources.load(folder / "sources.yml"),
        conversation=conversation.load(folder / "conversation.yml"),
        version=digest(folder),
    )


def digest(*places: Path) -> str:
    """A short hash of files, and of all YAML and Python files below folders."""
    found = hashlib.sha256()
    for place in places:
        inside = [*place.rglob("*.yml"), *place.rglob("*.py")] if place.is_dir() else [place]
        for file in sorted(inside):
            found.update(str(file.relative_to(place.parent)).encode())
            found.update(file.read_bytes())
    return found.hexdigest()[:16]
