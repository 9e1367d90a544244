"""Loads knowledge/replies/: every text of the conversation that is not an answer in domain.yml.

In: a folder of YAML files; each may hold any of the sections below, and entries of all files are
put together. Out: `Replies`. Refuses a slot that does not exist, a category and tier without a
crisis text, an unknown kind of help line, and an id given twice, so that rendering cannot fail.

Texts hold slots such as `{emergency}`. Most are fragments: texts of their own, which may differ
with where the baby is. The others are filled by the renderer (`SLOTS`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import yaml

from ebb.knowledge.crisis import CATEGORIES
from ebb.knowledge.helplines import Kind
from ebb.knowledge.yaml_reader import ContentError, Node, Record, read_folder
from ebb.types import Level, Tier

T = TypeVar("T")

ANY = "any"
"""The category of texts for an assessment whose category is missing or not known."""
TIERS = (Tier.CHECK, Tier.URGENT, Tier.EMERGENCY)
BABY = ("with_me", "in_hospital", "not_born", "died")
SLOTS = frozenset({"emergency", "lines", "ack", "last_question"})
"""Slots of crisis texts that the renderer fills: the emergency number or its fallback wording,
the first help lines as sentences, the acknowledgement of the category, and the question that the
crisis reply before this one put."""
SAME = "same"
"""`asked` of a follow-up that puts the question before once more."""


@dataclass(frozen=True, slots=True)
class Varying:
    """A text that may differ with where the baby is; empty where nothing is to be said."""

    default: str
    by_baby: Mapping[str, str] = field(default_factory=dict)

    def at(self, baby: str | None) -> str:
        """The text for `baby`, a value of the finding `baby_situation` or None."""
        return self.by_baby.get(baby, self.default) if baby else self.default


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. `payload` is sent as it stands."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class SafetyQuestion:
    """A question about safety, put inside crisis replies.

    `yes_means` danger: a bare "yes" to every wording of it tells of danger, and "no" does not.
    `choices` are value and title of the buttons, `then` the follow-up that each value leads to.
    `heard`: words, as canonical tokens, that name a value more surely than "yes" and "no" do; of
    several, the first value counts.
    """

    id: str
    yes_means: Literal["danger", "safe", "neither"]
    ask: str
    choices: tuple[tuple[str, str], ...]
    then: Mapping[str, str]
    heard: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CrisisText:
    """A crisis reply: what is said, the one question at its end, and the help lines with it.

    `asked_by_baby` holds the question for a place of the baby where it is another one.
    """

    id: str
    family: str
    text: Varying
    question: Varying
    asked: str | None
    asked_by_baby: Mapping[str, str | None]
    help: tuple[Kind, ...]
    buttons: tuple[Choice, ...]
    sources: tuple[str, ...]

    def asked_at(self, baby: str | None) -> str | None:
        """The id of the question that is put where the baby is."""
        return self.asked_by_baby.get(baby, self.asked) if baby else self.asked


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What comes after an answer to a safety question.

    It fits when the crisis is of one of `families` and `tiers`, the question before was one of
    `after`, one of the replies `since` told how safe she is, and it is `about` what she talks of;
    empty means any. Only where `about` is empty does it fit a talk about nothing special.
    """

    kind: str
    reply: CrisisText
    families: tuple[str, ...]
    tiers: tuple[Tier, ...]
    after: tuple[str, ...]
    since: tuple[str, ...]
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Special:
    """A first crisis text for what one of `rules` (see `Echo`) found, in a category and tier."""

    category: str
    tier: Tier
    rules: tuple[str, ...]
    reply: CrisisText


@dataclass(frozen=True, slots=True)
class Echo:
    """An acknowledgement close to her own words, of our wording.

    It fits an assessment of one of `categories` by one of `rules` (ids, or the part before a
    dot), where one of `words` stands in what fired; empty means any. `near`: shortly before what
    fired will do too, such as who is spoken of.
    """

    say: Varying
    categories: tuple[str, ...]
    rules: tuple[str, ...]
    words: tuple[str, ...]
    near: bool


@dataclass(frozen=True, slots=True)
class Message:
    """Any other text, with its buttons."""

    id: str
    text: str
    buttons: tuple[Choice, ...]
    asked: str | None
    help: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that may end a crisis reply and is not about safety.

    `then`: answers that lead to a follow-up; any other goes on with the conversation. `heard` as
    in a safety question.
    """

    id: str
    ask: str
    choices: tuple[Choice, ...]
    then: Mapping[str, str]
    heard: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ForeignText:
    """One fixed reply in a language that is not spoken here, and the question that it puts."""

    text: Varying
    asked: str | None


@dataclass(frozen=True, slots=True)
class Foreign:
    """The fixed crisis replies in a language that is not spoken here.

    `rules` are the crisis rules that recognise the language. `first` come when danger was
    recognised, `follow_ups` after an answer, by kind; `other` is for every other kind.
    `choices` are the titles of the answers, `forms` how a help line is said,
    `emergency_unknown` how the emergency number of an unknown country is, `joint` is "or".
    """

    rules: tuple[str, ...]
    first: tuple[ForeignText, ...]
    follow_ups: Mapping[str, ForeignText]
    choices: Mapping[str, Mapping[str, str]]
    forms: Mapping[str, str]
    emergency_unknown: str
    joint: str


OTHER = "other"
"""The kind of a foreign follow-up that stands in for every kind without one."""


@dataclass(frozen=True, slots=True)
class Words:
    """What no text may do: sentences of more than `longest_sentence` words, phrases in `never`."""

    longest_sentence: int
    never: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Care:
    """Care cards: label and help lines of each level, and the lines that a finding adds."""

    labels: Mapping[Level, str]
    help: Mapping[Level, tuple[Kind, ...]]
    by_finding: tuple[tuple[str, tuple[str, ...], tuple[Kind, ...]], ...]


@dataclass(frozen=True, slots=True)
class Replies:
    """All texts. `crisis` and `more` are keyed by category or family, and tier."""

    fragments: Mapping[str, Varying]
    acks: Mapping[str, Varying]
    echoes: tuple[Echo, ...]
    safety_questions: Mapping[str, SafetyQuestion]
    open_questions: Mapping[str, OpenQuestion]
    crisis: Mapping[tuple[str, Tier], CrisisText]
    special: tuple[Special, ...]
    more: Mapping[tuple[str, Tier], tuple[CrisisText, ...]]
    follow_ups: tuple[FollowUp, ...]
    messages: Mapping[str, Message]
    intent_names: Mapping[str, str]
    not_without_baby: tuple[str, ...]
    countries_first: tuple[str, ...]
    languages: Mapping[str, Foreign]
    care: Care
    words: Words


def load(folder: Path) -> Replies:
    """The texts in `folder`. Raises `ContentError`."""
    sections = _sections(folder)

    def entries(name: str) -> list[Node]:
        return [item for node in sections.get(name, []) for item in node.items()]

    def mapping(name: str, value: Callable[[Node], T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for node in sections.get(name, []):
            for key, item in node.fields().items():
                if key in found:
                    raise item.error(f"{key!r} is there twice")
                found[key] = value(item)
        return found

    def single(name: str) -> Node:
        nodes = sections.get(name, [])
        if len(nodes) != 1:
            raise ContentError(folder, 1, f"the section {name!r} must be there once")
        return nodes[0]

    fragments = mapping("fragments", _varying)
    questions = {q.id: q for q in map(_safety_question, entries("safety_questions"))}
    open_questions = mapping("open_questions", _open_question)
    reader = _CrisisReader(fragments, {*questions, *open_questions})
    acks = mapping("acknowledgements", reader.varying)
    crisis = reader.crisis(entries("crisis"))
    special = reader.special(entries("special"))
    more = reader.more(entries("more"))
    follow_ups = reader.follow_ups(entries("follow_ups"))
    asking: tuple[SafetyQuestion | OpenQuestion, ...] = (
        *questions.values(),
        *open_questions.values(),
    )
    _complete(folder, crisis, more, acks, follow_ups, asking)
    return Replies(
        fragments=fragments,
        acks=acks,
        echoes=tuple(map(reader.echo, entries("echoes"))),
        safety_questions=questions,
        open_questions=open_questions,
        crisis=crisis,
        special=special,
        more=more,
        follow_ups=follow_ups,
        messages={
            key: _message(key, node) for key, node in mapping("messages", lambda node: node).items()
        },
        intent_names=mapping("intent_names", Node.text),
        not_without_baby=single("not_without_baby").texts(),
        countries_first=single("countries_first").texts(),
        languages=mapping("languages", reader.foreign),
        care=_care(single("care")),
        words=_words(single("words")),
    )


_SECTIONS = {
    "fragments",
    "acknowledgements",
    "echoes",
    "safety_questions",
    "open_questions",
    "crisis",
    "special",
    "more",
    "follow_ups",
    "messages",
    "intent_names",
    "not_without_baby",
    "countries_first",
    "languages",
    "care",
    "words",
}


def _sections(folder: Path) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in read_folder(folder):
        for name, section in node.record(set(), _SECTIONS).found.items():
            found.setdefault(name, []).append(section)
    return found


def _lines(node: Node) -> str:
    text = node.text()
    if re.search(r"\n\s*\n", text):
        raise node.error("a blank line would split the message in two", "remove it")
    return text


def _varying(node: Node) -> Varying:
    if isinstance(node.raw, yaml.ScalarNode):
        return Varying(_lines(node))
    record = node.record({"default"}, set(BABY))
    return Varying(
        default=record.get("default", _lines, ""),
        by_baby={key: record.get(key, _lines, "") for key in BABY if key in record},
    )


def _choices(node: Node) -> tuple[Choice, ...]:
    records = [item.record({"title", "payload"}) for item in node.items()]
    return tuple(Choice(r["title"].text(), _payload(r["payload"])) for r in records)


def _payload(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(r'/[a-z_]+|/inform\{"answer": "[a-z_.]+=[A-Za-z0-9_.]+"\}', text):
        raise node.error(f"{text!r} is not a payload", "/intent, or /inform with an answer")
    return text


def _safety_question(node: Node) -> SafetyQuestion:
    record = node.record({"id", "yes_means", "ask", "choices", "then"}, {"heard"})
    meaning = record["yes_means"].text()
    if meaning == "danger":
        yes: Literal["danger", "safe", "neither"] = "danger"
    elif meaning == "safe":
        yes = "safe"
    elif meaning == "neither":
        yes = "neither"
    else:
        raise record["yes_means"].error(f"{meaning!r} is not allowed", "danger, safe, neither")
    return SafetyQuestion(
        id=record["id"].text(),
        yes_means=yes,
        ask=record["ask"].text(),
        choices=tuple((key, title.text()) for key, title in record["choices"].fields().items()),
        then={key: kind.text() for key, kind in record["then"].fields().items()},
        heard=_heard(record),
    )


def _heard(record: Record) -> dict[str, tuple[str, ...]]:
    if "heard" not in record:
        return {}
    found = {value: phrases.texts() for value, phrases in record["heard"].fields().items()}
    if unknown := found.keys() - record["then"].fields().keys():
        raise record["heard"].error(f"leads nowhere: {', '.join(sorted(unknown))}")
    return found


def _open_question(node: Node) -> OpenQuestion:
    record = node.record({"ask", "choices", "then"}, {"heard"})
    return OpenQuestion(
        id=node.path.rpartition(".")[2],
        ask=record["ask"].text(),
        choices=_choices(record["choices"]),
        then={key: kind.text() for key, kind in record["then"].fields().items()},
        heard=_heard(record),
    )


class _CrisisReader:
    """Reads crisis texts against the fragments and questions that there are."""

    def __init__(self, fragments: Mapping[str, Varying], questions: set[str]) -> None:
        self.slots = SLOTS | fragments.keys()
        self.questions = questions
        self.ids: set[str] = set()

    def varying(self, node: Node) -> Varying:
        """A text whose slots all exist."""
        found = _varying(node)
        for text in (found.default, *found.by_baby.values()):
            for slot in slots_of(text):
                if slot not in self.slots:
                    raise node.error(f"no such slot: {{{slot}}}", ", ".join(sorted(self.slots)))
            if set("{}") & set(SLOT.sub("", text)):
                raise node.error("a lone { or }")
        return found

    def crisis(self, nodes: list[Node]) -> dict[tuple[str, Tier], CrisisText]:
        """Category and tier to the reply that comes first."""
        found: dict[tuple[str, Tier], CrisisText] = {}
        for node in nodes:
            record = node.record(
                {"categories", "tiers", "family", "text", "question", "asked", "help", "sources"},
                {"buttons"},
            )
            for category in record["categories"].texts():
                if category not in (*CATEGORIES, ANY):
                    raise record["categories"].error(f"no such category: {category}")
                for tier in _tiers(record["tiers"]):
                    if (category, tier) in found:
                        raise node.error(f"{category} has a text for {tier.value} already")
                    found[category, tier] = self._text(
                        f"crisis.{category}.{tier.value}.1", record["family"].text(), node
                    )
        return found

    def special(self, nodes: list[Node]) -> tuple[Special, ...]:
        """First replies for what single rules found."""
        found = []
        for node in nodes:
            record = node.record(
                {
                    *("rules", "category", "tiers", "family", "text", "question"),
                    *("asked", "help", "sources"),
                },
                {"buttons"},
            )
            category, rules = record["category"].text(), record["rules"].texts()
            if category not in CATEGORIES:
                raise record["category"].error(f"no such category: {category}")
            for tier in _tiers(record["tiers"]):
                text_id = f"crisis.{category}.{tier.value}.{rules[0].rpartition('.')[2]}"
                text = self._text(text_id, record["family"].text(), node)
                found.append(Special(category, tier, rules, text))
        return tuple(found)

    def more(self, nodes: list[Node]) -> dict[tuple[str, Tier], tuple[CrisisText, ...]]:
        """Family and tier to the replies for the second time and later."""
        found: dict[tuple[str, Tier], tuple[CrisisText, ...]] = {}
        for node in nodes:
            record = node.record(
                {"families", "tiers", "text", "question", "asked", "help", "sources"}, {"buttons"}
            )
            for family in record["families"].texts():
                for tier in _tiers(record["tiers"]):
                    before = found.get((family, tier), ())
                    text_id = f"crisis.more.{family}.{tier.value}.{len(before) + 2}"
                    found[family, tier] = (*before, self._text(text_id, family, node))
        return found

    def follow_ups(self, nodes: list[Node]) -> tuple[FollowUp, ...]:
        """What comes after an answer, in the order of the files."""
        found = []
        for node in nodes:
            record = node.record(
                {"id", "kind", "text", "help", "sources"},
                {
                    *("families", "tiers", "after", "since", "about"),
                    *("question", "asked", "buttons"),
                },
            )
            text_id, kind = record["id"].text(), record["kind"].text()
            if not text_id.startswith(f"{kind}."):
                raise record["id"].error(f"{text_id!r} must start with its kind, {kind}.")
            nothing: tuple[str, ...] = ()
            after = record.get("after", Node.texts, nothing)
            for asked in after:
                if asked not in self.questions:
                    raise record["after"].error(f"no such safety question: {asked}")
            found.append(
                FollowUp(
                    kind=kind,
                    reply=self._text(f"crisis.{text_id}", "", node),
                    families=record.get("families", Node.texts, nothing),
                    tiers=record.get("tiers", _tiers, ()),
                    after=after,
                    since=tuple(
                        f"crisis.{one}" for one in record.get("since", Node.texts, nothing)
                    ),
                    about=record.get("about", Node.texts, nothing),
                )
            )
        ids = {one.reply.id for one in found}
        for node, one in zip(nodes, found, strict=True):
            if unknown := set(one.since) - ids:
                raise node.error(f"no such follow-up: {', '.join(sorted(unknown))}")
        return tuple(found)

    def echo(self, node: Node) -> Echo:
        """An acknowledgement close to her own words."""
        record = node.record({"say"}, {"categories", "rules", "words", "near"})
        nothing: tuple[str, ...] = ()
        categories = record.get("categories", Node.texts, nothing)
        if unknown := set(categories) - set(CATEGORIES):
            raise node.error(f"no such category: {', '.join(sorted(unknown))}")
        return Echo(
            say=self.varying(record["say"]),
            categories=categories,
            rules=record.get("rules", Node.texts, nothing),
            words=tuple(word.lower() for word in record.get("words", Node.texts, nothing)),
            near=record.get("near", Node.flag, False),
        )

    def foreign(self, node: Node) -> Foreign:
        """The fixed replies in a language."""
        record = node.record(
            {"rules", "first", "follow_ups", "choices", "forms", "emergency_unknown", "or"}
        )
        first = tuple(map(self._foreign_text, record["first"].items()))
        if len(first) < 2:
            raise record["first"].error("two texts are needed", "one for the second time")
        later = record["follow_ups"].fields()
        if OTHER not in later:
            raise record["follow_ups"].error(f"{OTHER!r} is missing", "it fits every other kind")
        return Foreign(
            rules=record["rules"].texts(),
            first=first,
            follow_ups={kind: self._foreign_text(text) for kind, text in later.items()},
            choices={
                question: {value: title.text() for value, title in titles.fields().items()}
                for question, titles in record["choices"].fields().items()
            },
            forms={name: form.text() for name, form in record["forms"].fields().items()},
            emergency_unknown=record["emergency_unknown"].text(),
            joint=record["or"].text(),
        )

    def _foreign_text(self, node: Node) -> ForeignText:
        record = node.record({"text", "asked"})
        return ForeignText(self.varying(record["text"]), self._question(record.found["asked"]))

    def _question(self, node: Node) -> str | None:
        asked = None if node.is_null() else node.text()
        if asked not in (None, SAME, *self.questions):
            raise node.error(f"no such safety question: {asked}")
        return asked

    def _asked(self, node: Node | None) -> tuple[str | None, Mapping[str, str | None]]:
        """The question that is put, and the places of the baby where it is another one."""
        if node is None:
            return None, {}
        if isinstance(node.raw, yaml.ScalarNode):
            return self._question(node), {}
        record = node.record({"default"}, set(BABY))
        special = {key: self._question(record.found[key]) for key in BABY if key in record.found}
        return self._question(record.found["default"]), special

    def _text(self, text_id: str, family: str, node: Node) -> CrisisText:
        if text_id in self.ids:
            raise node.error(f"{text_id!r} is there twice")
        self.ids.add(text_id)
        fields = node.fields()
        asked, asked_by_baby = self._asked(fields.get("asked"))
        question = fields.get("question")
        buttons = fields.get("buttons")
        return CrisisText(
            id=text_id,
            family=family,
            text=self.varying(fields["text"]),
            question=(
                Varying("") if question is None or question.is_null() else self.varying(question)
            ),
            asked=asked,
            asked_by_baby=asked_by_baby,
            help=_kinds(fields["help"]),
            buttons=() if buttons is None else _choices(buttons),
            sources=fields["sources"].texts(),
        )


SLOT = re.compile(r"\{([a-z_]+)\}")


def slots_of(text: str) -> tuple[str, ...]:
    """Names of the slots in `text`."""
    return tuple(SLOT.findall(text))


def _tiers(node: Node) -> tuple[Tier, ...]:
    found = tuple(item.one_of(Tier) for item in node.items())
    if Tier.NONE in found:
        raise node.error("tier none has no crisis reply")
    return found


def _kinds(node: Node) -> tuple[Kind, ...]:
    return tuple(item.one_of(Kind) for item in node.items())


def _message(text_id: str, node: Node) -> Message:
    record = node.record({"text"}, {"buttons", "asked", "help"})
    return Message(
        id=text_id,
        text=_lines(record["text"]),
        buttons=record.get("buttons", _choices, ()),
        asked=record.get("asked", Node.text, None),
        help=record.get("help", _kinds, ()),
    )


def _care(node: Node) -> Care:
    record = node.record({"levels", "findings"})
    labels: dict[Level, str] = {}
    lines: dict[Level, tuple[Kind, ...]] = {}
    for name, item in record["levels"].fields().items():
        try:
            level = Level(name)
        except ValueError:
            raise item.error(f"no such level: {name}") from None
        entry = item.record({"label", "help"})
        labels[level], lines[level] = entry["label"].text(), _kinds(entry["help"])
    if missing := [level.value for level in Level if level not in labels]:
        raise record["levels"].error(f"missing: {', '.join(missing)}")
    found = [item.record({"finding", "values", "help"}) for item in record["findings"].items()]
    return Care(
        labels=labels,
        help=lines,
        by_finding=tuple(
            (r["finding"].text(), r["values"].texts(), _kinds(r["help"])) for r in found
        ),
    )


def _words(node: Node) -> Words:
    record = node.record({"longest_sentence", "never"})
    return Words(record["longest_sentence"].integer(), record["never"].texts())


def fits_all(follow_up: FollowUp) -> bool:
    """Whether it fits every crisis and every question."""
    narrow = (follow_up.families, follow_up.tiers, follow_up.after, follow_up.since)
    return not any((*narrow, follow_up.about))


def _complete(
    folder: Path,
    crisis: Mapping[tuple[str, Tier], CrisisText],
    more: Mapping[tuple[str, Tier], tuple[CrisisText, ...]],
    acks: Mapping[str, Varying],
    follow_ups: tuple[FollowUp, ...],
    questions: Iterable[SafetyQuestion | OpenQuestion],
) -> None:
    """Nothing that an assessment or an answer can lead to is missing."""
    for category in (*CATEGORIES, ANY):
        if category not in acks:
            raise ContentError(folder, 1, f"no acknowledgement for {category}")
        for tier in TIERS:
            entry = crisis.get((category, tier))
            if entry is None:
                raise ContentError(folder, 1, f"no crisis text for {category}, {tier.value}")
            if len(more.get((entry.family, tier), ())) < 2:
                reason = f"family {entry.family} needs two more texts for {tier.value}"
                raise ContentError(folder, 1, reason, "she must not get the same reply twice")
    kinds = {f.kind for f in follow_ups if fits_all(f)}
    for question in questions:
        for value, kind in question.then.items():
            if kind not in kinds:
                reason = f"{question.id}, {value}: no follow-up {kind!r} that fits every family"
                raise ContentError(folder, 1, reason)
