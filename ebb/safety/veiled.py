"""Veiled danger: what is clear to a reader although no rule names it. May raise `none` to `check`.

A linear model with whole-number weights, read from a text file; never more than a question comes
of it, and never less than what the rules found. Trained by `ebb.safety.veiled_train`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ebb.knowledge.crisis import CATEGORIES
from ebb.safety.veiled_features import digest, ends, scale, shown
from ebb.text import Text
from ebb.types import Span

log = logging.getLogger(__name__)

WEIGHTS = Path(__file__).with_name("veiled_weights.tsv")
RAISE = "raise"
"""The section of the weights that tells danger from ordinary talk; the others name a category."""
RULE = "veiled"
"""Rule ids of the model are this, a dot, and the category."""
_UNCLEAR = "ambiguous"
"""The category where no other is likelier than not: she is asked what she means."""
_SHOWN = 3
"""So many places in the message are given as the reason, the strongest ones."""

Weights = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Hint:
    """What the model made of a message: a category, how sure, and the words that weighed most.

    `score` is in the unit of the weights, above 0 where the message is raised.
    """

    category: str
    score: int
    spans: tuple[Span, ...]

    @property
    def rule(self) -> str:
        """The rule id under which it is reported."""
        return f"{RULE}.{self.category}"


class BadWeights(ValueError):
    """The weights file is not what the training command writes, or was made by other code."""


class Veiled:
    """The trained model. Keeps nothing between messages."""

    def __init__(self, threshold: int, sections: Mapping[str, Weights]) -> None:
        self._threshold = threshold
        self._weights = sections[RAISE]
        self._categories = {name: sections[name] for name in sections if name != RAISE}

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Veiled:
        """The model in `path`. Raises `BadWeights`, and `OSError` where there is no such file."""
        head, sections = read(path.read_text(encoding="utf-8"))
        if head.get("features") != digest():
            raise BadWeights("made by other code")
        try:
            return cls(int(head["threshold"]), sections)
        except (KeyError, ValueError) as error:
            raise BadWeights("no threshold, or no weights") from error

    def hint(self, text: Text) -> Hint | None:
        """What `text` hints at; None where it hints at no danger. Never raises."""
        try:
            return self._hint(text)
        except Exception as error:  # a guess that fails is no guess; the rules have spoken
            log.error("looking for hints failed: %s", type(error).__name__)
            return None

    # ---- steps

    def _hint(self, text: Text) -> Hint | None:
        tokens = ends(text.tokens)
        places: dict[str, tuple[int, int]] = {}
        for name, first, last in shown(tokens):
            places.setdefault(name, (first, last))
        weights = self._weights
        found = {name: weights[name] for name in places if name in weights}
        score = self._score(found, weights, len(places)) - self._threshold
        if score <= 0:
            return None
        strongest = sorted(found, key=lambda name: (-found[name], name))
        spans: list[Span] = []
        for name in strongest:
            first, last = places[name]
            if len(spans) == _SHOWN or found[name] <= 0:
                break
            if first > last:
                continue
            span = Span(tokens[first].start, tokens[last].end)
            if not any(span.start < one.end and one.start < span.end for one in spans):
                spans.append(span)
        return Hint(self._category(places), score, tuple(spans))

    def _score(self, found: Mapping[str, int], weights: Weights, features: int) -> int:
        return weights.get("", 0) + round(sum(found.values()) * scale(features))

    def _category(self, places: Mapping[str, tuple[int, int]]) -> str:
        best = (0, _UNCLEAR)
        for name, weights in self._categories.items():
            found = {one: weights[one] for one in places if one in weights}
            best = max(best, (self._score(found, weights, len(places)), name))
        return best[1]


def load_or_none(path: Path = WEIGHTS) -> Veiled | None:
    """The model, or None and a line in the log: the rules do without it."""
    try:
        return Veiled.load(path)
    except Exception as error:  # whatever is wrong with the file, the rules must go on
        log.error("no model of veiled danger: %s", type(error).__name__)
        return None


# ---- the weights file


def read(text: str) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    """A weights file as its head and its sections. Raises `BadWeights`."""
    head: dict[str, str] = {}
    sections: dict[str, dict[str, int]] = {}
    section: dict[str, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("# "):
            continue
        name, tab, value = line.partition("\t")
        try:
            if line.startswith("[") and line.endswith("]"):
                section = sections.setdefault(line[1:-1], {})
            elif not tab:
                raise ValueError(line)
            elif section is None:
                head[name] = value
            else:
                section["" if name == "bias" else name] = int(value)
        except ValueError as error:
            raise BadWeights(f"line {number}") from error
    if unknown := set(sections) - {RAISE, *CATEGORIES}:
        raise BadWeights(f"{len(unknown)} sections are no categories")
    return head, sections


def write(head: Mapping[str, str], sections: Mapping[str, Weights]) -> str:
    """The weights file for these, features in alphabetical order. What `read` reads."""
    lines = ["# Weights of the model of veiled danger: feature, tab, weight. Do not edit; run"]
    lines += ["# python -m ebb.safety.veiled_train. Features: see ebb/safety/veiled_features.py."]
    lines += [f"{name}\t{value}" for name, value in head.items()]
    for name, weights in sections.items():
        lines.append(f"[{name}]")
        lines.append(f"bias\t{weights.get('', 0)}")
        lines += [f"{one}\t{weights[one]}" for one in sorted(weights) if one and weights[one]]
    return "\n".join(lines) + "\n"
