"""What a conversation keeps beside triage: a questionnaire in progress, its scores, the diary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ebb.types import JSON, Finding


@dataclass(frozen=True, slots=True)
class Screen:
    """A questionnaire in progress: its id, the points so far (None: skipped), and how many items
    are to be asked before the result.
    """

    id: str
    answers: tuple[int | None, ...]
    until: int


@dataclass(frozen=True, slots=True)
class Score:
    """A finished questionnaire: points of `items` items, `skipped` of them without an answer.

    `told` tells whether she was given the result; `at` is Unix time.
    """

    id: str
    total: int
    items: int
    skipped: int
    at: float
    told: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One episode: when it was (Unix time), her word for the feeling, and the facts she told."""

    at: float
    said: str = ""
    facts: tuple[Finding, ...] = ()

    def fact(self, finding: str) -> Finding | None:
        """What she told of `finding`."""
        return next((fact for fact in self.facts if fact.id == finding), None)


@dataclass(frozen=True, slots=True)
class Asides:
    """`open` is the question beside triage that waits for an answer, put `tries` times in vain.

    `declined` are the questionnaires she did not want. `allowed` is whether a diary may be kept;
    `draft` the entry that is being asked about, `skipped` what she left out of it.
    """

    open: str | None = None
    tries: int = 0
    screen: Screen | None = None
    scores: tuple[Score, ...] = ()
    declined: tuple[str, ...] = ()
    allowed: bool = False
    entries: tuple[Entry, ...] = ()
    draft: Entry | None = None
    skipped: tuple[str, ...] = ()

    def lasting(self) -> Asides:
        """What a fresh start and a long pause leave: the diary, which she erases herself."""
        return Asides(allowed=self.allowed, entries=self.entries)

    def to_json(self) -> dict[str, JSON]:
        """Plain JSON for the slot."""
        screen = self.screen
        return {
            "open": self.open,
            "tries": self.tries,
            "screen": None
            if screen is None
            else {"id": screen.id, "answers": list(screen.answers), "until": screen.until},
            "scores": [
                {
                    "id": score.id,
                    "total": score.total,
                    "items": score.items,
                    "skipped": score.skipped,
                    "at": score.at,
                    "told": score.told,
                }
                for score in self.scores
            ],
            "declined": list(self.declined),
            "allowed": self.allowed,
            "entries": entries_to_json(self.entries),
            "draft": entry_to_json(self.draft) if self.draft else None,
            "skipped": list(self.skipped),
        }

    @classmethod
    def from_json(cls, kept: object) -> Asides:
        """What `to_json` wrote. Anything else counts as nothing, save entries that can be read."""
        if not isinstance(kept, Mapping):
            return cls()
        entries = entries_from_json(kept.get("entries"))
        try:
            draft = kept["draft"]
            return cls(
                open=kept["open"] if isinstance(kept["open"], str) else None,
                tries=int(kept["tries"]),
                screen=_screen(kept["screen"]),
                scores=tuple(_score(score) for score in kept["scores"]),
                declined=tuple(str(name) for name in kept["declined"]),
                allowed=kept["allowed"] is True,
                entries=entries,
                draft=None if draft is None else _entry(draft),
                skipped=tuple(str(name) for name in kept["skipped"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls(allowed=bool(entries), entries=entries)


def entry_to_json(entry: Entry) -> dict[str, JSON]:
    """An entry as plain JSON."""
    return {
        "at": entry.at,
        "said": entry.said,
        "facts": [{"id": f.id, "value": f.value, "amount": f.amount} for f in entry.facts],
    }


def entries_to_json(entries: Sequence[Entry]) -> list[JSON]:
    """A diary as plain JSON, for a slot or for her own device."""
    return [entry_to_json(entry) for entry in entries]


def entries_from_json(kept: object) -> tuple[Entry, ...]:
    """The entries in `kept`, oldest first; what is no entry is left out."""
    found: list[Entry] = []
    for one in kept if isinstance(kept, list | tuple) else ():
        try:
            found.append(_entry(one))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return tuple(sorted(found, key=lambda entry: entry.at))


def merged_entries(kept: Sequence[Entry], sent: Sequence[Entry]) -> tuple[Entry, ...]:
    """Both diaries as one, oldest first, each entry once."""
    known = {_same(entry): entry for entry in (*kept, *sent)}
    return tuple(sorted(known.values(), key=lambda entry: entry.at))


def _same(entry: Entry) -> tuple[object, ...]:
    return round(entry.at), entry.said, tuple((f.id, f.value, f.amount) for f in entry.facts)


def _screen(kept: Any) -> Screen | None:
    if kept is None:
        return None
    answers = tuple(None if value is None else int(value) for value in kept["answers"])
    return Screen(str(kept["id"]), answers, int(kept["until"]))


def _score(kept: Any) -> Score:
    return Score(
        str(kept["id"]),
        int(kept["total"]),
        int(kept["items"]),
        int(kept["skipped"]),
        float(kept["at"]),
        kept["told"] is True,
    )


def _entry(kept: Any) -> Entry:
    facts = tuple(
        Finding(
            str(fact["id"]),
            str(fact["value"]),
            amount=float(fact["amount"]) if fact.get("amount") is not None else None,
        )
        for fact in kept["facts"]
    )
    at = float(kept["at"])
    if not 0 <= at < 1e11:
        raise ValueError("no time")
    return Entry(at, str(kept.get("said") or "")[:80], facts)
