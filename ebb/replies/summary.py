"""What goes into the one-page summary that she can show to a professional. No name in it."""

from __future__ import annotations

from dataclasses import dataclass

from ebb.types import Outcome


@dataclass(frozen=True, slots=True)
class Said:
    """One answer as it is said back to her, and when she gave it (as text, may be empty)."""

    clause: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """Her answers, where the triage of each concern ended, the most urgent first, red flags asked
    with her answer, scores, her own questions, and when the page was made (as text).
    """

    said: tuple[Said, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    red_flags: tuple[tuple[str, str], ...] = ()
    scores: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    made: str = ""
