"""Loads knowledge/conversation.yml: how safety, findings and triage hang together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ebb.knowledge.yaml_reader import Node, read


@dataclass(frozen=True, slots=True)
class FollowOn:
    """What a short question without a subject means: by last answer and intent, the answer."""

    most_words: int
    subjects: frozenset[str]
    means: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Pause:
    """What happens when she comes back: times in seconds, and what lasts longer than they do.

    After `ask_after` she is asked whether to carry on; after `forget_after` only the findings of
    `carry` are left, and those of `carry_value` where they have that value.
    """

    ask_after: float
    forget_after: float
    carry: frozenset[str]
    carry_value: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Joints:
    """`crisis_findings`: category to the finding it makes "yes". `least` is a probability."""

    crisis_findings: Mapping[str, str]
    safety_findings: tuple[str, ...]
    kept_after_start_over: tuple[str, ...]
    always: tuple[str, ...]
    tries: int
    choices: int
    least: float
    question_words: frozenset[str]
    own_intent: frozenset[str]
    bodily: frozenset[str]
    round_about: frozenset[str]
    follow_ups: int
    after_follow_ups: str
    asked_once: frozenset[str]
    dmer_signs: Mapping[str, frozenset[str]]
    after_loss: frozenset[str]
    follow_on: FollowOn
    loss_context: str
    not_said_back: frozenset[str]
    pause: Pause
    topics: Mapping[str, str]


def load(file: Path) -> Joints:
    """The content of `file`. Raises `ContentError`."""
    fields = read(file).record(
        {
            "crisis_findings",
            "safety_findings",
            "kept_after_start_over",
            "always",
            "tries",
            "did_you_mean",
            "question_words",
            "own_intent",
            "bodily",
            "follow_ups",
            "asked_once",
            "dmer_signs",
            "after_loss",
            "follow_on",
            "loss_context",
            "not_said_back",
            "pause",
            "topics",
        }
    )
    rounds = fields["follow_ups"].record({"most", "kinds", "then"})
    guess = fields["did_you_mean"].record({"choices", "least"})
    return Joints(
        crisis_findings={k: v.text() for k, v in fields["crisis_findings"].fields().items()},
        safety_findings=fields["safety_findings"].texts(),
        kept_after_start_over=fields["kept_after_start_over"].texts(),
        always=fields["always"].texts(),
        tries=fields["tries"].integer(),
        choices=guess["choices"].integer(),
        least=guess["least"].number(),
        question_words=frozenset(fields["question_words"].texts()),
        own_intent=frozenset(fields["own_intent"].texts()),
        bodily=frozenset(fields["bodily"].texts()),
        round_about=frozenset(rounds["kinds"].texts()),
        follow_ups=rounds["most"].integer(),
        after_follow_ups=rounds["then"].text(),
        asked_once=frozenset(fields["asked_once"].texts()),
        dmer_signs={
            finding: frozenset(values.texts())
            for finding, values in fields["dmer_signs"].fields().items()
        },
        after_loss=frozenset(fields["after_loss"].texts()),
        follow_on=_follow_on(fields["follow_on"]),
        loss_context=fields["loss_context"].text(),
        not_said_back=frozenset(fields["not_said_back"].texts()),
        pause=_pause(fields["pause"]),
        topics={topic: name.text() for topic, name in fields["topics"].fields().items()},
    )


def _pause(node: Node) -> Pause:
    fields = node.record({"ask_after_minutes", "forget_after_hours", "carry", "carry_value"})
    return Pause(
        ask_after=fields["ask_after_minutes"].number() * 60,
        forget_after=fields["forget_after_hours"].number() * 3600,
        carry=frozenset(fields["carry"].texts()),
        carry_value={k: v.text() for k, v in fields["carry_value"].fields().items()},
    )


def _follow_on(node: Node) -> FollowOn:
    fields = node.record({"most_words", "subjects", "topics"})
    means: dict[tuple[str, str], str] = {}
    for topic in fields["topics"].items():
        entry = topic.record({"after", "means"})
        for intent, answer in entry["means"].fields().items():
            for last in entry["after"].texts():
                if (last, intent) in means:
                    raise answer.error(f"{intent} after {last} has an answer already")
                means[last, intent] = answer.text()
    return FollowOn(fields["most_words"].integer(), frozenset(fields["subjects"].texts()), means)
