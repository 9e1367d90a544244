"""What is broken in a row at random is noticed; the whole run is `make mutants`."""

from __future__ import annotations

import pytest
from frozen import Frozen, ends, frozen
from mutants import KINDS, Catcher, mutants

TOPICS = frozenset({"feelings", "loss"})
COUNT, SEED = 20, 3


def test_every_frozen_case_ends_where_it_ended(real) -> None:
    moved = [(one, now) for one in frozen() if (now := ends(real, one.table, one.said)) != one.ends]
    assert moved == [], "meant? then run tests/unit/triage/frozen.py, and read the difference"


def test_twenty_broken_rows_are_noticed(real) -> None:
    tables = frozenset(table.id for table in real.tables if table.topic in TOPICS)
    catcher = Catcher(real, frozen())
    verdicts = [catcher.judge(mutant) for mutant in mutants(real, COUNT, SEED, tables)]
    assert len(verdicts) == COUNT
    assert {verdict.kind for verdict in verdicts} >= set(KINDS) - {"not_if dropped"}
    assert [verdict.mutant for verdict in verdicts if verdict.by is None] == []
    assert sum(verdict.by in ("cases", "proofs") for verdict in verdicts) > COUNT / 2


def test_without_cases_and_proofs_a_mutant_survives(real, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count of survivors would not stay zero by itself."""
    catcher = Catcher(real, ())
    monkeypatch.setattr(Catcher, "_cases", lambda self, mutant: False)
    monkeypatch.setattr(Catcher, "_proofs", lambda self, mutant: False)
    tables = frozenset(table.id for table in real.tables if table.topic in TOPICS)
    verdicts = [catcher.judge(mutant) for mutant in mutants(real, 8, SEED, tables)]
    assert any(verdict.by is None for verdict in verdicts)


def test_a_frozen_case_names_what_would_end_elsewhere(real) -> None:
    one = Frozen("feelings", {"thoughts_of_harm": "yes"}, "suicidal_thoughts")
    assert ends(real, one.table, one.said) == one.ends
