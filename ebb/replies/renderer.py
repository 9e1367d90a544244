"""Everything Ebb can say, rendered. Built once from loaded knowledge; pure, and never raises.

A finding, outcome, message or kind that does not exist gives an honest line, never an error: on
the other side somebody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ebb.knowledge.helplines import HelpLines, Kind
from ebb.knowledge.replies import Message, Replies
from ebb.knowledge.service import Service
from ebb.knowledge.triage import SITUATION, OutcomeContent, Tables
from ebb.replies.crisis import ANSWER, CHANGE_COUNTRY, COUNTRY, CrisisReplies
from ebb.replies.fill import enumerated, fill, fill_once, resolved
from ebb.replies.lines import Numbers
from ebb.replies.plain import Plain
from ebb.replies.summary import Summary
from ebb.types import (
    JSON,
    NOT_SURE,
    REFUSED,
    Assessment,
    Button,
    Finding,
    Findings,
    Outcome,
    Reply,
    Why,
)

WITHOUT_BABY = ("died", "not_born")
"""Values of `baby_situation` with which no text speaks of a baby to look after."""
SUMMARY = ANSWER.format(name="request", value="summary")
"""Payload of the button that asks for the summary."""
SayBack = Callable[[str, str], "str | None"]
"""Finding id and value to the clause after "You said", or None where there is none."""


class Renderer:
    """Turns decisions into messages. `say_back` gives her answers in words (see `SayBack`)."""

    def __init__(
        self,
        replies: Replies,
        helplines: HelpLines,
        service: Service,
        tables: Tables,
        say_back: SayBack | None = None,
        source_title: Callable[[str], str | None] | None = None,
    ) -> None:
        self._replies = replies
        self._service = service
        self._tables = tables
        self._say_back = say_back or (lambda _finding, _value: None)
        self._source_title = source_title or (lambda _source: None)
        self._numbers = Numbers(helplines, replies.fragments)
        self._crisis = CrisisReplies(replies, helplines, self._numbers)
        self._plain = Plain(replies.fragments)
        self._parts = resolved(replies.fragments, None)

    # ---- crisis

    def crisis(
        self,
        assessment: Assessment,
        country: str | None,
        seen: Sequence[str] = (),
        *,
        baby: str | None = None,
        language: str | None = None,
        words: str = "",
    ) -> Reply:
        """The reply to a message that shows danger; numbers in every one of them.

        `seen` are the ids of the crisis replies she got, oldest first; `baby` the value of
        `baby_situation`, if known; `language` a code with fixed texts of its own (es, fr), which
        else follows from the rules that fired; `words` what she wrote, which chooses among
        our acknowledgements and is never quoted.
        """
        return self._crisis.first_or_more(assessment, country, tuple(seen), baby, language, words)

    def crisis_follow_up(
        self,
        kind: str,
        asked: str | None,
        country: str | None,
        seen: Sequence[str] = (),
        assessment: Assessment | None = None,
        *,
        baby: str | None = None,
        about: str | None = None,
    ) -> Reply:
        """The reply after an answer to the safety question `asked`.

        `kind` comes from `follow_up_kind`; or it is `again`, for no clear answer, or `later`, for
        a check when her other question was answered. Any other is met with the crisis reply for
        `assessment`. `about` is "dmer" where she told that it comes with the milk.
        """
        reply = self._crisis.follow_up(kind, asked, country, tuple(seen), baby, about)
        return reply or self.crisis(assessment or Assessment(), country, seen, baby=baby)

    def follow_up_kind(self, asked: str, value: str) -> str | None:
        """The kind of follow-up for an answer (yes, no, not_sure, feeding ...) to `asked`."""
        return self._crisis.kind_after(asked, value)

    def safety_answers(self) -> tuple[Button, ...]:
        """All answers to safety questions that can be tapped."""
        questions = self._crisis.questions
        return tuple(b for name in questions for b in self._crisis.question_buttons(name))

    def heard(self, asked: str, said: str) -> str | None:
        """The answer to the question or offer `asked` that words of `said` name.

        `said` is a message as canonical tokens, between blanks.
        """
        return self._crisis.heard(asked, said)

    def settles(self, reply_id: str) -> bool:
        """Whether this crisis reply took her at her word that she is safe."""
        return self._crisis.settles(reply_id)

    @property
    def crisis_ids(self) -> frozenset[str]:
        """The ids of all crisis replies, follow-ups included."""
        return self._crisis.ids

    # ---- questions

    def question(
        self,
        finding: str,
        values: Findings,
        *,
        remaining: int = 0,
        tries: int = 0,
        heard: Sequence[Finding] = (),
        first: bool = False,
    ) -> Reply:
        """The question for `finding`. `tries`: how often it was put before, without an answer.

        `heard` is what she said freely just now, said back to her; `first` adds how it works.
        """
        question = self._tables.questions.get(finding)
        if question is None:
            return self.message("question.stale")
        ask = question.ask_in(values.get(SITUATION)) or question.again
        form = ("", ".again", ".explain")[min(max(tries, 0), 2)]
        asking = {"": ask, ".again": question.again}.get(form, "")
        lines = [self._said([(f.id, f.value) for f in heard])]
        if form == ".explain":
            lines += [question.explain, question.again]
        else:
            lines += [self._text("question.intro") if first else "", asking]
        lines.append(self._progress(remaining) if tries <= 0 else "")
        buttons = [
            self._answer(finding, b.value, b.title)
            for b in question.buttons
            if values.get(SITUATION) not in b.not_when
        ]
        buttons.append(self._answer(finding, NOT_SURE, self._part("not_sure")))
        if question.refusable:
            buttons.append(self._answer(finding, REFUSED, self._part("refused")))
        buttons.append(Button(self._part("go_back"), "/go_back"))
        return Reply(
            id=f"question.{finding}{form}",
            text=fill_once("\n".join(lines), {}),
            buttons=tuple(buttons),
            asked=finding,
        )

    def _progress(self, remaining: int) -> str:
        if remaining <= 0:
            return ""
        if remaining == 1:
            return self._part("remaining_one")
        return fill_once(self._part("remaining_many"), {"count": str(remaining)})

    def _answer(self, finding: str, value: str, title: str) -> Button:
        return Button(title, ANSWER.format(name=finding, value=value))

    def _said(self, answers: Iterable[tuple[str, str]]) -> str:
        clauses = [self._say_back(finding, value) or "" for finding, value in answers]
        told = enumerated(dict.fromkeys(c for c in clauses if c), self._part("and"))
        return fill_once(self._part("said"), {"clauses": told}) if told else ""

    # ---- outcomes

    def outcome(
        self,
        outcome: Outcome,
        findings: Sequence[Finding],
        country: str | None,
        *,
        changed: bool = False,
    ) -> Reply:
        """Where the triage ended, as a care card. `changed`: she was told something else before."""
        values = {finding.id: finding.value for finding in findings}
        baby = values.get(SITUATION)
        content = self._tables.outcomes.get(outcome.id)
        if content is None:
            return self.failed(country)
        content = content.told_in(baby)
        signed = content.reviewed_by is not None
        text = [
            self._text("outcome.changed") if changed else "",
            content.fits,
            "" if signed else self._text("outcome.unsigned"),
        ]
        return Reply(
            id=f"outcome.{outcome.id}",
            text=fill_once("\n".join(text), {}),
            buttons=(
                Button(self._part("why"), "/show_why"),
                Button(self._part("summary_button"), SUMMARY),
                Button(self._part("human"), "/ask_human"),
                Button(self._part("menu"), "/menu"),
                *self._country_button(country),
            ),
            card=self._care_card(outcome, content, values, country),
            meta={"sources": _json(content.sources)},
        )

    def _country_button(self, country: str | None) -> tuple[Button, ...]:
        """One tap to say where she is, while that is not known."""
        if self._numbers.known(country):
            return ()
        return (Button(self._part("country_set"), CHANGE_COUNTRY),)

    def _care_card(
        self, outcome: Outcome, content: OutcomeContent, values: Findings, country: str | None
    ) -> dict[str, JSON]:
        kinds = self._kinds(outcome, content, values)
        return {
            "type": "care_card",
            "level": outcome.level.value,
            "label": self._replies.care.labels.get(outcome.level, ""),
            "heading": content.heading,
            "items": _json(content.do),
            "actions": self._numbers.actions(country, kinds),
            "reasons": [_reason(why) for why in outcome.why],
            "sources": _json(content.sources),
            "come_back_if": _json(content.come_back_if),
            "practical": _json(content.practical),
        }

    def _kinds(
        self, outcome: Outcome, content: OutcomeContent, values: Findings
    ) -> tuple[Kind, ...]:
        """Help lines on the card: for the level, for the outcome, for what she told."""
        care = self._replies.care
        told = [kind for f, of, kinds in care.by_finding if values.get(f) in of for kind in kinds]
        own = [kind for kind in Kind if kind.value in content.lines]
        chosen = dict.fromkeys((*care.help.get(outcome.level, ()), *told, *own))
        return tuple(sorted(chosen, key=lambda kind: kind is not Kind.EMERGENCY))

    def why(self, outcome: Outcome, findings: Sequence[Finding] = ()) -> Reply:
        """The reasons of an outcome, in words, with the sources behind them."""
        values = {finding.id: finding.value for finding in findings}
        reasons = "\n".join(dict.fromkeys(why.reason for why in outcome.why if why.reason))
        if not reasons:
            return self.message("no_reasons_yet")
        without_baby = values.get(SITUATION) in WITHOUT_BABY
        name = "why.outcome.no_baby" if without_baby else "why.outcome"
        sources = tuple(dict.fromkeys(source for why in outcome.why for source in why.sources))
        said = self._said(values.items())
        reply = self.message(name, said=said, reasons=reasons, sources=self._titles(sources))
        return Reply(
            reply.id, reply.text, reply.buttons, reply.card, meta={"sources": _json(sources)}
        )

    def sources(self, sources: Sequence[str]) -> Reply:
        """The sources of an answer."""
        if not sources:
            return self.message("no_sources")
        reply = self.message("sources", sources=self._titles(sources))
        return Reply(reply.id, reply.text, reply.buttons, meta={"sources": _json(sources)})

    def _titles(self, sources: Sequence[str]) -> str:
        return "\n".join(self._source_title(source) or source for source in sources)

    def clause(self, finding: str, value: str) -> str | None:
        """What she said of `finding`, as the clause after "You said"."""
        return self._say_back(finding, value)

    def answer_title(self, finding: str, value: str) -> str:
        """The words of the button that stands for an answer."""
        question = self._tables.questions.get(finding)
        titles = {b.value: b.title for b in question.buttons} if question else {}
        titles |= {NOT_SURE: self._part("not_sure"), REFUSED: self._part("refused")}
        return titles.get(value, value)

    def summary(self, summary: Summary, findings: Findings | None = None) -> Reply:
        """One page to show to a professional."""
        situation = (findings or {}).get(SITUATION)
        fits = [
            self._tables.outcomes[outcome.id].told_in(situation).fits
            for outcome in summary.outcomes
            if outcome.id in self._tables.outcomes
        ]
        reasons = [why.reason for outcome in summary.outcomes for why in outcome.why]
        parts: list[tuple[str, list[str]]] = [
            (
                "summary.answers",
                [f"{said.at}: {said.clause}" if said.at else said.clause for said in summary.said],
            ),
            ("summary.pattern", fits),
            ("summary.reasons", list(dict.fromkeys(reasons))),
            ("summary.red_flags", [f"{asked}: {answer}" for asked, answer in summary.red_flags]),
            ("summary.scores", list(summary.scores)),
            ("summary.questions", list(summary.questions)),
        ]
        sections: list[JSON] = [
            {"heading": self._text(name), "items": _json(items)} for name, items in parts if items
        ]
        if not sections:
            return self.message("summary.empty")
        message = self.message("summary")
        card: dict[str, JSON] = {
            "type": "summary",
            "title": self._text("summary.title"),
            "made": summary.made,
            "name_line": self._text("summary.name_line"),
            "sections": sections,
            "note": self._text("summary.note"),
        }
        return Reply(message.id, message.text, message.buttons, card)

    # ---- help

    def help_lines(self, country: str | None, kinds: Iterable[str | Kind] = ()) -> Reply:
        """The lines of these kinds; all that may be shown where none is named."""
        known = {kind.value: kind for kind in Kind}
        wanted = [known[str(getattr(k, "value", k))] for k in kinds if _kind(k) in known]
        return self._message("help_lines", country, tuple(wanted) or tuple(Kind), {})

    def human(self, country: str | None) -> Reply:
        """How to reach a person. Never says that somebody was told, or will write or call."""
        contact = self._service.contact
        if not contact.reachable:
            return self._message("human.none", country, None, {})
        reach = "\n".join(way for way in (contact.tel, contact.email, contact.url) if way)
        return self._message(
            "human.host",
            country,
            None,
            {
                "contact": contact.name or self._service.name or self._part("host"),
                "reach": reach,
                "hours": (
                    fill_once(self._part("hours"), {"hours": contact.hours})
                    if contact.hours
                    else ""
                ),
            },
        )

    def failed(self, country: str | None) -> Reply:
        """The line for when anything went wrong: honest, private, with numbers."""
        return self._message("failed", country, None, {})

    def country_set(self, country: str | None) -> Reply:
        """Her country's lines; where there are none, so and not others."""
        if not self._numbers.known(country):
            return self._message("country.unknown", country, None, {})
        name = self._numbers.name(country)
        return self._message("country.confirmed", country, None, {"country": name})

    # ---- finding the way

    def menu(self, *, baby: str | None = None) -> Reply:
        """What she can talk about, where the baby is (a value of `baby_situation`)."""
        return self._message(self._for(baby, "menu"), self._service.country, None, {})

    def can_offer(self, intent: str) -> bool:
        """Whether `intent` may be a choice of "did you mean"."""
        return intent in self._replies.intent_names

    def did_you_mean(self, intents: Sequence[str], *, baby: str | None = None) -> Reply:
        """The likely topics as choices; without any, the line for a first miss."""
        hidden = self._replies.not_without_baby if baby in WITHOUT_BABY else ()
        names = [
            (intent, self._replies.intent_names[intent])
            for intent in intents
            if self.can_offer(intent) and intent not in hidden
        ]
        if not names:
            return self.message(self._for(baby, "fallback.1"))
        reply = self.message("did_you_mean")
        buttons = [Button(name, f"/{intent}") for intent, name in dict(names).items()]
        buttons.append(Button(self._part("none_of_these"), "/out_of_scope"))
        return Reply(reply.id, reply.text, tuple(buttons))

    def missed_twice(self, country: str | None, *, baby: str | None = None) -> Reply:
        """After a second miss: topics, and how to reach a person."""
        return self._message(self._for(baby, "fallback.2"), country, None, {})

    def _for(self, baby: str | None, name: str) -> str:
        """The message `name`, or the one that replaces it where the baby is."""
        special = f"{name}.{baby}"
        return special if special in self._replies.messages else name

    # ---- the rest

    def message(self, name: str, country: str | None = None, **slots: str) -> Reply:
        """The message `name` with its slots filled. One that does not exist gives `failed`."""
        return self._message(name, country or self._service.country, None, slots)

    def plain(self, reply: Reply) -> str:
        """`reply` for a channel that shows text only."""
        return self._plain.text(reply)

    def _message(
        self,
        name: str,
        country: str | None,
        kinds: tuple[Kind, ...] | None,
        slots: dict[str, str],
    ) -> Reply:
        message = self._replies.messages.get(name) or self._replies.messages["failed"]
        kinds = message.help if kinds is None else kinds
        lines = self._numbers.in_text(country, kinds) if kinds else ""
        numbers = {"emergency": self._numbers.emergency(country), "lines": lines}
        # What is not ours goes in last, so that no slot in it is filled.
        text = self._numbers.explained(_without(message.text, slots), country)
        ours = fill(text, self._parts | numbers)
        card: dict[str, JSON] | None = self._numbers.card(country, kinds) if kinds else None
        return Reply(
            id=message.id,
            text=fill_once(_with(ours), slots),
            buttons=self._buttons(message, country, bool(kinds)),
            card=card,
            asked=message.asked,
            meta={"lines": lines} if lines else {},
        )

    def _buttons(
        self, message: Message, country: str | None, has_lines: bool
    ) -> tuple[Button, ...]:
        if message.asked == COUNTRY:
            return self._crisis.country_buttons(every=True)
        buttons = tuple(Button(choice.title, choice.payload) for choice in message.buttons)
        if not has_lines or any(b.payload == CHANGE_COUNTRY for b in buttons):
            return buttons
        return buttons + self._country_button(country)

    def _text(self, name: str) -> str:
        message = self._replies.messages.get(name)
        return message.text if message else ""

    def _part(self, name: str) -> str:
        return self._parts.get(name, "")


def _kind(kind: str | Kind) -> str:
    return kind.value if isinstance(kind, Kind) else str(kind)


def _without(text: str, slots: dict[str, str]) -> str:
    """`text` with the caller's slots put out of reach of ours."""
    for name in slots:
        text = text.replace(f"{{{name}}}", f"\x02{name}\x03")
    return text


def _with(text: str) -> str:
    return text.replace("\x02", "{").replace("\x03", "}")


def _reason(why: Why) -> JSON:
    return {"row": why.row, "text": why.reason, "sources": _json(why.sources)}


def _json(texts: Iterable[str]) -> list[JSON]:
    return list(texts)
