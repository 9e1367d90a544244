"""Value types that every part of Ebb shares. Frozen, and free of behaviour that could fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

NOT_SURE = "not_sure"
"""Answer value of every finding: she does not know. Never the same as "no"."""
REFUSED = "refused"
"""Answer value of every finding: she would rather not say."""


class Tier(str, Enum):
    """How urgent the words of one message are, judged on words alone."""

    NONE = "none"
    CHECK = "check"
    URGENT = "urgent"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """0 for `none` up to 3 for `emergency`."""
        return _TIERS.index(self)


_TIERS = (Tier.NONE, Tier.CHECK, Tier.URGENT, Tier.EMERGENCY)


class Level(str, Enum):
    """By when help is needed: the one level that each outcome has."""

    SELF_CARE = "self_care"
    WITHIN_2_WEEKS = "within_2_weeks"
    WITHIN_3_DAYS = "within_3_days"
    SAME_DAY = "same_day"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """0 for `self_care` up to 4 for `emergency`."""
        return _LEVELS.index(self)


_LEVELS = (
    Level.SELF_CARE,
    Level.WITHIN_2_WEEKS,
    Level.WITHIN_3_DAYS,
    Level.SAME_DAY,
    Level.EMERGENCY,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` up to, not including, `end` of the message as she wrote it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message. `asked` is the id of the question that a bot message put, if any."""

    by: Literal["user", "bot"]
    text: str
    asked: str | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the words of one message show about danger.

    `rules` are the ids that fired, most urgent first; `spans` where in the message they fired.
    """

    tier: Tier = Tier.NONE
    category: str | None = None
    rules: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact: `value` is from the closed set of finding `id`, or `not_sure` or `refused`.

    `amount` keeps what a quantity was banded from, in the unit that the finding declares. `at` is
    when she said it, in Unix time, 0 where that is not known; it makes no finding another one.
    """

    id: str
    value: str
    span: Span | None = None
    source: Literal["said", "answered", "carried"] = "said"
    amount: float | None = None
    at: float = field(default=0.0, compare=False)


Findings: TypeAlias = Mapping[str, str]
"""Finding id to value. A finding that is not there is unknown."""


@dataclass(frozen=True, slots=True)
class Why:
    """One table row that matched: its id, its reason in plain words, its source tags."""

    row: str
    reason: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a triage ended. The most urgent matching row decides `id` and `level`."""

    id: str
    level: Level
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The next move of a triage: `ask` a finding, or the `outcome`; exactly one is set.

    `remaining` is how many questions are likely left, `ask` included.
    """

    ask: str | None = None
    outcome: Outcome | None = None
    remaining: int = 0


@dataclass(frozen=True, slots=True)
class Button:
    """A choice: what she reads, and what the server hears when it is pressed."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to her.

    `id` names the content; `asked` the question it puts, if any; `card` is typed JSON whose
    "type" is "care_card", "help_lines", "summary" or "diary"; it does not repeat `text`.
    """

    id: str
    text: str
    buttons: tuple[Button, ...] = ()
    card: Mapping[str, JSON] | None = None
    asked: str | None = None
    meta: Mapping[str, JSON] = field(default_factory=dict)
