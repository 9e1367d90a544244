"""The matrix of faults and outcomes: printed at the end, and written into docs/safety.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

START, END = "<!-- matrix -->", "<!-- /matrix -->"
HEAD = "| fault | crisis reply after | ordinary messages | after the fault |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Row:
    """One fault. `crisis` is the slowest crisis reply in seconds, infinite if one did not come.

    `answered` and `honest` count how ordinary messages were met while the fault lasted; `lost`
    her messages, and replies that she saw, that are not stored; `doubled` what is stored twice.
    """

    fault: str
    crisis: float
    answered: int
    honest: int
    lost: int
    doubled: int
    passed: bool

    def with_another(self, row: Row) -> Row:
        """This row and that of another conversation through the same fault."""
        return Row(
            self.fault,
            max(self.crisis, row.crisis),
            self.answered + row.answered,
            self.honest + row.honest,
            self.lost + row.lost,
            self.doubled + row.doubled,
            self.passed and row.passed,
        )

    def cells(self) -> tuple[str, str, str, str]:
        """As the table shows it."""
        crisis = "never" if self.crisis == float("inf") else f"{self.crisis:.2f} s"
        met = [f"{self.answered} answered"] if self.answered else []
        met += [f"{self.honest} honest line"] if self.honest else []
        after = f"lost {self.lost}, doubled {self.doubled}"
        return (
            self.fault,
            crisis,
            ", ".join(met) or "none sent",
            after if self.passed else f"{after} **failed**",
        )


@dataclass(slots=True)
class Matrix:
    """All rows of a run, in the order of the tests."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Keep a row; several conversations through one fault make one row."""
        self.rows = [old.with_another(row) if old.fault == row.fault else old for old in self.rows]
        if all(old.fault != row.fault for old in self.rows):
            self.rows.append(row)

    def markdown(self) -> str:
        """The table."""
        lines = ["| " + " | ".join(row.cells()) + " |" for row in self.rows]
        return "\n".join([HEAD, *lines])

    def write(self, file: Path) -> None:
        """Put the table between the two marks of `file`, made if it is not there."""
        text = file.read_text(encoding="utf-8") if file.exists() else "# Safety\n"
        if START not in text:
            text += f"\n## What was broken on purpose\n{START}\n{END}\n"
        before, _, rest = text.partition(START)
        _, _, after = rest.partition(END)
        table = f"{START}\n{self.markdown()}\n{END}"
        file.write_text(f"{before}{table}{after}", encoding="utf-8")
