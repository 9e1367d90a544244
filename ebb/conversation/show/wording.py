"""Finds the texts that still tell an old threshold: nothing ties words to numbers but people."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from ebb.knowledge.everything import Knowledge
from ebb.knowledge.findings import FindingRule


def still_says(before: Knowledge, after: Knowledge, folder: Path) -> Iterator[str]:
    """Lines of the content in `folder`, as "file:line: text", that name a bound which moved.

    A bound of 11.9 hours is looked for as "11 hours" and "12 hours", in digits and in words.
    """
    found = [
        pattern
        for name, rule in before.findings.findings.items()
        if (pattern := _moved(rule, after.findings.findings.get(name), before)) is not None
    ]
    if not found:
        return
    for file in sorted(folder.rglob("*.yml")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if any(pattern.search(line) for pattern in found):
                yield f"{file.relative_to(folder.parent).as_posix()}:{number}: {line.strip()}"


def _moved(was: FindingRule, is_: FindingRule | None, before: Knowledge) -> re.Pattern[str] | None:
    if was.quantity is None:
        return None
    kept = {band.to for band in is_.quantity.bands} if is_ and is_.quantity else set()
    gone = [band.to for band in was.quantity.bands if band.to is not None and band.to not in kept]
    if not gone:
        return None
    amounts = {number for bound in gone for number in (bound, math.floor(bound), math.ceil(bound))}
    words = {f"{amount:g}" for amount in amounts}
    words |= {w for w, number in before.language.numbers.words.items() if number in amounts}
    unit = re.escape(was.quantity.unit.removesuffix("s"))
    either = "|".join(map(re.escape, sorted(words)))
    return re.compile(rf"\b(?:{either})(?: ?°|[ -]{unit}s?\b)", re.IGNORECASE)
