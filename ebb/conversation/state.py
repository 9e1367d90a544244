"""What Ebb remembers of one conversation, and how it is kept in one slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from ebb.conversation.asides import Asides
from ebb.types import JSON, Assessment, Finding

VERSION = 1
Resuming = Literal["no", "due", "asked"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of hers, understood.

    `answer` is the payload of a pressed answer button, finding id and value; `at` is Unix time;
    `asked_too` the intent of a question beside a report, `told_too` that of a report beside a
    question.
    """

    at: float = 0.0
    text: str = ""
    intent: str | None = None
    ranking: tuple[tuple[str, float], ...] = ()
    findings: tuple[Finding, ...] = ()
    answer: tuple[str, str] | None = None
    assessment: Assessment = field(default_factory=Assessment)
    asked_too: str | None = None
    told_too: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Everything that later turns depend on.

    `findings` has each id once, in the order learned. `answered` lists the questions she
    answered, for going back. `tables` were opened by what she came with. `open` is the question
    that waits for an answer, put `tries` times without one. `outcome` and `rows` are what was
    last concluded. `heard_until` is the time of the last message that was merged.

    `topic` is the concern that is looked at by itself, after a more urgent one; `done` are those
    that were concluded or declined; `offered` the one she was asked about. `resuming` tells whether
    she came back after a pause, and was asked whether to carry on. `questions` are what she asked
    in her own words, for the summary. `asides` are a questionnaire in progress, and the diary.
    """

    findings: tuple[Finding, ...] = ()
    answered: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    open: str | None = None
    tries: int = 0
    outcome: str | None = None
    rows: tuple[str, ...] = ()
    heard_until: float = 0.0
    topic: str | None = None
    done: tuple[str, ...] = ()
    offered: str | None = None
    resuming: Resuming = "no"
    questions: tuple[str, ...] = ()
    asides: Asides = field(default_factory=Asides)

    @property
    def listening_for(self) -> str | None:
        """The finding that a bare answer would be about."""
        return None if self.resuming == "asked" or self.asides.open else self.open

    @property
    def waiting(self) -> bool:
        """Whether an answer of any kind is awaited, which the rules must leave to triage."""
        return any((self.open, self.offered, self.asides.open))

    @property
    def values(self) -> dict[str, str]:
        """Finding id to value."""
        return {finding.id: finding.value for finding in self.findings}

    def with_finding(self, finding: Finding) -> State:
        """The state after learning `finding`; an older value of the same id is replaced."""
        kept = tuple(old for old in self.findings if old.id != finding.id)
        return replace(self, findings=(*kept, finding))

    def without_finding(self, finding_id: str) -> State:
        """The state as if `finding_id` had never been said."""
        return replace(
            self,
            findings=tuple(old for old in self.findings if old.id != finding_id),
            answered=tuple(old for old in self.answered if old != finding_id),
        )

    def to_json(self) -> dict[str, JSON]:
        """Plain JSON for the slot."""
        return {
            "version": VERSION,
            "findings": [
                {
                    "id": f.id,
                    "value": f.value,
                    "source": f.source,
                    "amount": f.amount,
                    "at": f.at,
                }
                for f in self.findings
            ],
            "answered": list(self.answered),
            "tables": list(self.tables),
            "open": self.open,
            "tries": self.tries,
            "outcome": self.outcome,
            "rows": list(self.rows),
            "heard_until": self.heard_until,
            "topic": self.topic,
            "done": list(self.done),
            "offered": self.offered,
            "resuming": self.resuming,
            "questions": list(self.questions),
            "asides": self.asides.to_json(),
        }

    @classmethod
    def from_json(cls, kept: object) -> State:
        """The state in a slot. Anything that is not one of ours counts as a new conversation."""
        if not isinstance(kept, Mapping) or kept.get("version") != VERSION:
            return cls()
        try:
            return cls(
                findings=tuple(_finding(entry) for entry in kept["findings"]),
                answered=_strings(kept["answered"]),
                tables=_strings(kept["tables"]),
                open=_text(kept["open"]),
                tries=int(kept["tries"]),
                outcome=_text(kept["outcome"]),
                rows=_strings(kept["rows"]),
                heard_until=float(kept["heard_until"]),
                topic=_text(kept.get("topic")),
                done=_strings(kept.get("done", ())),
                offered=_text(kept.get("offered")),
                resuming=_resuming(kept.get("resuming")),
                questions=_strings(kept.get("questions", ())),
                asides=Asides.from_json(kept.get("asides")),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()


def _finding(entry: Mapping[str, Any]) -> Finding:
    amount = entry.get("amount")
    source = entry.get("source")
    return Finding(
        id=str(entry["id"]),
        value=str(entry["value"]),
        source=cast(
            'Literal["said", "answered", "carried"]',
            source if source in ("said", "answered", "carried") else "said",
        ),
        amount=float(amount) if isinstance(amount, int | float) else None,
        at=float(entry.get("at") or 0.0),
    )


def _text(entry: object) -> str | None:
    return entry if isinstance(entry, str) else None


def _resuming(entry: object) -> Resuming:
    if entry == "due":
        return "due"
    return "asked" if entry == "asked" else "no"


def _strings(entries: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(entry) for entry in entries)
