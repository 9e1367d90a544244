"""Searches the whole answer space of the triage tables for a case that breaks a promise.

Two exact searches: properties of the rows over every combination of values (`rows`), and
properties of the conversation over every sequence of questions and answers (`conversations`).
"""

from __future__ import annotations

from ebb.knowledge.triage import Tables
from ebb.triage.proofs.conversations import prove_conversations
from ebb.triage.proofs.report import Failure, Proof, Report
from ebb.triage.proofs.rows import prove_rows
from ebb.triage.proofs.walk import lengths, plausible_lengths

__all__ = [
    "Failure",
    "Proof",
    "Report",
    "lengths",
    "plausible_lengths",
    "prove",
    "prove_conversations",
    "prove_rows",
]


def prove(tables: Tables) -> Report:
    """Every proof, with a counter-example for each failure."""
    conversations, lengths = prove_conversations(tables)
    return Report((*prove_rows(tables), *conversations), lengths, plausible_lengths(tables))
