"""Her message read as an answer to a safety question that is open.

How yes, no and doubt are worded, and what each means to each question, is data:
knowledge/crisis/answers.yml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ebb.knowledge.crisis import Answers, Effect, Patterns, Question, Reading
from ebb.text import PatternSet, Text


class AnswerReader:
    """Reads answers to the questions of `answers`."""

    def __init__(self, answers: Answers, concepts: Mapping[str, Patterns]) -> None:
        self._answers = answers
        self.wordings = PatternSet(
            [(kind, pattern) for kind, ways in answers.wordings.items() for pattern in ways],
            concepts,
        )
        self.meanings = PatternSet(
            [
                (f"{question.id} {number}", pattern)
                for question in answers.questions.values()
                for number, (patterns, _) in enumerate(question.meanings)
                for pattern in patterns
            ],
            concepts,
        )

    def knows(self, asked: str | None) -> bool:
        """Whether `asked` is a safety question with rules for its answers."""
        return asked is not None and asked in self._answers.questions

    def reading(self, text: Text) -> Reading | None:
        """Yes, no or unsure, where the message is short enough to be an answer.

        Yes and no together is unsure: "no, not now, but sometimes".
        """
        if not text.tokens or len(text.tokens) > self._answers.longest:
            return None
        found = {hit.key for hit in self.wordings.find(text)}
        if "unsure" in found or {"yes", "no"} <= found:
            return "unsure"
        if "yes" in found:
            return "yes"
        return "no" if "no" in found else None

    def meaning(self, text: Text, asked: str) -> tuple[str, Effect] | None:
        """Name and effect of the answer to `asked`; None where it reads as none."""
        question: Question = self._answers.questions[asked]
        named = [hit.key for hit in self.meanings.find(text) if hit.key.split()[0] == asked]
        if named:
            effects = [question.meanings[int(key.split()[1])][1] for key in named]
            return "meaning", most_urgent(effects)
        reading = self.reading(text)
        effect = question.readings.get(reading) if reading else None
        return (reading, effect) if reading and effect else None


def most_urgent(effects: Sequence[Effect]) -> Effect:
    """The effect with the highest tier; the first of equals."""
    return max(effects, key=lambda effect: effect.tier.rank)
