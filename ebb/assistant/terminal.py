"""Conversations in a terminal and through JSON Lines, by the same door as every channel."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TextIO

from rasa.core.channels.channel import UserMessage

from ebb.assistant.channels.door import Door
from ebb.assistant.launcher import load_agent
from ebb.conversation.core import core
from ebb.types import Reply

BOLD, DIM, RED, BLUE, GREEN, RESET = (f"\033[{n}m" for n in (1, 2, 31, 34, 32, 0))
LEVEL_COLOURS = {"emergency": RED, "same_day": RED, "within_3_days": RED}
WIDTH = 78


class Talk:
    """One agent behind one door, with what the last turn was understood as."""

    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self.intent: str | None = None
        self.door = Door("terminal", self._handle)

    @classmethod
    async def start(cls) -> Talk:
        """Load the trained model, with conversations kept in memory only."""
        return cls(await load_agent(memory_only=True))

    async def _handle(self, message: UserMessage) -> None:
        self.intent = None
        await self._agent.handle_message(message)
        tracker = await self._agent.tracker_store.retrieve(message.sender_id)
        if tracker is not None and tracker.latest_message is not None:
            self.intent = (tracker.latest_message.intent or {}).get("name")

    async def say(
        self, conversation: str, said: object, country: str | None
    ) -> tuple[dict[str, Any], list[Reply]]:
        """One message and its replies; what was said, the intent and the tier."""
        self.intent = None
        replies: list[Reply] = []

        async def collect(reply: Reply) -> None:
            replies.append(reply)

        seen = await self.door.receive(conversation, said, collect, country)
        return {"said": seen.said, "intent": self.intent, "tier": seen.tier}, replies


# ---- JSON Lines


async def batch(lines: Iterable[str], out: TextIO) -> int:
    """`{"say": [...], "country": "GB"}` in, `{"turns": [...]}` out, one line each."""
    talk = await Talk.start()
    for line in lines:
        print(json.dumps(await _conversation(talk, line), ensure_ascii=False), file=out, flush=True)
    return 0


async def _conversation(talk: Talk, line: str) -> dict[str, Any]:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError) as error:
        return {"error": f"not JSON: {error}"}
    if not isinstance(asked, dict) or not isinstance(asked.get("say"), list):
        return {"error": '{"say": [messages], "country": "GB"} is expected'}
    country = asked.get("country")
    if country is not None and not isinstance(country, str):
        return {"error": '"country" must be a two-letter code'}
    conversation = uuid.uuid4().hex
    turns = []
    for said in asked["say"]:
        if not isinstance(said, str):
            return {"error": 'each of "say" must be text'}
        seen, replies = await talk.say(conversation, said, country.upper() if country else None)
        turns.append({**seen, "said": said, "replies": [_as_json(reply) for reply in replies]})
    talk.door.memories.forget(conversation)
    return {"turns": turns}


def _as_json(reply: Reply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "buttons": [button.title for button in reply.buttons],
        "card": dict(reply.card) if reply.card is not None else None,
        "id": reply.id,
        "asked": reply.asked,
    }


# ---- a person at the terminal


async def talk(country: str | None) -> int:
    """Talk until end of input. Numbers press buttons; "why" shows the reasons."""
    colour = sys.stdout.isatty()
    print(_paint("Loading Ebb ...", DIM, colour), flush=True)
    ebb = await Talk.start()
    conversation = uuid.uuid4().hex
    print(_paint(core().message("terminal_hello", country).text, DIM, colour))
    last: list[Reply] = []
    while True:
        try:
            said = await asyncio.get_running_loop().run_in_executor(None, _ask, colour)
        except EOFError:
            print()
            return 0
        if said.strip().casefold() == "why" and _has_reasons(last):
            _print_reasons(last, colour)
            continue
        said = _pressed(said, last)
        _, last = await ebb.say(conversation, said, country)
        for reply in last:
            # One list of numbers at a time: that of the reply that waits for an answer.
            _print(reply if reply is last[-1] else replace(reply, buttons=()), colour)


def _ask(colour: bool) -> str:
    return input(_paint("you  ", GREEN + BOLD, colour))


def _pressed(said: str, last: list[Reply]) -> str:
    """The title of the button that a typed number means."""
    buttons = last[-1].buttons if last else ()
    if said.strip().isdigit() and 1 <= int(said) <= len(buttons):
        return buttons[int(said) - 1].title
    return said


def _print(reply: Reply, colour: bool) -> None:
    plain = core().renderer.plain(reply)
    level = str((reply.card or {}).get("level", ""))
    tint = LEVEL_COLOURS.get(level, RED if reply.id.startswith("crisis") else BLUE)
    first = True
    for line in plain.splitlines():
        for part in textwrap.wrap(line, WIDTH - 5) or [""]:
            print((_paint("ebb  ", tint + BOLD, colour) if first else "     ") + part)
            first = False
    if _has_reasons([reply]):
        print(_paint('     (type "why" for the reasons and sources)', DIM, colour))
    print(flush=True)


def _has_reasons(replies: list[Reply]) -> bool:
    return any((reply.card or {}).get("reasons") for reply in replies)


def _print_reasons(replies: list[Reply], colour: bool) -> None:
    for reply in replies:
        reasons = (reply.card or {}).get("reasons")
        for reason in reasons if isinstance(reasons, list) else []:
            if isinstance(reason, dict):
                sources = reason.get("sources")
                tags = ", ".join(str(s) for s in sources) if isinstance(sources, list) else ""
                print(_paint(f"     {reason.get('row')}", DIM, colour))
                print(
                    textwrap.fill(f"{reason.get('text')} [{tags}]", WIDTH, initial_indent="     ")
                )
    print(flush=True)


def _paint(text: str, code: str, colour: bool) -> str:
    return f"{code}{text}{RESET}" if colour else text
