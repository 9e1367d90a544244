"""Findings to the next question, or to the outcome with its reasons."""

from __future__ import annotations

from ebb.triage.engine import holds, step, tables_in_play

__all__ = ["holds", "step", "tables_in_play"]
