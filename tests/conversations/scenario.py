"""Runs a scenario of the YAML files beside this one, and says what was not as expected.

The format is described at the top of dmer.yml.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from ebb.assistant.terminal import Talk
from ebb.types import Reply

MOST_QUESTIONS = 12
TIER_LEVELS = {"urgent": "same_day", "emergency": "emergency"}
TIERS = ["none", "check", "urgent", "emergency"]


class Run:
    """One scenario in progress."""

    def __init__(self, talk: Talk, scenario: Mapping[str, Any]) -> None:
        self._talk = talk
        self._scenario = scenario
        self._conversation = uuid.uuid4().hex
        self.open: str | None = None
        self.problems: list[str] = []
        self.log: list[str] = []

    async def all(self) -> list[str]:
        """Every step; the problems found."""
        for number, step in enumerate(self._scenario["say"], 1):
            before = len(self.problems)
            outcome = await self._step(step)
            self._check(step.get("expect") or {}, outcome)
            for i in range(before, len(self.problems)):
                self.problems[i] = f"step {number}: {self.problems[i]}"
        return self.problems

    async def _step(self, step: Mapping[str, Any]) -> Turn:
        turn = Turn()
        if "finish" in step:
            await self._finish(step["finish"], turn)
        elif "press" in step:
            await self._say(step["press"], turn)
        else:
            await self._say(step["you"], turn)
        return turn

    async def _finish(self, answers: Mapping[str, str], turn: Turn) -> None:
        """Answer what is asked until an outcome card comes."""
        if self.open is None:
            await self._say("ok", turn)
        while turn.outcome is None and self.open is not None and turn.asked < MOST_QUESTIONS:
            turn.asked += 1
            turn.questions.append(self.open)
            await self._say(answers.get(self.open, "not sure"), turn)

    async def _say(self, said: str, turn: Turn) -> None:
        self.log.append(f"you: {said[:200]!r}")
        seen, replies = await self._talk.say(
            self._conversation, said, self._scenario.get("country")
        )
        if not replies:
            self.problems.append(f"no reply to {said[:80]!r}")
        for reply in replies:
            if reply.asked:
                self.open = reply.asked
            elif reply.card is not None or reply.buttons or reply.text:
                self.open = None
        for reply in replies:
            self.log.append(f"  ebb [{reply.id}] asked={reply.asked}: {reply.text[:300]!r}")
            turn.add(reply)
        turn.intent = seen["intent"]
        turn.tier = max(turn.tier, seen["tier"], key=TIERS.index)

    def _check(self, expect: Mapping[str, Any], turn: Turn) -> None:
        for key, wanted in expect.items():
            problem = self._problem(key, wanted, turn)
            if problem:
                self.problems.append(problem)

    def _problem(self, key: str, wanted: Any, turn: Turn) -> str | None:
        text = turn.text.casefold()
        match key:
            case "says":
                if not any(phrase.casefold() in text for phrase in wanted):
                    return f"says none of {wanted}"
            case "never_says":
                found = [phrase for phrase in wanted if phrase.casefold() in text]
                if found:
                    return f"says {found}"
            case "asked":
                open_ = self.open
                right = open_ == wanted if isinstance(wanted, str) else bool(open_) == wanted
                if not right:
                    return f"open question is {open_!r}, expected {wanted!r}"
            case "buttons_include":
                missing = [title for title in wanted if title not in turn.titles]
                if missing:
                    return f"no button {missing}; there are {turn.titles}"
            case "questions":
                if turn.asked > wanted:
                    return f"{turn.asked} questions: {turn.questions}"
            case "never_asks":
                asked = {*turn.questions, *(r.asked for r in turn.replies if r.asked)}
                if asked & set(wanted):
                    return f"asked {sorted(asked & set(wanted))}"
            case "intent" | "tier" | "card" | "level" | "outcome":
                found_value = getattr(turn, key)
                allowed = wanted if isinstance(wanted, list) else [wanted]
                if found_value not in allowed:
                    return f"{key} is {found_value!r}, expected {wanted!r}"
            case _:
                return f"unknown expectation {key!r}"
        return None


class Turn:
    """What came back in one step."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.questions: list[str] = []
        self.asked = 0
        self.intent: str | None = None
        self.tier = "none"

    def add(self, reply: Reply) -> None:
        self.replies.append(reply)

    @property
    def text(self) -> str:
        parts = []
        for reply in self.replies:
            parts += [reply.text, *(button.title for button in reply.buttons)]
            if reply.card is not None:
                parts.append(json.dumps(dict(reply.card), ensure_ascii=False))
        return " ".join(parts).replace("\u2019", "'")

    @property
    def titles(self) -> list[str]:
        return [button.title for reply in self.replies for button in reply.buttons]

    def _last(self, key: str) -> Any:
        for reply in reversed(self.replies):
            if reply.card is not None and reply.card.get(key):
                return reply.card[key]
        return None

    @property
    def card(self) -> Any:
        return self._last("type")

    @property
    def outcome(self) -> Any:
        for reply in reversed(self.replies):
            if reply.id.startswith("outcome."):
                return reply.id.removeprefix("outcome.")
        return None

    @property
    def level(self) -> Any:
        return self._last("level") or TIER_LEVELS.get(self.tier)
