"""Prints tables, questions and outcomes as a clinician would read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ebb.knowledge.everything import load
from ebb.knowledge.triage import Conditions, Row, Table, Tables


def show(what: str | None = None) -> Iterator[str]:
    """Lines for the table `what`, or for all tables. Raises `LookupError` if there is no such."""
    tables = load().triage
    chosen = [table for table in tables.tables if what in (None, table.id)]
    if not chosen:
        names = ", ".join(table.id for table in tables.tables)
        raise LookupError(f"there is no table {what!r}. There are: {names}")
    for table in chosen:
        yield from _table(table, tables)


def _table(table: Table, tables: Tables) -> Iterator[str]:
    yield f"TABLE {table.id}: {table.asks}"
    yield ""
    yield "  Opens when any of these holds:"
    for alternative in table.opens_when:
        yield f"    - {_conditions(alternative)}"
    yield ""
    yield "  Questions, in this order, and only those that can still change the result:"
    for finding in table.inputs:
        question = tables.questions[finding]
        yield f"    {finding}: {question.ask}"
        yield f"      answers: {', '.join(f'{b.title} ({b.value})' for b in question.buttons)}"
    yield ""
    yield "  Rows, most urgent first:"
    for row in sorted(table.rows, key=lambda row: row.rank):
        yield from _row(row, tables)
    yield f"  Otherwise: {table.otherwise} ({tables.outcomes[table.otherwise].level.value})"
    yield ""


def _row(row: Row, tables: Tables) -> Iterator[str]:
    outcome = tables.outcomes[row.outcome]
    yield f"    [{row.level.value}] {row.id} -> {row.outcome}"
    yield f"      when:    {_conditions(row.when)}"
    if row.not_if:
        yield f"      not if:  {_conditions(row.not_if)}"
    yield f"      reason:  {row.reason}"
    yield f"      told:    {outcome.heading} | {outcome.fits}"
    yield f"      sources: {', '.join(row.sources)}"
    yield f"      signed:  {outcome.reviewed_by or 'nobody yet'}"
    yield ""


def _conditions(conditions: Conditions | Mapping[str, frozenset[str]]) -> str:
    return "; ".join(
        f"{name} is {' or '.join(sorted(values))}" for name, values in conditions.items()
    )
