"""A review in plain lines, and which proofs a change of the tables breaks or mends."""

from __future__ import annotations

from collections.abc import Iterator

from ebb.conversation.show.review import Review
from ebb.knowledge.triage import Tables
from ebb.triage.proofs import Report, prove

_SHOWN = 15
_OF_EACH = 3


def summary(found: Review) -> Iterator[str]:
    """What changed, and what follows from it, without the proofs."""
    if not found.files:
        yield "CHANGES: none. The content is what git has."
        return
    yield f"CHANGES: {len(found.changes)}, in {', '.join(name for name, _ in found.files)}"
    for change in found.changes:
        yield f"  {change.kind}: {change.id} {change.how}"
        for name in dict.fromkeys([*change.after, *change.before]):
            was, is_ = change.before.get(name, []), change.after.get(name, [])
            yield from (f"      {name}, before: {line}" for line in was if line not in is_)
            yield from (f"      {name}, now:    {line}" for line in is_ if line not in was)
            if sorted(was) == sorted(is_):
                yield f"      {name}: in another order, now: {', '.join(is_)}"
    if not found.changes:
        yield "  Nothing in tables, outcomes, questions or findings: only in the files named."
    yield from _listed("CASES that no longer hold", found.broken, "Mend the row, or its cases.")
    yield from _listed(
        f"CASES that end elsewhere than before (of {found.cases})",
        found.moved,
        "Is each of these what you want?",
    )
    yield from _listed(
        f"MESSAGES heard otherwise than before (of {found.messages} examples)",
        found.heard,
        "Is each of these what you want? Then change the example, too.",
    )
    if found.words:
        yield from _listed(
            "WORDS that may still tell the old threshold",
            found.words,
            "Nothing changes these by itself. Read each, and change it if it is about this.",
        )
    if found.sign:
        yield from _listed(
            "SIGNATURES that no longer hold, since the text changed",
            found.sign,
            "Set reviewed_by and review_due to null until it is signed again.",
        )


def proofs(old: Tables, new: Tables) -> tuple[list[str], int]:
    """Lines to read, and how many proofs fail that did not fail before."""
    if old == new:
        return ["PROOFS: the tables are what they were, so every proof ends as before."], 0
    now = prove(new)
    before = _failures(prove(old)) if now.failures else set()
    after = _failures(now)
    lines = [
        f"PROOFS: {sum(not proof.failures for proof in now.proofs)} of {len(now.proofs)} hold, "
        f"in {sum(proof.seconds for proof in now.proofs):.0f} s. Plausible conversations take "
        f"{now.average:.1f} questions."
    ]
    fresh = 0
    for proof in now.proofs:
        broken = [str(failure) for failure in proof.failures if str(failure) not in before]
        if broken:
            fresh += len(broken)
            lines.append(f"  BROKEN by this change: {proof.name} ({len(broken)} counter-examples)")
            lines += (f"    {line.removeprefix(f'{proof.name}: ')}" for line in broken[:_OF_EACH])
    if standing := len(after & before):
        lines.append(f"  {standing} counter-examples were there before this change.")
    if gone := len(before - after):
        lines.append(f"  {gone} counter-examples are gone.")
    return lines, fresh


def _failures(report: Report) -> set[str]:
    return {str(failure) for failure in report.failures}


def _listed(title: str, items: list[str] | tuple[str, ...], hint: str) -> Iterator[str]:
    yield f"{title}: {len(items) or 'none'}"
    for item in items[:_SHOWN]:
        yield f"    {item}"
    if len(items) > _SHOWN:
        yield f"    ... and {len(items) - _SHOWN} more"
    if items:
        yield f"  {hint}"
