"""Trains the model of veiled danger on data/veiled and writes its weights.

    python -m ebb.safety.veiled_train [--dry-run]

In: data/veiled/*.txt (by category) and data/nlu/*.yml (ordinary talk). Out: veiled_weights.tsv, and
on standard output what five-fold cross-validation by batch reached, with 95 % intervals. Needs
scikit-learn; deterministic: the same data give the same file. CONTENT WARNING: the data.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ebb.knowledge import crisis, language
from ebb.safety.assess import Safety
from ebb.safety.veiled import RAISE, WEIGHTS, Veiled, write
from ebb.safety.veiled_features import digest, ends, scale, shown
from ebb.text import Reader, Text
from ebb.types import Tier

ROOT = Path(__file__).resolve().parents[2]
NONE = "none"
"""The label of ordinary talk."""
_REQUESTS = "ordinary_requests"
"""Files whose names begin so hold everyday requests: the hardest of what must stay quiet."""
_FOLDS, _BATCH = 5, 10
_UNIT = 100
"""One in the model's own unit is so much in the weights file."""
_COST, _KEPT, _KEPT_EACH, _SEEN_AT_LEAST = 0.3, 10500, 220, 2
_REQUEST_WEIGHT = 8.0
"""A request counts as so many messages: there are few, and they must stay quiet above all."""
_QUIET, _QUIET_REQUESTS, _QUIET_HARD = 0.0015, 0.015, 0.1
"""Shares that may be raised at most: of ordinary talk, of requests, of frightening words.

Our requests are chosen to be hard (long, cross, in the first person): one in 67 of them is about
one in 300 of those that people send.
"""
_OWN_WAY = re.compile(
    "report_(low_mood|intrusive_thoughts|birth_trauma|baby_loss|unsafe_home|anxiety|weaning_mood)"
)
"""Intents whose messages may be grave: they have their own way, and a safety question on it."""


@dataclass(frozen=True)
class Example:
    """A message, its label (`none` or a crisis category), and the batch that it was written in.

    `kind`: "danger", "hard" (safe words that frighten), "request", "talk", or "grave" (see above).
    """

    text: str
    label: str
    batch: str
    kind: str


# ---- reading the data


def examples(root: Path = ROOT) -> list[Example]:
    """All training messages, each once, in a fixed order."""
    found: dict[str, Example] = {}
    for example in (*_own(root / "data" / "veiled"), *_ordinary(root / "data" / "nlu")):
        found.setdefault(example.text.lower(), example)
    return list(found.values())


def _own(folder: Path) -> Iterator[Example]:
    for path in sorted(folder.glob("*.txt")):
        label, count = NONE, 0
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("## "):
                label = line[3:]
            elif line and not line.startswith("#"):
                kind = "danger" if label != NONE else "hard"
                if kind == "hard" and path.stem.startswith(_REQUESTS):
                    kind = "request"
                yield Example(line, label, f"{path.stem}/{count // _BATCH}", kind)
                count += 1


def _ordinary(folder: Path) -> Iterator[Example]:
    for path in sorted(folder.glob("*.yml")):
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            intent = item.get("intent")
            if not intent or intent == "crisis":
                continue
            kind = "grave" if _OWN_WAY.match(intent) else "talk"
            for count, line in enumerate(item["examples"].splitlines()):
                text = re.sub(r"\[([^]]*)\](\([^)]*\)|\{[^}]*\})", r"\1", line.strip()[2:])
                if text:
                    yield Example(text, NONE, f"{path.stem}/{intent}/{count // _BATCH}", kind)


def data_digest(root: Path = ROOT) -> str:
    """Changes when data/veiled does. (data/nlu is only the background of ordinary talk.)"""
    whole = hashlib.sha256()
    for path in sorted((root / "data" / "veiled").glob("*.txt")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:16]


# ---- fitting

Sections = dict[str, dict[str, int]]


def fit(texts: Sequence[Text], of: Sequence[Example]) -> Sections:
    """Weights by section: danger or not, and one for each category. Deterministic."""
    named = [sorted({name for name, _, _ in shown(ends(text.tokens))}) for text in texts]
    labels = [one.label for one in of]
    dangerous = [label != NONE for label in labels]
    counting = [_REQUEST_WEIGHT if one.kind == "request" else 1.0 for one in of]
    sections = {RAISE: _fit_one(named, dangerous, _KEPT, counting)}
    some = [index for index, danger in enumerate(dangerous) if danger]
    for category in sorted({labels[index] for index in some}):
        sections[category] = _fit_one(
            [named[index] for index in some],
            [labels[index] == category for index in some],
            _KEPT_EACH,
        )
    return sections


def _fit_one(
    named: Sequence[Sequence[str]],
    wanted: Sequence[bool],
    most: int,
    counting: Sequence[float] | None = None,
) -> dict[str, int]:
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    seen = Counter(name for names in named for name in names)
    kept = sorted(name for name, count in seen.items() if count >= _SEEN_AT_LEAST)
    columns = {name: column for column, name in enumerate(kept)}
    rows = [[columns[name] for name in names if name in columns] for names in named]
    values = [[scale(len(names))] * len(row) for names, row in zip(named, rows, strict=True)]
    matrix: Any = csr_matrix(
        (
            np.concatenate(values),
            np.concatenate([np.array(row, dtype=np.int32) for row in rows]),
            np.cumsum([0] + [len(row) for row in rows]),
        ),
        shape=(len(rows), len(kept)),
    )
    model = LogisticRegression(
        C=_COST,
        solver="liblinear",
        class_weight=None if counting else "balanced",
        random_state=0,
        tol=1e-3,
    ).fit(matrix, list(wanted), sample_weight=counting)
    weights = {name: round(_UNIT * float(model.coef_[0][at])) for name, at in columns.items()}
    strongest = sorted(weights, key=lambda name: (-abs(weights[name]), name))[:most]
    found = {name: weights[name] for name in strongest if weights[name]}
    found[""] = round(_UNIT * float(model.intercept_[0]))
    return found


# ---- judging


def out_of_fold(texts: Sequence[Text], all_examples: Sequence[Example]) -> list[tuple[int, str]]:
    """For each message its score above 0 and its category, by a model that never saw its batch."""
    folds = [
        int(hashlib.sha256(one.batch.encode()).hexdigest(), 16) % _FOLDS for one in all_examples
    ]
    found: list[tuple[int, str]] = [(0, "")] * len(texts)
    for fold in range(_FOLDS):
        rest = [index for index, other in enumerate(folds) if other != fold]
        sections = fit([texts[i] for i in rest], [all_examples[i] for i in rest])
        model = Veiled(_LOWEST, sections)
        for index, own in enumerate(folds):
            if own == fold:
                hint = model.hint(texts[index])
                found[index] = (hint.score + _LOWEST, hint.category) if hint else (_LOWEST, "")
    return found


_LOWEST = -100_000


def threshold(scores: Sequence[int], kinds: Sequence[str]) -> int:
    """The lowest score above which no more ordinary messages are raised than is allowed."""
    allowed = {"talk": _QUIET, "request": _QUIET_REQUESTS, "hard": _QUIET_HARD}
    lowest = _LOWEST
    for kind, share in allowed.items():
        own = sorted((s for s, k in zip(scores, kinds, strict=True) if k == kind), reverse=True)
        if own:
            lowest = max(lowest, own[min(int(len(own) * share), len(own) - 1)])
    return lowest


def wilson(hits: int, of: int) -> str:
    """A share with its 95 % interval."""
    if not of:
        return "-"
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{share:7.2%} [{middle - half:6.2%}, {middle + half:6.2%}]"


def report(
    all_examples: Sequence[Example],
    ruled: Sequence[bool],
    scores: Sequence[tuple[int, str]],
    limit: int,
) -> Iterator[str]:
    """Lines of the cross-validated table: share raised by the rules, by either, by the model."""
    parts: dict[str, list[int]] = {}
    for index, one in enumerate(all_examples):
        parts.setdefault(f"{one.kind}: {one.batch.split('/')[0]}", []).append(index)
        if one.kind == "danger":
            parts.setdefault(f"category: {one.label}", []).append(index)
    yield f"{'out of fold':38} {'n':>6} {'rules':>24} {'rules or model':>24} {'same category':>14}"
    for name, part in sorted(parts.items()):
        either = [i for i in part if ruled[i] or scores[i][0] > limit]
        alone = [i for i in part if scores[i][0] > limit and not ruled[i]]
        right = sum(scores[i][1] == all_examples[i].label for i in alone)
        yield (
            f"{name:38} {len(part):>6} {wilson(sum(ruled[i] for i in part), len(part)):>24} "
            f"{wilson(len(either), len(part)):>24} {right:>6} of {len(alone)}"
        )


def train(root: Path = ROOT, out: Path | None = WEIGHTS) -> Iterator[str]:
    """Trains, writes the weights to `out` unless it is None, yields the lines of the report."""
    rules = crisis.load(root / "knowledge" / "crisis")
    alone = Safety(rules, Reader(language.load(root / "knowledge" / "language")), veiled=False)
    every = examples(root)
    texts = [alone.reader.read(one.text) for one in every]
    ruled = [alone.assess(one.text).tier is not Tier.NONE for one in every]
    scores = out_of_fold(texts, every)
    open_kinds = ["" if by_rule else one.kind for one, by_rule in zip(every, ruled, strict=True)]
    limit = threshold([score for score, _ in scores], open_kinds)
    yield from report(every, ruled, scores, limit)
    head = {"data": data_digest(root), "features": digest(), "threshold": str(limit)}
    content = write(head, fit(texts, every))
    yield f"threshold {limit}, {len(content):,} bytes, {content.count(chr(10)):,} lines"
    if out is not None:
        out.write_text(content, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Train the model of veiled danger.")
    parser.add_argument("--dry-run", action="store_true", help="print the report, write nothing")
    options = parser.parse_args(arguments)
    for line in train(out=None if options.dry_run else WEIGHTS):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
