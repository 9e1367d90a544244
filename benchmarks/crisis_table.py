"""Recall and false alarms of `Safety.assess` on labelled messages, with 95 % Wilson intervals.

    python benchmarks/crisis_table.py messages.jsonl [--misses] [--speed] [--obfuscated]
        [--rules-only]

The file may also be named by the environment variable EBB_CRISIS_DEV. One JSON object a line:
`text`, and `set`: positive, hard_negative or neutral. Optional: positives have `tier` (explicit,
implicit, means), `cat` (SI, SH, OD, PSY, HTO ...), `core` (explicit and first person) and
`perinatal`; hard negatives a `stratum`. No such file belongs to this project.
CONTENT WARNING: `--misses` prints messages about suicide and harm.
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
from random import Random
from typing import Any

from ebb.knowledge import crisis, language
from ebb.safety import Safety
from ebb.text import Reader
from ebb.types import Assessment, Tier

KNOWLEDGE = Path(__file__).resolve().parent.parent / "knowledge"
_URGENT = Tier.URGENT.rank
Judged = tuple[dict[str, Any], Assessment]


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share; (0, 1) where there is nothing to judge."""
    if of == 0:
        return 0.0, 1.0
    share, square = hits / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def safety(knowledge: Path = KNOWLEDGE, *, veiled: bool = True) -> Safety:
    """The assessor over the knowledge of this checkout, with or without the model of hints."""
    reader = Reader(language.load(knowledge / "language"))
    return Safety(crisis.load(knowledge / "crisis"), reader, veiled=veiled)


def strata(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    """Named parts of the set, the positives first."""

    def part(test: Callable[[dict[str, Any]], bool]) -> list[Judged]:
        return [(row, found) for row, found in judged if test(row)]

    positive = [(row, found) for row, found in judged if row["set"] == "positive"]
    yield "positive: explicit, core", [one for one in positive if one[0].get("core")]
    for tier in ("explicit", "implicit", "means"):
        of_tier = [one for one in positive if one[0].get("tier") == tier]
        yield f"positive: {tier}", of_tier
        for name in sorted({row.get("cat") or "" for row, _ in of_tier} - {""}):
            yield f"  {tier}, {name}", [one for one in of_tier if one[0].get("cat") == name]
    yield "positive: perinatal", [one for one in positive if one[0].get("perinatal")]
    for name in sorted({row.get("stratum") or "" for row, _ in positive} - {""}):
        yield f"  {name}", [one for one in positive if one[0].get("stratum") == name]
    yield "hard negatives", part(lambda row: row["set"] == "hard_negative")
    hard = [(row, found) for row, found in judged if row["set"] == "hard_negative"]
    for name in sorted({row.get("stratum") or "" for row, _ in hard} - {""}):
        yield f"  {name}", [one for one in hard if one[0].get("stratum") == name]
    yield "neutral", part(lambda row: row["set"] == "neutral")


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """Lines of the table: share at any tier, and at urgent or emergency."""
    yield f"{'stratum':46} {'n':>5}  {'any tier':>24}  {'urgent or emergency':>24}"
    for name, part in strata(judged):
        if not part:
            continue
        cells = []
        for least in (Tier.CHECK, Tier.URGENT):
            hits = sum(found.tier.rank >= least.rank for _, found in part)
            low, high = wilson(hits, len(part))
            cells.append(f"{hits / len(part):7.2%} [{low:6.2%}, {high:6.2%}]")
        yield f"{name[:46]:46} {len(part):>5}  {cells[0]:>24}  {cells[1]:>24}"


# ---- the same messages, disguised


def _leet(text: str, _: Random) -> str:
    return text.translate(str.maketrans("aeio", "43!0"))


def _look_alikes(text: str, _: Random) -> str:
    return text.translate(str.maketrans("aeopc", "\u0430\u0435\u043e\u0440\u0441"))


def _zero_width(text: str, _: Random) -> str:
    return " ".join("\u200b".join(word) for word in text.split())


def _full_width(text: str, _: Random) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def _each(text: str, random: Random, change: Callable[[str, Random], str]) -> str:
    """`text` with `change` made to its two longest words of letters, the earlier of equals."""
    words = text.split(" ")
    plain = [at for at, word in enumerate(words) if word.isalpha() and len(word) > 3]
    for at in sorted(plain, key=lambda at: -len(words[at]))[:2]:
        words[at] = change(words[at], random)
    return " ".join(words)


def _separators(text: str, random: Random) -> str:
    return _each(text, random, lambda word, random: random.choice("-._*").join(word))


def _spacing(text: str, random: Random) -> str:
    return _each(text, random, lambda word, _: " ".join(word))


def _elongation(text: str, random: Random) -> str:
    return _each(text, random, lambda word, _: word[:-1] + word[-1] * 4)


def _emoji(text: str, _: Random) -> str:
    words = text.split(" ")
    return " ".join(word + (" \U0001f62d" if at % 3 == 2 else "") for at, word in enumerate(words))


def _shouting(text: str, _: Random) -> str:
    return text.upper().replace(" ", "  ") + "!!!!"


CHARACTER_TRICKS: dict[str, Callable[[str, Random], str]] = {
    "leet": _leet,
    "look-alike letters": _look_alikes,
    "zero-width signs": _zero_width,
    "full width": _full_width,
    "separators": _separators,
    "spacing": _spacing,
    "elongation": _elongation,
    "emoji": _emoji,
    "shouting": _shouting,
}
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _slip(word: str, random: Random) -> str:
    """`word` with one slip of the finger: a swap, a dropped, doubled or neighbouring letter."""
    at = random.randrange(len(word))
    match random.choice(("swap", "drop", "double", "neighbour")):
        case "swap":
            at = min(at, len(word) - 2)
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case "drop":
            return word[:at] + word[at + 1 :]
        case "double":
            return word[:at] + word[at] + word[at:]
        case _:
            row = next((keys for keys in _KEYS if word[at].lower() in keys), None)
            if row is None:
                return word
            beside = row.index(word[at].lower()) + random.choice((-1, 1))
            return word[:at] + row[max(0, min(beside, len(row) - 1))] + word[at + 1 :]


def _typo(text: str, random: Random) -> str:
    """`text` with slips in one or two of its words of three letters or more."""
    words = text.split(" ")
    plain = [at for at, word in enumerate(words) if word.isalpha() and len(word) > 2]
    for at in random.sample(plain, min(len(plain), random.choice((1, 2)))):
        words[at] = _slip(words[at], random)
    return " ".join(words)


def obfuscated(
    judged: Sequence[Judged], assess: Callable[[str], Assessment], rounds: int = 5
) -> Iterator[str]:
    """Lines: urgent or emergency on disguised explicit core messages, of those caught undisguised.

    Every trick is made to every message, typos `rounds` times; the same ones on every run.
    """
    clean = [row["text"] for row, found in judged if row.get("core") and found.tier.rank >= _URGENT]
    if not clean:
        return
    yield f"{'disguise, of ' + str(len(clean)) + ' caught undisguised':46} {'n':>5}"
    tricks = {**CHARACTER_TRICKS, "typos": _typo}
    total = [0, 0]
    for name, trick in tricks.items():
        random = Random(name)
        times = rounds if name == "typos" else 1
        texts = [trick(text, random) for _ in range(times) for text in clean]
        hits = sum(assess(text).tier.rank >= _URGENT for text in texts)
        if name == "typos":
            yield _share("all character tricks", *total)
        else:
            total = [total[0] + hits, total[1] + len(texts)]
        yield _share(f"  {name}" if name != "typos" else name, hits, len(texts))


def _share(name: str, hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{name[:46]:46} {of:>5}  {hits / of:7.2%} [{low:6.2%}, {high:6.2%}]"


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
        yield f"{row['set']} {kind} {row.get('id', '')} -> {found.tier.value} {found.rules} {at}"
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
    parser.add_argument("--obfuscated", action="store_true", help="disguise the explicit ones too")
    parser.add_argument("--rules-only", action="store_true", help="without the model of hints")
    options = parser.parse_args(arguments)
    if not options.file:
        print("name a file, or set EBB_CRISIS_DEV", file=sys.stderr)
        return 2
    rows = [json.loads(line) for line in Path(options.file).read_text("utf-8").splitlines() if line]
    judge = safety(veiled=not options.rules_only)
    judge.warm()
    if options.speed:
        neutral = [row["text"] for row in rows if row["set"] == "neutral"]
        print("neutral messages:", speed(judge.assess, neutral))
        print("all messages:    ", speed(judge.assess, [row["text"] for row in rows]))
    judged = []
    spent = []
    for row in rows:
        begun = time.perf_counter()
        judged.append((row, judge.assess(row["text"])))
        spent.append(time.perf_counter() - begun)
    print(f"{len(rows):,} messages, median {sorted(spent)[len(spent) // 2] * 1000:.3f} ms")
    print(*table(judged), sep="\n")
    if options.obfuscated:
        print(*obfuscated(judged, judge.assess), sep="\n")
    if options.misses:
        print(*misses(judged), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
