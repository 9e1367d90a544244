"""What a proof says: which property, how it was proved, over how many cases, and what breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BOXES = "all combinations, by splitting boxes"
WALK = "every sequence of questions and answers"


@dataclass(frozen=True, slots=True)
class Failure:
    """A property that does not hold, where, and a case that shows it."""

    name: str
    where: str
    case: Mapping[str, str]

    @property
    def as_case(self) -> str:
        """The case as it can be pasted behind `match:` or `no_match:` of a row."""
        shown = ", ".join(f"{finding}: {value}" for finding, value in self.case.items())
        return f"- {{{shown}}}"

    def __str__(self) -> str:
        return f"{self.name}: {self.where}. Case: {self.as_case}"


@dataclass(frozen=True, slots=True)
class Proof:
    """One property: `how` it was proved, over how many `cases`, in how many `seconds`.

    Properties that one walk settles together share its time.
    """

    name: str
    how: str
    cases: int
    seconds: float
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All proofs, and how many questions conversations take: number of questions to of ways."""

    proofs: tuple[Proof, ...]
    lengths: Mapping[int, int]

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every counter-example; empty if all properties hold."""
        return tuple(failure for proof in self.proofs for failure in proof.failures)
