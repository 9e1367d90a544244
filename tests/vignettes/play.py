"""Plays a vignette: a mother with a truth, who opens in her own words and answers what is asked.

    - id: dmer-first-baby
      why: classic timing and length, fine in between, safe       # for clinicians, with source tags
      level: within_2_weeks                                       # the level that must be reached
      country: GB                                                 # optional
      says: ["I get this awful dread ...", "it starts before ..."]  # what she writes first
      truth: {mood_between_feeds: fine, thoughts_of_harm: no}     # what she taps when asked
      words: {episode_length: "not long, maybe a minute"}         # what she writes when asked
      answer: utter_letdown_not_felt      # optional: the information that is all she needs

A question that neither `truth` nor `words` knows is answered "not sure"; the last question of all,
about danger signs, "none of these". A safety question of a crisis reply is answered from
`safety:` (yes, no, not sure; "no" if it is not there); she is not alone, and she does call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ebb.assistant.terminal import Talk
from ebb.knowledge.yaml_reader import Node, read
from ebb.types import Level, Reply, Tier

MOST_TURNS = 20
TIER_LEVEL = {Tier.URGENT.value: Level.SAME_DAY, Tier.EMERGENCY.value: Level.EMERGENCY}


@dataclass(frozen=True, slots=True)
class Vignette:
    """One story; see the top of this file."""

    id: str
    why: str
    level: Level
    says: tuple[str, ...]
    truth: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    safety: str = "no"
    country: str | None = "GB"
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it: the level reached (None where nothing was concluded), and how."""

    level: Level | None
    outcomes: tuple[str, ...]
    questions: int
    said: tuple[str, ...]


def load(folder: Path) -> list[Vignette]:
    """All vignettes of a folder. Raises `ContentError` for what is wrong with one."""
    found = [
        _vignette(node) for file in sorted(folder.glob("*.yml")) for node in read(file).items()
    ]
    ids = [vignette.id for vignette in found]
    assert len(set(ids)) == len(ids), "two vignettes have the same id"
    return found


def _vignette(node: Node) -> Vignette:
    fields = node.record(
        {"id", "why", "level", "says"}, {"truth", "words", "safety", "country", "answer"}
    )
    return Vignette(
        id=fields["id"].text(),
        why=fields["why"].text(),
        level=fields["level"].one_of(Level),
        says=fields["says"].texts(),
        truth=_texts(fields["truth"]) if "truth" in fields else {},
        words=_texts(fields["words"]) if "words" in fields else {},
        safety=fields.get("safety", Node.text, "no"),
        country=fields.get("country", Node.text, "GB"),
        answer=fields["answer"].text() if "answer" in fields else None,
    )


def _texts(node: Node) -> dict[str, str]:
    return {name: value.text() for name, value in node.fields().items()}


async def play(talk: Talk, vignette: Vignette, conversation: str) -> Played:
    """The whole conversation, through the trained model and the real actions."""
    level: Level | None = None
    outcomes: list[str] = []
    said: list[str] = []
    asked: set[str] = set()
    waiting = list(vignette.says)
    while waiting and len(said) < MOST_TURNS:
        words = waiting.pop(0)
        said.append(words)
        _, replies = await talk.say(conversation, words, vignette.country)
        for reply in replies:
            found = _level(reply)
            if found is not None:
                level = found if level is None or found.rank > level.rank else level
                outcomes.append(reply.id)
            elif reply.id == vignette.answer and level is None:
                level = Level.SELF_CARE
        last = next((reply for reply in reversed(replies) if reply.asked), None)
        if waiting or last is None or last.asked is None:
            continue
        if last.id.startswith("question."):
            asked.add(last.asked)
        answer = _answer(vignette, last)
        if answer is not None:
            waiting.append(answer)
    return Played(level, tuple(outcomes), len(asked), tuple(said))


def _level(reply: Reply) -> Level | None:
    if reply.card is not None and reply.card.get("type") == "care_card":
        return Level(str(reply.card["level"]))
    if reply.id.startswith(("crisis.unsafe.", "crisis.safe.psychosis")):
        return Level.EMERGENCY  # each of these says: call the emergency number now
    if reply.id.startswith("crisis."):
        return next((TIER_LEVEL[part] for part in reply.id.split(".") if part in TIER_LEVEL), None)
    return None


def _answer(vignette: Vignette, reply: Reply) -> str | None:
    """What she answers; None ends the conversation."""
    asked = reply.asked or ""
    if asked in ("resume", "country"):
        return None
    if asked in ("next_topic", "carry_on"):
        return "yes"
    if asked in vignette.words:
        return vignette.words[asked]
    if asked in ("safety.company", "safety.called", "safety.baby"):
        return "yes"
    if asked.startswith("safety."):
        return {"no": "no", "yes": "yes"}.get(vignette.safety, "not sure")
    value = vignette.truth.get(asked, "none" if asked == "closing_signs" else "not_sure")
    wanted = f'"{asked}={value}"'
    return next((b.title for b in reply.buttons if wanted in b.payload), "not sure")
