"""Crisis replies: which one comes next, and how it reads for her country and situation.

Works on loaded objects only, and raises for no assessment, country or history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ebb.knowledge.helplines import HelpLines, names
from ebb.knowledge.replies import ANY, SAME, TIERS, CrisisText, FollowUp, Foreign, Replies, Varying
from ebb.replies.fill import fill, nested, resolved
from ebb.replies.lines import Numbers
from ebb.types import JSON, Assessment, Button, Reply, Tier

ANSWER = '/inform{{"answer": "{name}={value}"}}'
"""Payload of a button that answers a question."""
SAFE_NOW = "safety.now"
COUNTRY, CHANGE_COUNTRY = "country", "/change_country"


class CrisisReplies:
    """Chooses among the texts, fills in numbers, never says the same twice in a row."""

    def __init__(self, replies: Replies, helplines: HelpLines, numbers: Numbers) -> None:
        self._replies = replies
        self._helplines = helplines
        self._numbers = numbers
        self._known = _by_id(replies)

    def first_or_more(
        self,
        assessment: Assessment,
        country: str | None,
        seen: Sequence[str],
        baby: str | None,
        language: str | None,
    ) -> Reply:
        """The reply to a message that shows danger.

        The first text of its category, or, where she got one of its family that was as urgent,
        the text for later times that she has not seen, or saw longest ago.
        """
        tier = assessment.tier if assessment.tier in TIERS else Tier.CHECK
        category = assessment.category or ANY
        entry = self._replies.crisis.get((category, tier))
        if entry is None:
            category, entry = ANY, self._replies.crisis[ANY, tier]
        if foreign := self._replies.languages.get(language or ""):
            return self._foreign(entry, foreign, language or "", country, seen)
        if self._had(entry.family, tier, seen):
            later = self._replies.more.get((entry.family, tier), (entry,))
            entry = self._freshest(later, seen)
        ack = self._replies.acks.get(category, Varying(""))
        return self._reply(entry, country, baby, ack=ack.at(baby))

    def follow_up(
        self,
        kind: str,
        asked: str | None,
        country: str | None,
        seen: Sequence[str],
        baby: str | None,
    ) -> Reply | None:
        """The reply after an answer to a safety question; None if there is no such kind.

        `asked` is the question that was answered; without it, the one that was put last.
        """
        asked = asked or self._asked_last(seen)
        family = self._family(seen)
        fitting = [
            f for f in self._replies.follow_ups if f.kind == kind and _fits(f, family, asked)
        ]
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
            for reply_id in _foreign_ids(language, content)
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

    def _freshest(self, entries: Sequence[CrisisText], seen: Sequence[str]) -> CrisisText:
        """The entry she never saw, else the one she saw longest ago."""
        latest = {reply_id: index for index, reply_id in enumerate(seen)}
        return min(entries, key=lambda entry: latest.get(entry.id, -1))

    def _family(self, seen: Sequence[str]) -> str:
        for reply_id in reversed(seen):
            entry = self._known.get(reply_id)
            if entry is not None and entry.family:
                return entry.family
        return ""

    def _asked_last(self, seen: Sequence[str]) -> str | None:
        for reply_id in reversed(seen):
            entry = self._known.get(reply_id)
            if entry is not None and entry.asked and entry.asked != SAME:
                return entry.asked
        return None

    def _question_put(self, asked: str, seen: Sequence[str], baby: str | None) -> str:
        """The words in which `asked` was put last."""
        for reply_id in reversed(seen):
            entry = self._known.get(reply_id)
            if entry is not None and entry.asked == asked:
                return entry.question.at(baby)
        question = self._replies.safety_questions.get(asked)
        return question.ask if question else ""

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
        asked = asked_before if entry.asked == SAME else entry.asked
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

    def _foreign(
        self,
        entry: CrisisText,
        foreign: Foreign,
        language: str,
        country: str | None,
        seen: Sequence[str],
    ) -> Reply:
        """A fixed reply in her language, never the same twice in a row."""
        ids = _foreign_ids(language, foreign)
        latest = {reply_id: index for index, reply_id in enumerate(seen)}
        reply_id = min(ids, key=lambda one: latest.get(one, -1))
        lines = self._numbers.in_text(country, entry.help)
        slots = {"emergency": self._numbers.emergency(country, foreign), "lines": lines}
        buttons = () if self._numbers.known(country) else self.country_buttons()
        return Reply(
            id=reply_id,
            text=fill(foreign.texts[ids[reply_id]], slots),
            buttons=buttons,
            card=self._numbers.card(country, entry.help),
            asked=SAFE_NOW,
            meta=_meta(lines, entry.sources),
        )


def _foreign_ids(language: str, foreign: Foreign) -> dict[str, int]:
    """Reply id to the place of its text."""
    first = f"crisis.language.{language}"
    return {f"{first}.{n + 1}" if n else first: n for n in range(len(foreign.texts))}


def _meta(lines: str, sources: Sequence[str]) -> Mapping[str, JSON]:
    """`lines` is the part of the text that the card repeats, so that plain text can leave it."""
    kept: list[JSON] = list(sources)
    return {"lines": lines, "sources": kept}


def _by_id(replies: Replies) -> dict[str, CrisisText]:
    texts = [*replies.crisis.values(), *(f.reply for f in replies.follow_ups)]
    texts += [text for entries in replies.more.values() for text in entries]
    return {text.id: text for text in texts}


def _tier(reply_id: str) -> Tier | None:
    """The tier in the id of a crisis text; follow-ups have none."""
    for part in reply_id.split("."):
        for tier in TIERS:
            if part == tier.value:
                return tier
    return None


def _fits(follow_up: FollowUp, family: str, asked: str | None) -> bool:
    right_family = not follow_up.families or family in follow_up.families
    return right_family and (not follow_up.after or asked in follow_up.after)


def _closeness(follow_up: FollowUp) -> int:
    return bool(follow_up.families) + bool(follow_up.after)
