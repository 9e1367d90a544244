"""Loads knowledge/crisis/: which words show danger, what turns them, and their own examples.

In: the folder. Out: one frozen `CrisisRules`. Bad content raises `ContentError` with file and line.
Patterns are kept as strings here; ebb.safety compiles them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import yaml

from ebb.knowledge.yaml_reader import Node, Record, read, read_folder
from ebb.types import Tier

Place = Literal["before", "after", "inside", "clause", "message"]
Reading = Literal["yes", "no", "unsure"]
Patterns = tuple[str, ...]

CATEGORIES = (
    "ideation_passive",
    "ideation_active",
    "method",
    "plan_or_intent",
    "act_under_way",
    "self_harm",
    "overdose",
    "harm_baby",
    "harm_others",
    "loss_of_control",
    "psychosis",
    "means_question",
    "burdensomeness",
    "entrapment",
    "intrusive",
    "third_party",
    "past",
    "information",
    "abuse",
    "mother_emergency",
    "baby_emergency",
    "ambiguous",
)
"""The closed set of categories: each has its own replies."""

LANGUAGES = ("es", "fr")
"""Languages besides English that a crisis reply has fixed words in (ISO 639-1)."""

KINDS = ("negated", "quoted", "information", "past", "other", "adult", "feeding", "unwanted")
"""What may turn a hit, in the order in which it is asked. The first that applies decides."""
COMPANY = 25
"""Words between the parts of a sign that belong together; further apart they tell of two things."""
_HELPERS = ("revives", "still", "child", "recovered", "was", "topic")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a turned hit becomes. `tier` none drops it; `category` None keeps the rule's own."""

    tier: Tier
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """Patterns that turn a hit, and where they must stand; `reach` in words between the two."""

    kind: str
    where: Place
    reach: int
    patterns: Patterns


@dataclass(frozen=True, slots=True)
class Example:
    """A message in our own words. `tier` and `category` where the rule is expected to be turned."""

    text: str
    why: str = ""
    tier: Tier | None = None
    category: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One family of words. `together` are patterns that must stand near a hit as well."""

    id: str
    category: str
    tier: Tier
    level: str
    sources: tuple[str, ...]
    patterns: Patterns
    unless: Patterns
    together: Patterns
    turned_by: Mapping[str, Effect]
    fires: tuple[Example, ...]
    silent: tuple[Example, ...]
    turns: tuple[Example, ...]
    language: str | None = None
    """ISO 639-1 code of the language its words are in, where the reply can be given in it too"""
    within: int = COMPANY
    """words between a hit and one of `together` at most"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Signs of danger to herself that are graver together: two different rules with hits of
    `categories`, at most `within` words apart and together less urgent than `tier`, make `tier`."""

    categories: frozenset[str]
    halves: frozenset[str]
    """categories that count only beside one of `categories`: said alone they mean little"""
    within: int
    tier: Tier


@dataclass(frozen=True, slots=True)
class Question:
    """A safety question: what an answer to it means, on top of what the words show."""

    id: str
    readings: Mapping[Reading, Effect]
    meanings: tuple[tuple[Patterns, Effect], ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """How answers are worded, and what they mean to each question."""

    wordings: Mapping[Reading, Patterns]
    longest: int
    questions: Mapping[str, Question]


@dataclass(frozen=True, slots=True)
class Spelling:
    """Words that are recognised although misspelt, and words never taken for one of them."""

    words: Mapping[str, int]
    """word -> how many slips of the finger are forgiven"""
    variants: Mapping[str, str]
    never: frozenset[str]
    faces: frozenset[str] = frozenset()
    """words of emoji that say how she feels, not what she means: left out of her sentences"""


@dataclass(frozen=True, slots=True)
class CrisisRules:
    """All crisis language."""

    rules: tuple[Rule, ...]
    concepts: Mapping[str, Patterns]
    cues: tuple[Cue, ...]
    order: tuple[str, ...]
    """categories, the one that speaks first among equally urgent ones first"""
    answers: Answers
    spelling: Spelling
    pair: Pair | None = None


_SPECIAL = ("concepts.yml", "context.yml", "answers.yml", "spelling.yml")


def load(folder: Path) -> CrisisRules:
    """The crisis language of `folder`. Raises `ContentError`."""
    concepts = _concepts(read(folder / "concepts.yml").record({"concepts"})["concepts"])
    profiles, cues, order, pair = _context(read(folder / "context.yml"))
    rules: list[Rule] = []
    seen: set[str] = set()
    for node in read_folder(folder):
        if node.file.name in _SPECIAL:
            continue
        record = node.record({"rules"}, {"concepts"})
        own: dict[str, Patterns] = record.get("concepts", _concepts, {})
        for name, patterns in own.items():
            if name in concepts:
                raise record["concepts"].error(f"concept {name!r} is there already")
            concepts[name] = patterns
        for item in record["rules"].items():
            rule = _rule(item, profiles)
            if rule.id in seen:
                raise item.error(f"rule {rule.id!r} is there twice", "give it another id")
            seen.add(rule.id)
            rules.append(rule)
    return CrisisRules(
        rules=tuple(rules),
        concepts=concepts,
        cues=cues,
        order=order,
        answers=_answers(read(folder / "answers.yml")),
        spelling=_spelling(read(folder / "spelling.yml")),
        pair=pair,
    )


def _concepts(node: Node) -> dict[str, Patterns]:
    return {name: item.texts() for name, item in node.fields().items()}


# ---- rules

Profiles = Mapping[str, Mapping[str, Effect]]


def _rule(node: Node, profiles: Profiles) -> Rule:
    record = node.record(
        {"id", "category", "tier", "level", "sources", "scope", "patterns", "fires", "silent"},
        {"unless", "together", "within", "turns", "language"},
    )
    tier = record["tier"].one_of(Tier)
    if tier is Tier.NONE:
        raise record["tier"].error("a rule of tier none does nothing", "leave the rule out")
    return Rule(
        id=record["id"].text(),
        category=_category(record["category"]),
        tier=tier,
        level=record["level"].text(),
        sources=record["sources"].texts(),
        patterns=record["patterns"].texts(),
        unless=record.get("unless", Node.texts, ()),
        together=record.get("together", Node.texts, ()),
        within=record.get("within", Node.integer, COMPANY),
        turned_by=_scope(record["scope"], profiles),
        fires=_examples(record, "fires"),
        silent=_examples(record, "silent"),
        turns=_examples(record, "turns"),
        language=_language(record["language"]) if "language" in record else None,
    )


def _language(node: Node) -> str:
    code = node.text()
    if code not in LANGUAGES:
        raise node.error(f"no reply is written in {code!r}", f"one of: {', '.join(LANGUAGES)}")
    return code


def _category(node: Node) -> str:
    name = node.text()
    if name not in CATEGORIES:
        raise node.error(f"no such category: {name}", f"one of: {', '.join(sorted(CATEGORIES))}")
    return name


def _scope(node: Node, profiles: Profiles) -> Mapping[str, Effect]:
    if isinstance(node.raw, yaml.ScalarNode):
        name = node.text()
        if name not in profiles:
            raise node.error(f"no such scope: {name}", f"one of: {', '.join(profiles)}")
        return profiles[name]
    return _effects(node)


def _effects(node: Node) -> dict[str, Effect]:
    found: dict[str, Effect] = {}
    for kind, item in node.fields().items():
        if kind not in KINDS:
            raise item.error(f"nothing turns a hit by {kind!r}", f"one of: {', '.join(KINDS)}")
        effect = _effect(item)
        if effect is not None:
            found[kind] = effect
    return found


def _effect(node: Node) -> Effect | None:
    """`keep` (None), `drop`, or "tier category"."""
    words = node.text().split()
    if words == ["keep"]:
        return None
    if words == ["drop"]:
        return Effect(Tier.NONE)
    try:
        tier = Tier(words[0])
    except ValueError:
        raise node.error(f"{words[0]!r} is no tier", 'keep, drop, or "tier category"') from None
    if len(words) > 2 or (len(words) == 2 and words[1] not in CATEGORIES):
        raise node.error(f"no such category: {' '.join(words[1:])}")
    return Effect(tier, words[1] if len(words) == 2 else None)


def _examples(record: Record, name: str) -> tuple[Example, ...]:
    if name not in record:
        return ()
    found: list[Example] = []
    for node in record[name].items():
        if isinstance(node.raw, yaml.ScalarNode):
            found.append(Example(node.text()))
            continue
        item = node.record({"text"}, {"why", "tier", "category", "rule"})
        found.append(
            Example(
                text=item["text"].text(),
                why=item.get("why", Node.text, ""),
                tier=item["tier"].one_of(Tier) if "tier" in item else None,
                category=_category(item["category"]) if "category" in item else None,
                rule=item["rule"].text() if "rule" in item else None,
            )
        )
    return tuple(found)


# ---- context


def _context(node: Node) -> tuple[Profiles, tuple[Cue, ...], tuple[str, ...], Pair | None]:
    record = node.record({"order", "profiles", "contexts"}, {"pair"})
    profiles = {name: _effects(item) for name, item in record["profiles"].fields().items()}
    cues: list[Cue] = []
    for item in record["contexts"].items():
        fields = item.record({"kind", "where", "patterns"}, {"reach"})
        kind = fields["kind"].text()
        if kind not in (*KINDS, *_HELPERS):
            raise fields["kind"].error(f"no such kind: {kind}")
        where = fields["where"].text()
        if where not in get_args(Place):
            raise fields["where"].error(f"no such place: {where}", ", ".join(get_args(Place)))
        cues.append(
            Cue(
                kind=kind,
                where=cast(Place, where),
                reach=fields.get("reach", Node.integer, 0),
                patterns=fields["patterns"].texts(),
            )
        )
    order = tuple(_category(item) for item in record["order"].items())
    if missing := sorted(set(CATEGORIES) - set(order)):
        raise record["order"].error(f"missing: {', '.join(missing)}")
    return profiles, tuple(cues), order, record.get("pair", _pair, None)


def _pair(node: Node) -> Pair:
    record = node.record({"categories", "halves", "within", "tier"})
    return Pair(
        categories=frozenset(_category(item) for item in record["categories"].items()),
        halves=frozenset(_category(item) for item in record["halves"].items()),
        within=record["within"].integer(),
        tier=record["tier"].one_of(Tier),
    )


# ---- answers


def _answers(node: Node) -> Answers:
    record = node.record({"wordings", "longest", "questions"})
    questions: dict[str, Question] = {}
    for item in record["questions"].items():
        fields = item.record({"id", "readings"}, {"meanings"})
        name = fields["id"].text()
        questions[name] = Question(
            id=name,
            readings={
                _reading(node, key): _said(node)
                for key, node in fields["readings"].fields().items()
            },
            meanings=tuple(_meaning(m) for m in fields["meanings"].items())
            if "meanings" in fields
            else (),
        )
    return Answers(
        wordings={
            _reading(item, key): item.texts() for key, item in record["wordings"].fields().items()
        },
        longest=record["longest"].integer(),
        questions=questions,
    )


def _reading(node: Node, key: str) -> Reading:
    if key not in get_args(Reading):
        raise node.error(f"{key!r} is no reading", ", ".join(get_args(Reading)))
    return cast(Reading, key)


def _said(node: Node) -> Effect:
    effect = _effect(node)
    if effect is None:
        raise node.error("keep means nothing for an answer", "name a tier, or drop")
    return effect


def _meaning(node: Node) -> tuple[Patterns, Effect]:
    record = node.record({"patterns", "means"})
    return record["patterns"].texts(), _said(record["means"])


# ---- spelling


def _spelling(node: Node) -> Spelling:
    record = node.record({"words", "variants", "never"}, {"faces"})
    return Spelling(
        words={
            word: distance for distance, words in _by_distance(record["words"]) for word in words
        },
        variants={
            variant: word
            for word, item in record["variants"].fields().items()
            for variant in item.texts()
        },
        never=frozenset(record["never"].texts()),
        faces=frozenset(record["faces"].texts() if "faces" in record else ()),
    )


def _by_distance(node: Node) -> Iterable[tuple[int, Patterns]]:
    for name, item in node.fields().items():
        if name not in ("one", "two"):
            raise item.error("slips are counted as one or two")
        yield (1 if name == "one" else 2), item.texts()
