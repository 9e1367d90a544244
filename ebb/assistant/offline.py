"""The trained model without a conversation: reading messages, and replaying stored ones."""

from __future__ import annotations

import uuid
from typing import Any

from ebb.assistant.launcher import load_agent
from ebb.assistant.terminal import Talk
from ebb.conversation.core import core
from ebb.conversation.events import FINDINGS, SAFETY, assessment_to_json


class Understander:
    """Reads single messages through the trained model."""

    def __init__(self, agent: Any) -> None:
        self._processor = agent.processor

    @classmethod
    async def load(cls) -> Understander:
        """Load the newest model. Raises `StartError`."""
        return cls(await load_agent(memory_only=True))

    def read(self, text: str) -> dict[str, Any]:
        """Intent, confidence, findings and safety of one message."""
        from rasa.core.channels.channel import UserMessage
        from rasa.shared.core.trackers import DialogueStateTracker

        from ebb.assistant.channels.door import as_plain, clean

        words = clean(text)
        seen = assessment_to_json(core().assess(words, None, ()))
        message = UserMessage(as_plain(words), metadata={SAFETY: seen})
        tracker = DialogueStateTracker.from_events("understand", [])
        parsed = self._processor._parse_message_with_graph(message, tracker)
        return {
            "intent": parsed["intent"]["name"],
            "confidence": round(parsed["intent"]["confidence"], 4),
            "ranking": parsed.get("intent_ranking") or [],
            "findings": {f["id"]: f["value"] for f in parsed.get(FINDINGS) or ()},
            "safety": parsed.get(SAFETY),
        }


class Replayer:
    """Runs stored conversations against the working tree's knowledge and model."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    @classmethod
    async def load(cls) -> Replayer:
        """Load the newest model. Raises `StartError`."""
        return cls(await Talk.start())

    def compare(self, stored: dict[str, Any]) -> dict[str, Any]:
        """What would change in one stored conversation.

        In: `{"conversation": id, "country": "GB", "turns": [{"said", "intent", "tier", "level"}]}`,
        where all of a turn but `said` may be missing. Out: `{"conversation", "turns", "changes"}`;
        each change has the turn's number from 0, the field, and the values before and now.
        """
        import asyncio

        turns = stored.get("turns")
        if not isinstance(turns, list) or not all(
            isinstance(t, dict) and isinstance(t.get("said"), str) for t in turns
        ):
            raise ValueError('"turns" must be a list of {"said": text, ...}')
        now = asyncio.run(self._run(turns, stored.get("country")))
        changes = [
            {"turn": i, "field": name, "before": before[name], "now": after[name]}
            for i, (before, after) in enumerate(zip(turns, now, strict=True))
            for name in ("intent", "tier", "level")
            if name in before and before[name] != after[name]
        ]
        return {"conversation": stored.get("conversation"), "turns": now, "changes": changes}

    async def _run(self, turns: list[dict[str, Any]], country: str | None) -> list[dict[str, Any]]:
        conversation = uuid.uuid4().hex
        found = []
        for turn in turns:
            seen, replies = await self._talk.say(conversation, turn["said"], country)
            levels = [reply.card.get("level") for reply in replies if reply.card]
            level = next((level for level in reversed(levels) if level), None)
            found.append({**seen, "level": level, "replies": [reply.id for reply in replies]})
        self._talk.door.memories.forget(conversation)
        return found
