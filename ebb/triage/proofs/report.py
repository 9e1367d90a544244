"""What a proof says: which property, how it was proved, over how many cases, and what breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """All proofs, and how many questions conversations take.

    `lengths` tells of how many ways in the longest conversation has so many questions; `plausible`
    gives by intent the share of plausible conversations with so many.
    """

    proofs: tuple[Proof, ...]
    lengths: Mapping[int, int]
    plausible: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every counter-example; empty if all properties hold."""
        return tuple(failure for proof in self.proofs for failure in proof.failures)

    @property
    def histogram(self) -> dict[int, float]:
        """Number of questions to share of plausible conversations, each intent counting alike."""
        shares: dict[int, float] = {}
        for spread in self.plausible.values():
            for count, share in spread.items():
                shares[count] = shares.get(count, 0.0) + share / len(self.plausible)
        return dict(sorted(shares.items()))

    @property
    def average(self) -> float:
        """How many questions a plausible conversation takes on average."""
        return sum(count * share for count, share in self.histogram.items())
