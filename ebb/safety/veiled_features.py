"""Message -> names of what it holds, for the model of veiled danger. Linear in its length.

In: a message as read. Out: feature names and, for each, the tokens that show it. The weights file
keeps the digest of this module: names that change here make trained weights worthless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ebb.text import Token

MOST_TOKENS = 400
"""A longer message is looked at from both ends; the rules read all of it."""
_LENGTHS = (2, 4, 6, 9, 13, 18, 26, 40, 80)
_PLAIN = 40
"""So many features count in full: the sum over a longer message is scaled down."""
_ROOT = 0.25
_DENYING = frozenset(("not", "never", "no", "nobody", "nothing", "none", "nor", "without"))
_REACH = 4
"""So many words after a denying one, in its clause, are marked as denied."""


def shown(tokens: Sequence[Token]) -> Iterator[tuple[str, int, int]]:
    """(feature, first token, last token), features repeated where they occur again.

    `w` the word as written, `b` two neighbouring lemmas, `s` two with one word in between,
    `x` a lemma after a denying word, `n` how long the message is (shown by no token: first is
    greater than last).
    """
    lemmas = [token.lemma for token in tokens]
    last = len(lemmas) - 1
    denied = -1
    for index, token in enumerate(tokens):
        yield f"w {token.text}", index, index
        if token.lemma != token.text:
            yield f"l {token.lemma}", index, index
        before = lemmas[index - 1] if index else "^"
        yield f"b {before} {lemmas[index]}", max(index - 1, 0), index
        if index > 1:
            yield f"s {lemmas[index - 2]} {lemmas[index]}", index - 2, index
        if denied >= 0 and index - denied <= _REACH and tokens[denied].clause == token.clause:
            yield f"x {lemmas[index]}", denied, index
        if token.text in _DENYING:
            denied = index
    if lemmas:
        yield f"b {lemmas[last]} $", last, last
    yield f"n {sum(len(lemmas) > length for length in _LENGTHS)}", 0, -1


def ends(tokens: Sequence[Token]) -> Sequence[Token]:
    """`tokens`, or the first and the last ones of very many."""
    if len(tokens) <= MOST_TOKENS:
        return tokens
    half = MOST_TOKENS // 2
    return [*tokens[:half], *tokens[-half:]]


def scale(features: int) -> float:
    """What the sum of weights is multiplied by for a message of so many different features."""
    return float((max(features, _PLAIN) / _PLAIN) ** -_ROOT)


def digest() -> str:
    """Changes when this module does."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
