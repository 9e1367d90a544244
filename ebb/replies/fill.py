"""Fills the slots of texts. In: a text with `{slots}` and their values. Out: tidy lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from ebb.knowledge.replies import SLOT, Varying

DEPTH = 4
"""Fragments may stand in fragments, this deep."""


def fill(text: str, slots: Mapping[str, str]) -> str:
    """`text` with every slot replaced, and no empty line. A slot without a value is dropped."""
    for _ in range(DEPTH):
        if "{" not in text:
            break
        text = SLOT.sub(lambda found: slots.get(found[1], ""), text)
    return tidy(SLOT.sub("", text))


def nested(text: str, slots: Mapping[str, str], but: Collection[str]) -> str:
    """`text` with its fragments put in, and the slots in `but` left as they are."""
    kept = {name: f"{{{name}}}" for name in but}
    for _ in range(DEPTH):
        text = SLOT.sub(lambda found: kept.get(found[1], slots.get(found[1], "")), text)
    return text


def fill_once(text: str, slots: Mapping[str, str]) -> str:
    """The same for values that are not ours: they are put in as they stand."""
    return tidy(SLOT.sub(lambda found: slots.get(found[1], ""), text))


def tidy(text: str) -> str:
    """Lines without outer blanks, and without the empty ones: a blank line splits a message."""
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in re.split(r"[\r\n]+", text))
    return "\n".join(line for line in lines if line)


def resolved(fragments: Mapping[str, Varying], baby: str | None) -> dict[str, str]:
    """Every fragment as it reads where the baby is."""
    return {name: varying.at(baby) for name, varying in fragments.items()}


def enumerated(parts: Iterable[str], joint: str) -> str:
    """ "a", "a and b", "a, b and c", with `joint` for "and"."""
    found = [part for part in parts if part]
    if len(found) < 2:
        return "".join(found)
    return f"{', '.join(found[:-1])} {joint} {found[-1]}"
