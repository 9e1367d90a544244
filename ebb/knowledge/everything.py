"""All of knowledge/ in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ebb.knowledge import (
    conversation,
    crisis,
    diary,
    findings,
    helplines,
    language,
    replies,
    screeners,
    service,
    sources,
    triage,
)
from ebb.knowledge.places import PROJECT, digest


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
    screeners: screeners.Screeners
    diary: diary.DiaryContent
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
        screeners=screeners.load(folder / "screeners"),
        diary=diary.load(folder / "diary.yml"),
        version=digest(folder),
    )
