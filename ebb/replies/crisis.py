"""Crisis replies: which one comes next, and how it reads for her country and situation.

Works on loaded objects only, and raises for no assessment, country or history.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ebb.knowledge.helplines import HelpLines, Kind, names
from ebb.knowledge.replies import (
    ANY,
    OTHER,
    SAME,
    TIERS,
    CrisisText,
    Echo,
    FollowUp,
    Foreign,
    ForeignText,
    Replies,
    Varying,
)
from ebb.replies.fill import fill, nested, resolved
from ebb.replies.lines import Numbers
from ebb.types import JSON, Assessment, Button, Reply, Tier

ANSWER = '/inform{{"answer": "{name}={value}"}}'
"""Payload of a button that answers a question."""
SAFE_NOW, SAFE = "safety.now", "safe"
NEAR = 30
"""How many characters before what fired are near it."""
COUNTRY, CHANGE_COUNTRY = "country", "/change_country"


class CrisisReplies:
    """Chooses among the texts, fills in numbers, never says the same twice in a row."""

    def __init__(self, replies: Replies, helplines: HelpLines, numbers: Numbers) -> None:
        self._replies = replies
        self._helplines = helplines
        self._numbers = numbers
        self._known = _by_id(replies)
        self._turning = {one for follow_up in replies.follow_ups for one in follow_up.since}

    def first_or_more(
        self,
        assessment: Assessment,
        country: str | None,
        seen: Sequence[str],
        baby: str | None,
        language: str | None,
        words: str = "",
    ) -> Reply:
        """The reply to a message that shows danger.

        The first text of its category, or, where she got one of its family that was as urgent,
        the text for later times that she has not seen, or saw longest ago. `words` is what she
        wrote, to choose an acknowledgement close to it; none of it is quoted.
        """
        tier = assessment.tier if assessment.tier in TIERS else Tier.CHECK
        category = assessment.category or ANY
        entry = self._replies.crisis.get((category, tier))
        if entry is None:
            category, entry = ANY, self._replies.crisis[ANY, tier]
        entry = self._special(assessment, tier) or entry
        language = language or self._language_of(assessment.rules)
        if foreign := self._replies.languages.get(language or ""):
            ids = _foreign_ids(language or "", foreign)
            latest = {reply_id: index for index, reply_id in enumerate(seen)}
            reply_id = min(ids, key=lambda one: latest.get(one, -1))
            content = ids[reply_id]
            return self._foreign(reply_id, content, foreign, country, baby, entry.help)
        if self._had(entry.family, tier, seen):
            later = self._replies.more.get((entry.family, tier), (entry,))
            entry = self._freshest(later, seen)
        ack = self._echo(assessment, words) or self._replies.acks.get(category, Varying(""))
        return self._reply(entry, country, baby, ack=ack.at(baby))

    def follow_up(
        self,
        kind: str,
        asked: str | None,
        country: str | None,
        seen: Sequence[str],
        baby: str | None,
        about: str | None = None,
    ) -> Reply | None:
        """The reply after an answer to a safety question; None if there is no such kind.

        `asked` is the question that was answered; without it, the one that was put last.
        `about` is what she talks of, where a text knows more of it.
        """
        known = [f for f in self._replies.follow_ups if f.kind == kind]
        if not known:
            return None
        if (found := self._foreign_follow_up(kind, country, seen, baby)) is not None:
            return found
        asked = asked or self._asked_last(seen, baby)
        crisis = self._crisis_of(seen)
        stand = _Stand(crisis[0], crisis[1], asked, self._turned_on(seen), about)
        fitting = [f for f in known if _fits(f, stand)]
        if not fitting:
            return None
        closest = max(_closeness(f) for f in fitting)
        best = [f.reply for f in fitting if _closeness(f) == closest]
        if seen and [entry.id for entry in best] == [seen[-1]]:
            best = [f.reply for f in fitting]
        asked = asked or SAFE_NOW
        return self._reply(
            self._freshest(best, seen),
            country,
            baby,
            last_question=self._question_put(asked, seen, baby),
            asked_before=asked,
        )

    def kind_after(self, asked: str, value: str) -> str | None:
        """The kind of follow-up that `value`, an answer to the question `asked`, leads to."""
        question = self._replies.safety_questions.get(asked)
        then = question.then if question else {}
        if asked in self._replies.open_questions:
            then = self._replies.open_questions[asked].then
        return then.get(value)

    def heard(self, asked: str, said: str) -> str | None:
        """The first answer to `asked` that is named by words of `said` (canonical tokens)."""
        question = self._replies.safety_questions.get(asked)
        offer = self._replies.open_questions.get(asked)
        named = question.heard if question else offer.heard if offer else {}
        for value, phrases in named.items():
            if any(f" {phrase} " in f" {said} " for phrase in phrases):
                return value
        return None

    def settles(self, reply_id: str) -> bool:
        """Whether this reply took her at her word that she is safe."""
        return any(f.reply.id == reply_id and f.kind == SAFE for f in self._replies.follow_ups)

    @property
    def questions(self) -> tuple[str, ...]:
        """The ids of the safety questions."""
        return tuple(self._replies.safety_questions)

    def question_buttons(self, asked: str | None) -> tuple[Button, ...]:
        """The answers that can be tapped for a safety question."""
        question = self._replies.safety_questions.get(asked or "")
        if question:
            return tuple(
                Button(title, ANSWER.format(name=question.id, value=value))
                for value, title in question.choices
            )
        other = self._replies.open_questions.get(asked or "")
        return tuple(Button(c.title, c.payload) for c in other.choices) if other else ()

    def country_buttons(self, *, every: bool = False) -> tuple[Button, ...]:
        """One tap for a country: the few likely ones, or all of them."""
        listed = dict(names(self._helplines.countries.values()))
        isos = tuple(listed) if every else self._replies.countries_first
        buttons = [
            Button(listed[iso], ANSWER.format(name=COUNTRY, value=iso))
            for iso in isos
            if iso in listed
        ]
        if not every:
            other = self._replies.fragments.get("country_other", Varying("")).default
            buttons.append(Button(other, CHANGE_COUNTRY))
        return tuple(button for button in buttons if button.title)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all crisis replies."""
        foreign = (
            reply_id
            for language, content in self._replies.languages.items()
            for reply_id in (
                *_foreign_ids(language, content),
                *(f"{_LANGUAGE}{language}.{kind}" for kind in content.follow_ups),
            )
        )
        return frozenset((*self._known, *foreign))

    # ---- choosing

    def _had(self, family: str, tier: Tier, seen: Sequence[str]) -> bool:
        """Whether she got a first or later text of this family that was at least as urgent."""
        for reply_id in seen:
            entry = self._known.get(reply_id)
            if entry is not None and entry.family == family:
                told = _tier(reply_id)
                if told is not None and told.rank >= tier.rank:
                    return True
        return False

    def _special(self, assessment: Assessment, tier: Tier) -> CrisisText | None:
        """The first text for what a rule found, if it has one of its own."""
        for one in self._replies.special:
            right_kind = (one.category, one.tier) == (assessment.category, tier)
            if right_kind and _by_one_of(assessment, one.rules):
                return one.reply
        return None

    def _freshest(self, entries: Sequence[CrisisText], seen: Sequence[str]) -> CrisisText:
        """The entry she never saw, else the one she saw longest ago."""
        latest = {reply_id: index for index, reply_id in enumerate(seen)}
        return min(entries, key=lambda entry: latest.get(entry.id, -1))

    def _crisis_of(self, seen: Sequence[str]) -> tuple[str, Tier | None]:
        """Family and tier of the last reply that met words of danger."""
        for reply_id in reversed(seen):
            entry = self._known.get(reply_id)
            if entry is not None and entry.family:
                return entry.family, _tier(reply_id)
        return "", None

    def _turned_on(self, seen: Sequence[str]) -> str | None:
        """The last follow-up that another one may come `since`, in this crisis."""
        for reply_id in reversed(seen):
            entry = self._known.get(reply_id)
            if entry is not None and (entry.family or reply_id in self._turning):
                return None if entry.family else reply_id
        return None

    def _asked_last(self, seen: Sequence[str], baby: str | None) -> str | None:
        for reply_id in reversed(seen):
            entry = self._known.get(reply_id)
            asked = entry.asked_at(baby) if entry is not None else None
            if asked and asked != SAME:
                return asked
        return None

    def _question_put(self, asked: str, seen: Sequence[str], baby: str | None) -> str:
        """The words in which `asked` was put last."""
        for reply_id in reversed(seen):
            entry = self._known.get(reply_id)
            if entry is not None and entry.asked_at(baby) == asked:
                return entry.question.at(baby)
        question = self._replies.safety_questions.get(asked)
        return question.ask if question else ""

    def _echo(self, assessment: Assessment, words: str) -> Varying | None:
        """The acknowledgement closest to what fired, if there is one for it."""
        fired, near = _said(words, assessment, 0), _said(words, assessment, NEAR)
        for echo in self._replies.echoes:
            if _echoes(echo, assessment, near if echo.near else fired):
                return echo.say
        return None

    # ---- rendering

    def _reply(
        self,
        entry: CrisisText,
        country: str | None,
        baby: str | None,
        *,
        ack: str = "",
        last_question: str = "",
        asked_before: str | None = None,
    ) -> Reply:
        lines = self._numbers.in_text(country, entry.help)
        slots = resolved(self._replies.fragments, baby) | {
            "emergency": self._numbers.emergency(country),
            "lines": lines,
            "ack": ack,
            "last_question": last_question,
        }
        asked = entry.asked_at(baby)
        asked = asked_before if asked == SAME else asked
        buttons = self.question_buttons(asked)
        buttons += tuple(Button(choice.title, choice.payload) for choice in entry.buttons)
        parts = [entry.text.at(baby)]
        if not self._numbers.known(country):
            parts.append("{country_ask}")
            buttons += self.country_buttons()
        parts.append(entry.question.at(baby))
        text = nested("\n".join(parts), slots, but={"emergency", "lines"})
        return Reply(
            id=entry.id,
            text=fill(self._numbers.explained(text, country), slots),
            buttons=buttons,
            card=self._numbers.card(country, entry.help),
            asked=asked,
            meta=_meta(lines, entry.sources),
        )

    # ---- other languages

    def _language_of(self, rules: Sequence[str]) -> str | None:
        """The language that the first of these rules recognises."""
        for language, foreign in self._replies.languages.items():
            if rules and any(_belongs(rules[0], rule) for rule in foreign.rules):
                return language
        return None

    def _foreign_follow_up(
        self, kind: str, country: str | None, seen: Sequence[str], baby: str | None
    ) -> Reply | None:
        """The follow-up in the language of the last crisis reply, if that was not English."""
        language = _language(seen[-1]) if seen else None
        foreign = self._replies.languages.get(language or "")
        if foreign is None:
            return None
        content = foreign.follow_ups.get(kind, foreign.follow_ups[OTHER])
        said = kind if kind in foreign.follow_ups else OTHER
        reply_id = f"{_LANGUAGE}{language}.{said}"
        if reply_id == seen[-1]:
            reply_id, content = f"{_LANGUAGE}{language}.{OTHER}", foreign.follow_ups[OTHER]
        kinds = (Kind.EMERGENCY, Kind.CRISIS)
        return self._foreign(reply_id, content, foreign, country, baby, kinds)

    def _foreign(
        self,
        reply_id: str,
        content: ForeignText,
        foreign: Foreign,
        country: str | None,
        baby: str | None,
        kinds: Sequence[Kind],
    ) -> Reply:
        """A fixed reply in her language, with the numbers and a line in English."""
        lines = self._numbers.in_text(country, kinds, foreign.forms)
        slots = resolved(self._replies.fragments, baby)
        # The emergency number reads otherwise in the line of English.
        english = {"emergency": self._numbers.emergency(country)}
        slots["english"] = fill(slots.get("english", ""), english)
        slots |= {"emergency": self._numbers.emergency(country, foreign), "lines": lines}
        titles = foreign.choices.get(content.asked or "", {})
        buttons = tuple(
            Button(title, ANSWER.format(name=content.asked, value=value))
            for value, title in titles.items()
        )
        if not self._numbers.known(country):
            buttons += self.country_buttons()
        return Reply(
            id=reply_id,
            text=fill(content.text.at(baby), slots),
            buttons=buttons,
            card=self._numbers.card(country, kinds),
            asked=content.asked,
            meta=_meta(lines, ()),
        )


_LANGUAGE = "crisis.language."
_WORD = r"[\w']+"
_CURLY, _STRAIGHT = "\u2019", "'"


def _foreign_ids(language: str, foreign: Foreign) -> dict[str, ForeignText]:
    """The ids of the replies to danger, and their texts."""
    first = f"{_LANGUAGE}{language}"
    texts = enumerate(foreign.first, start=1)
    return {first if n == 1 else f"{first}.{n}": text for n, text in texts}


def _language(reply_id: str) -> str | None:
    """The language of a fixed reply."""
    found = reply_id.startswith(_LANGUAGE)
    return reply_id.removeprefix(_LANGUAGE).partition(".")[0] if found else None


def _by_one_of(assessment: Assessment, rules: Sequence[str]) -> bool:
    return any(_belongs(fired, rule) for fired in assessment.rules for rule in rules)


def _said(words: str, assessment: Assessment, before: int) -> str:
    """The words that fired, and as many characters before them, each between blanks."""
    fired = " ".join(
        words[max(0, span.start - before) : max(0, span.end)] for span in assessment.spans
    )
    return f" {' '.join(re.findall(_WORD, fired.lower().replace(_CURLY, _STRAIGHT)))} "


def _belongs(rule: str, family: str) -> bool:
    """Whether a rule is the one named, or of that family: "ideation" has "ideation.end_it"."""
    return rule == family or rule.startswith((f"{family}.", f"{family}_"))


def _echoes(echo: Echo, assessment: Assessment, said: str) -> bool:
    if echo.categories and assessment.category not in echo.categories:
        return False
    if echo.rules and not _by_one_of(assessment, echo.rules):
        return False
    return not echo.words or any(f" {word} " in said for word in echo.words)


def _meta(lines: str, sources: Sequence[str]) -> Mapping[str, JSON]:
    """`lines` is the part of the text that the card repeats, so that plain text can leave it."""
    kept: list[JSON] = list(sources)
    return {"lines": lines, "sources": kept}


def _by_id(replies: Replies) -> dict[str, CrisisText]:
    texts = [*replies.crisis.values(), *(f.reply for f in replies.follow_ups)]
    texts += [one.reply for one in replies.special]
    texts += [text for entries in replies.more.values() for text in entries]
    return {text.id: text for text in texts}


def _tier(reply_id: str) -> Tier | None:
    """The tier in the id of a crisis text; follow-ups have none."""
    for part in reply_id.split("."):
        for tier in TIERS:
            if part == tier.value:
                return tier
    return None


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where a crisis stands: what a follow-up has to fit."""

    family: str
    tier: Tier | None
    asked: str | None
    since: str | None
    about: str | None


def _fits(follow_up: FollowUp, stand: _Stand) -> bool:
    wanted = (
        (follow_up.families, stand.family),
        (follow_up.tiers, stand.tier),
        (follow_up.after, stand.asked),
        (follow_up.since, stand.since),
        (follow_up.about, stand.about),
    )
    return all(not allowed or found in allowed for allowed, found in wanted)


def _closeness(follow_up: FollowUp) -> int:
    narrow = (follow_up.families, follow_up.tiers, follow_up.after, follow_up.since)
    return sum(map(bool, narrow)) + 2 * bool(follow_up.about)
