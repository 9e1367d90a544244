"""Intent classification: character and word n-grams and findings, one linear model.

Trained with scikit-learn, kept as plain arrays and JSON, and read without scikit-learn, so that
starting is quick and a model file can hold data only, no code. Free of Rasa.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD_NGRAMS = (1, 2)
CHAR_NGRAMS = (3, 4)
MAX_TOKENS = 200
"""A message is classified by its first tokens and its last ones; safety reads all of it."""


def features(words: Sequence[str], lemmas: Sequence[str], facts: Iterable[str]) -> list[str]:
    """Names of the features of one message, repeated as often as they occur."""
    if len(words) > MAX_TOKENS:
        half = MAX_TOKENS // 2
        words = [*words[:half], *words[-half:]]
        lemmas = [*lemmas[:half], *lemmas[-half:]]
    found: list[str] = []
    for n in WORD_NGRAMS:
        found += ["w " + " ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
        found += ["l " + " ".join(lemmas[i : i + n]) for i in range(len(lemmas) - n + 1)]
    for left, right in zip(lemmas, lemmas[2:], strict=False):
        found.append(f"s {left} {right}")
    for word in words:
        padded = f" {word} "
        for n in CHAR_NGRAMS:
            if len(padded) > n or n == 2:
                found += ["c" + padded[i : i + n] for i in range(max(1, len(padded) - n + 1))]
    if words:
        found.append(f"^ {words[0]}")
    found += [f"f {fact}" for fact in facts]
    found.append(f"n {min(len(words), 12) // 2}")
    return found


_WEIGHTS = {"w": 1.0, "l": 1.0, "s": 0.5, "c": 0.45, "^": 0.7, "f": 1.0, "n": 0.4, "u": 3.0}
_MOST_UNKNOWN = 3


def _with_unknown(names: Sequence[str], words: Container[str]) -> list[str]:
    """`names` and how many of the words are not known: a sign of another subject."""
    unknown = sum(n.startswith("w ") and n.count(" ") == 1 and n not in words for n in names)
    return [*names, f"u {min(unknown, _MOST_UNKNOWN)}"]


class IntentModel:
    """A trained classifier: `rank(features)` gives intents and probabilities, best first."""

    def __init__(
        self,
        intents: Sequence[str],
        vocabulary: Sequence[str],
        scale: NDArray[np.float32],
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        sharpness: float,
    ) -> None:
        self.intents = tuple(intents)
        self._columns = {name: column for column, name in enumerate(vocabulary)}
        self._scale, self._weights, self._bias = scale, weights, bias
        self._sharpness = sharpness

    def rank(self, names: Iterable[str]) -> list[tuple[str, float]]:
        """All intents with their probability, most likely first."""
        names = _with_unknown(tuple(names), self._columns)
        columns, values = _vector(names, self._columns, self._scale)
        scores = self._bias + (values @ self._weights[columns] if len(columns) else 0.0)
        scores = self._sharpness * (scores - scores.max())
        odds = np.exp(scores)
        chances = odds / odds.sum()
        order = np.argsort(-chances, kind="stable")
        return [(self.intents[i], float(chances[i])) for i in order]

    def knows_a_word(self, names: Iterable[str]) -> bool:
        """Whether any whole word among these features was seen in training."""
        return any(name.startswith("w ") and name in self._columns for name in names)

    # ---- keeping

    def save(self, folder: Path) -> None:
        """Write the model as `intents.json` and `intents.npz`."""
        vocabulary = sorted(self._columns, key=self._columns.__getitem__)
        meta = {"intents": self.intents, "vocabulary": vocabulary, "sharpness": self._sharpness}
        (folder / "intents.json").write_text(json.dumps(meta), encoding="utf-8")
        np.savez(
            folder / "intents.npz",
            scale=self._scale,
            weights=self._weights.astype(np.float16),
            bias=self._bias,
        )

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote. Never unpickles."""
        meta = json.loads((folder / "intents.json").read_text(encoding="utf-8"))
        with np.load(folder / "intents.npz", allow_pickle=False) as arrays:
            return cls(
                meta["intents"],
                meta["vocabulary"],
                arrays["scale"].astype(np.float32),
                arrays["weights"].astype(np.float32),
                arrays["bias"].astype(np.float32),
                float(meta["sharpness"]),
            )


def train(
    examples: Sequence[tuple[Sequence[str], str]], *, cost: float = 4.0, min_count: int = 2
) -> IntentModel:
    """Fit a model to (feature names, intent) pairs. Deterministic."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    seen: Counter[str] = Counter()
    for names, _ in examples:
        seen.update(set(names))
    # A word of one example only is as unknown to training as a new word is later.
    words = {name for name, count in seen.items() if count >= min_count}
    examples = [(_with_unknown(names, words), intent) for names, intent in examples]
    seen.update(name for names, _ in examples for name in names[-1:])
    vocabulary = sorted(name for name, count in seen.items() if count >= min_count)
    columns = {name: column for column, name in enumerate(vocabulary)}
    total = len(examples)
    scale = np.array(
        [
            _WEIGHTS[name.partition(" ")[0][:1]] * (1 + math.log((1 + total) / (1 + seen[name])))
            for name in vocabulary
        ],
        dtype=np.float32,
    )
    rows = [_vector(names, columns, scale) for names, _ in examples]
    matrix: Any = csr_matrix(
        (
            np.concatenate([values for _, values in rows]),
            np.concatenate([found for found, _ in rows]),
            np.cumsum([0] + [len(found) for found, _ in rows]),
        ),
        shape=(total, len(vocabulary)),
    )
    labels = [intent for _, intent in examples]
    fitted = LogisticRegression(
        C=cost,
        solver="liblinear",
        multi_class="ovr",
        class_weight="balanced",
        random_state=0,
        tol=0.05,
    ).fit(matrix, labels)
    return IntentModel(
        [str(label) for label in fitted.classes_],
        vocabulary,
        scale,
        np.ascontiguousarray(fitted.coef_.T, dtype=np.float32),
        fitted.intercept_.astype(np.float32),
        sharpness=1.0,
    )


def _vector(
    names: Iterable[str], columns: dict[str, int], scale: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    counts = Counter(names)
    found = [(columns[name], count) for name, count in counts.items() if name in columns]
    if not found:
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
    found.sort()
    index = np.array([column for column, _ in found], dtype=np.int32)
    values = (1 + np.log([count for _, count in found])).astype(np.float32) * scale[index]
    return index, values / np.float32(math.sqrt(float(values @ values)))
