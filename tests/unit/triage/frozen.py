"""Cases of rows and where each one ends today, kept in frozen_cases.yml.

A case is told at once, every question after that gets its usual answer. Run this file to write the
cases anew after a change that was meant: the difference shows every case that ends elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ebb.knowledge import triage
from ebb.knowledge.triage import Case, Row, Tables
from ebb.triage.engine import move, understood
from ebb.types import Outcome

FILE = Path(__file__).parent / "frozen_cases.yml"
TRIAGE = Path(__file__).parents[3] / "knowledge" / "triage"
MOST = 20
"""More questions than any conversation takes: a table that asks on and on is stopped."""
HEAD = """# Where the cases of the rows end, if every further question gets its usual answer.
# When a row changes on purpose, run `python tests/unit/triage/frozen.py` and read the difference.
"""


@dataclass(frozen=True, slots=True)
class Frozen:
    """Findings that were told, the table in play, and the outcome that they end in."""

    table: str
    said: Case
    ends: str


def ends(tables: Tables, table: str, said: Mapping[str, str]) -> str:
    """The outcome, or `asks <finding>` where the questions never end."""
    known = understood(tables, said)
    found: Outcome | str = ""
    for _ in range(MOST):
        found = move(tables, known, (table,))
        if isinstance(found, Outcome):
            return found.id
        question = tables.questions.get(found)
        if question is None:
            break
        known = understood(tables, {**known, found: question.usual})
    return f"asks {found}"


def boundaries(tables: Tables, row: Row) -> Iterator[Case]:
    """The first example of a row with one finding changed, to each value that it may have."""
    example = row.match[0]
    for finding in row.when:
        for value in sorted(tables.domain[finding]):
            yield {**example, finding: value}


def cases(tables: Tables) -> Iterator[tuple[str, Case]]:
    """Every example and boundary case of every row, once, with its table."""
    seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    for table in tables.tables:
        for row in table.rows:
            for case in (*row.match, *row.no_match, *boundaries(tables, row)):
                key = (table.id, frozenset(case.items()))
                if key not in seen:
                    seen.add(key)
                    yield table.id, case


def frozen() -> tuple[Frozen, ...]:
    """The cases as they are kept."""
    kept = yaml.safe_load(FILE.read_text(encoding="utf-8"))["cases"]
    return tuple(Frozen(one["table"], one["said"], one["ends"]) for one in kept)


def write(tables: Tables) -> None:
    """Write all cases anew."""
    lines = []
    for table, case in cases(tables):
        said = ", ".join(
            f'{f}: "{v}"' if v in ("yes", "no") else f"{f}: {v}" for f, v in case.items()
        )
        lines.append(
            f"  - {{table: {table}, ends: {ends(tables, table, case)}, said: {{{said}}}}}\n"
        )
    FILE.write_text(HEAD + "cases:\n" + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    write(triage.load(TRIAGE))
