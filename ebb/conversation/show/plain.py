"""Ids of content put into the words of its own questions, answers and findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ebb.knowledge.everything import Knowledge
from ebb.knowledge.triage import SITUATION, Conditions
from ebb.types import NOT_SURE, REFUSED, Level

_UNKNOWN = {NOT_SURE: "not sure", REFUSED: "rather not say"}


def spaced(id: str) -> str:
    """`same_day` as "same day"."""
    return id.replace("_", " ")


def level(of: Level) -> str:
    """A level as it stands in a document."""
    return spaced(of.value).capitalize()


class Plain:
    """Words for the ids in `knowledge`; an id that nothing has words for is spelled with spaces."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._findings = knowledge.findings
        self._questions = knowledge.triage.questions
        self._domain = knowledge.triage.domain

    def finding(self, id: str) -> str:
        """What the finding is about."""
        rule = self._findings.findings.get(id)
        return rule.about if rule else spaced(id).capitalize()

    def value(self, finding: str, value: str) -> str:
        """The answer as its button has it, else as it is said back to her."""
        if value in _UNKNOWN:
            return _UNKNOWN[value]
        question = self._questions.get(finding)
        for choice in question.buttons if question else ():
            if choice.value == value:
                return choice.title
        return self._findings.said(finding, value) or spaced(value)

    def values(self, finding: str, values: Iterable[str]) -> str:
        """Several answers, in the order of the buttons, joined with "or"."""
        question = self._questions.get(finding)
        order = [choice.value for choice in question.buttons] if question else []
        listed = sorted(
            values,
            key=lambda v: (v in _UNKNOWN, order.index(v) if v in order else len(order), v),
        )
        return " or ".join(f"“{self.value(finding, value)}”" for value in listed)

    def conditions(self, conditions: Conditions) -> list[str]:
        """One line for each condition; all of them must hold."""
        return [f"{self.finding(f)}: {self.values(f, v)}" for f, v in conditions.items()]

    def case(self, case: Mapping[str, str]) -> str:
        """An example in one line."""
        return "; ".join(f"{self.finding(f)}: “{self.value(f, v)}”" for f, v in case.items())

    def situation(self, id: str) -> str:
        """A situation of the baby."""
        return self.value(SITUATION, id)
