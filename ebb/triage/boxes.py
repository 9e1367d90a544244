"""Sets of cases as boxes, and the search for a case that a list of boxes leaves out.

A box allows, for each finding it names, a set of values, `UNKNOWN` included where it may be
unknown; findings that it does not name may have any value. The search splits boxes instead of
enumerating cases, so that it is exact over the whole answer space and still fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from ebb.knowledge.triage import Conditions, Row, Tables

UNKNOWN = "unknown"
"""Stands for a finding that is not there."""

Box: TypeAlias = Mapping[str, frozenset[str]]


class Space:
    """All combinations of values of the findings that `tables` knows."""

    def __init__(self, tables: Tables) -> None:
        self._all = {
            finding: frozenset(values | {UNKNOWN}) for finding, values in tables.domain.items()
        }

    def all(self, finding: str) -> frozenset[str]:
        """Every value of `finding`, unknown included."""
        return self._all.get(finding, frozenset({UNKNOWN}))

    def row(self, row: Row) -> Box:
        """The cases in which `row` matches."""
        box = dict(row.when)
        for finding, values in row.not_if.items():
            box[finding] = box.get(finding, self.all(finding)) - values
        return box

    def both(self, first: Box, second: Box) -> Box | None:
        """The cases that are in both boxes; None where there is none."""
        box = dict(first)
        for finding, values in second.items():
            box[finding] = box.get(finding, self.all(finding)) & values
            if not box[finding]:
                return None
        return box

    def matching(
        self, rows: Iterable[Row], openers: Mapping[str, Sequence[Conditions]]
    ) -> list[Box]:
        """The cases in which a row matches and what she said opens its table by itself."""
        boxes = (self.both(self.row(row), opener) for row in rows for opener in openers[row.table])
        return [box for box in boxes if box is not None]

    def left_out(self, box: Box, covers: Sequence[Box]) -> dict[str, str] | None:
        """A case of `box` that is in none of `covers`, or None if they cover all of it."""
        if not all(box.values()):
            return None
        touching = [cover for cover in covers if self.both(box, cover) is not None]
        if not touching:
            return self._case(box)
        cover = min(touching, key=lambda cover: self._splits(box, cover))
        rest = [other for other in touching if other is not cover]
        inside = dict(box)
        for finding, values in cover.items():
            here = inside.get(finding, self.all(finding))
            if outside := here - values:
                found = self.left_out({**inside, finding: outside}, rest)
                if found is not None:
                    return found
                inside[finding] = here & values
        return None

    def _splits(self, box: Box, cover: Box) -> int:
        return sum(
            not box.get(finding, self.all(finding)) <= values for finding, values in cover.items()
        )

    def _case(self, box: Box) -> dict[str, str]:
        return {
            finding: min(values) for finding, values in sorted(box.items()) if UNKNOWN not in values
        }
