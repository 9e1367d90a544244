"""Recall and false alarms of `Safety.assess` on labelled messages, with 95 % Wilson intervals.

    python benchmarks/crisis_table.py messages.jsonl [--misses] [--speed]

The file may also be named by the environment variable EBB_CRISIS_DEV. One JSON object a line:
`set` is positive, hard_negative or neutral; positives have `tier` (explicit, implicit, means) and
`core` (explicit and first person), hard negatives a `stratum`. No such file belongs to this
project. CONTENT WARNING: `--misses` prints messages about suicide and harm.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ebb.knowledge import crisis, language
from ebb.safety import Safety
from ebb.text import Reader
from ebb.types import Assessment, Tier

KNOWLEDGE = Path(__file__).resolve().parent.parent / "knowledge"
Judged = tuple[dict[str, Any], Assessment]


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share; (0, 1) where there is nothing to judge."""
    if of == 0:
        return 0.0, 1.0
    share, square = hits / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def safety(knowledge: Path = KNOWLEDGE) -> Safety:
    """The assessor over the knowledge of this checkout."""
    reader = Reader(language.load(knowledge / "language"))
    return Safety(crisis.load(knowledge / "crisis"), reader)


def strata(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    """Named parts of the set, the positives first."""

    def part(test: Callable[[dict[str, Any]], bool]) -> list[Judged]:
        return [(row, found) for row, found in judged if test(row)]

    yield "positive: explicit, core", part(lambda r: r["set"] == "positive" and bool(r.get("core")))
    for tier in ("explicit", "implicit", "means"):
        yield (
            f"positive: {tier}",
            part(lambda r, t=tier: r["set"] == "positive" and r.get("tier") == t),  # type: ignore[misc]
        )
    yield "hard negatives", part(lambda r: r["set"] == "hard_negative")
    for name in sorted({r.get("stratum") or "" for r, _ in judged if r["set"] == "hard_negative"}):
        yield (
            f"hard negative: {name}",
            part(lambda r, n=name: r["set"] == "hard_negative" and (r.get("stratum") or "") == n),  # type: ignore[misc]
        )
    yield "neutral", part(lambda r: r["set"] == "neutral")


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """Lines of the table: share at any tier, and at urgent or emergency."""
    yield f"{'stratum':38} {'n':>5}  {'any tier':>24}  {'urgent or emergency':>24}"
    for name, part in strata(judged):
        if not part:
            continue
        cells = []
        for least in (Tier.CHECK, Tier.URGENT):
            hits = sum(found.tier.rank >= least.rank for _, found in part)
            low, high = wilson(hits, len(part))
            cells.append(f"{hits / len(part):7.2%} [{low:6.2%}, {high:6.2%}]")
        yield f"{name:38} {len(part):>5}  {cells[0]:>24}  {cells[1]:>24}"


def misses(judged: Sequence[Judged]) -> Iterator[str]:
    """Every message that the targets count against us."""
    for row, found in judged:
        rank = found.tier.rank
        if row["set"] == "positive":
            least = Tier.URGENT if row.get("core") else Tier.CHECK
            if rank >= least.rank:
                continue
        elif rank < (Tier.CHECK.rank if row["set"] == "neutral" else Tier.URGENT.rank):
            continue
        at = [row["text"][span.start : span.end] for span in found.spans]
        kind = row.get("tier") or row.get("stratum") or ""
        yield f"{row['set']} {kind} {row['id']} -> {found.tier.value} {found.rules} {at}"
        yield f"    {row['text']}"


def speed(assess: Callable[[str], Assessment], texts: Sequence[str]) -> str:
    """Messages a second on one core, with nothing cached beforehand but the compiled rules."""
    begun = time.perf_counter()
    for text in texts:
        assess(text)
    seconds = time.perf_counter() - begun
    return f"{len(texts) / seconds:,.0f} messages a second over {len(texts):,} messages"


def main(arguments: Sequence[str] | None = None) -> int:
    """The table on standard output; 2 where no file is named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("file", nargs="?", default=os.environ.get("EBB_CRISIS_DEV"))
    parser.add_argument("--misses", action="store_true", help="print what went wrong")
    parser.add_argument("--speed", action="store_true", help="measure the speed as well")
    options = parser.parse_args(arguments)
    if not options.file:
        print("name a file, or set EBB_CRISIS_DEV", file=sys.stderr)
        return 2
    rows = [json.loads(line) for line in Path(options.file).read_text("utf-8").splitlines() if line]
    judge = safety()
    judge.warm()
    if options.speed:
        neutral = [row["text"] for row in rows if row["set"] == "neutral"]
        print("neutral messages:", speed(judge.assess, neutral))
        print("all messages:    ", speed(judge.assess, [row["text"] for row in rows]))
    judged = [(row, judge.assess(row["text"])) for row in rows]
    print(*table(judged), sep="\n")
    if options.misses:
        print(*misses(judged), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
