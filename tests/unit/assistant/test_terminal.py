"""The terminal: a number means the button of the reply that waits for an answer."""

from __future__ import annotations

from ebb.assistant.terminal import _pressed
from ebb.types import Button, Reply

ANSWER = Reply("utter_x", "An answer.", (Button("More", "/x"),))
QUESTION = Reply("question.y", "A question?", (Button("Yes", "/y"), Button("No", "/n")))


def test_a_number_presses_a_button_of_the_last_reply() -> None:
    assert _pressed("1", [ANSWER, QUESTION]) == "Yes"
    assert _pressed(" 2 ", [ANSWER, QUESTION]) == "No"


def test_a_number_without_a_button_is_what_she_typed() -> None:
    assert _pressed("3", [ANSWER, QUESTION]) == "3"
    assert _pressed("1", []) == "1"
