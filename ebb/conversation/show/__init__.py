"""The content as a clinician reads it: as lines, as one HTML document, and against what it was."""

from __future__ import annotations

from ebb.conversation.show.lines import show
from ebb.conversation.show.page import page
from ebb.conversation.show.review import Review, committed, review
from ebb.conversation.show.snapshot import Change, compare, earlier, snapshot

__all__ = [
    "Change",
    "Review",
    "committed",
    "compare",
    "earlier",
    "page",
    "review",
    "show",
    "snapshot",
]
