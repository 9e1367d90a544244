"""Which help lines to show, and how they are said. Never a line of another country."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ebb.knowledge.helplines import HelpLines, Kind, Line, digits
from ebb.knowledge.replies import Foreign, Varying
from ebb.replies.fill import enumerated, fill_once
from ebb.types import JSON

EMERGENCY = "{emergency}"
IN_TEXT = 2
"""How many lines stand in a text; the card has them all."""


class Numbers:
    """Help lines by country. An unknown country, or None, gets the international fallback."""

    def __init__(self, helplines: HelpLines, fragments: Mapping[str, Varying]) -> None:
        self._helplines = helplines
        self._fragments = fragments

    def known(self, country: str | None) -> bool:
        """Whether there are records for `country`."""
        return self._helplines.find(country) is not None

    def name(self, country: str | None) -> str:
        """The country's name, or nothing."""
        found = self._helplines.find(country)
        return found.name if found else ""

    def iso(self, country: str | None) -> str:
        """The country's ISO code, or "international"."""
        return (self._helplines.find(country) or self._helplines.international).iso

    def emergency(self, country: str | None, foreign: Foreign | None = None) -> str:
        """The emergency number, or how to say it where the country is unknown."""
        found = self._helplines.find(country)
        if found is not None:
            for line in found.of(Kind.EMERGENCY):
                if line.tel:
                    return line.tel
        wording, joint = self._part("emergency_unknown"), self._part("or")
        if foreign is not None:
            wording, joint = foreign.emergency_unknown, foreign.joint
        numbers = [line.tel or "" for line in self._helplines.international.of(Kind.EMERGENCY)]
        return fill_once(wording, {"numbers": enumerated(numbers, joint)})

    def explained(self, text: str, country: str | None) -> str:
        """`text`, where for an unknown country a line with the usual emergency numbers follows
        the first line that says to call."""
        if self.known(country):
            return text
        numbers = [line.tel or "" for line in self._helplines.international.of(Kind.EMERGENCY)]
        listed = {"numbers": enumerated(numbers, self._part("or"))}
        usual = fill_once(self._part("emergency_numbers"), listed)
        lines = text.split("\n")
        for place, line in enumerate(lines):
            if EMERGENCY in line:
                return "\n".join([*lines[: place + 1], usual, *lines[place + 1 :]])
        return text

    def lines(self, country: str | None, kinds: Iterable[Kind]) -> tuple[Line, ...]:
        """The lines of these kinds, in this order.

        Where crisis lines are wanted and a country has none that may be shown, or hides one, the
        international directory comes last.
        """
        wanted = tuple(dict.fromkeys(kinds))
        international = self._helplines.international
        found = self._helplines.find(country) or international
        chosen: dict[str, Line] = {}
        for kind in wanted:
            for line in _of(found.lines, kind):
                chosen.setdefault(line.id, line)
        if found is not international and self._needs_directory(found.lines, wanted):
            for line in international.of(Kind.CRISIS)[:1]:
                chosen[line.id] = line
        return tuple(chosen.values())

    def _needs_directory(self, lines: Sequence[Line], kinds: Sequence[Kind]) -> bool:
        for kind in kinds:
            if kind is Kind.CRISIS and not _of(lines, kind):
                return True
            if any(line.kind is kind and not line.shown for line in lines):
                return True
        return False

    def in_text(
        self, country: str | None, kinds: Iterable[Kind], forms: Mapping[str, str] | None = None
    ) -> str:
        """The first lines as sentences, one a line. Emergency numbers are said elsewhere.

        `forms` says them in another language, without their hours.
        """
        lines = [line for line in self.lines(country, kinds) if line.kind is not Kind.EMERGENCY]
        spoken = [line for line in lines if line.tel or line.sms][:IN_TEXT]
        chosen = spoken or lines[:1]
        if forms is None:
            return "\n".join(self._sentence(line) for line in chosen)
        return "\n".join(fill_once(forms.get(_form(line), ""), _slots(line)) for line in chosen)

    def card(self, country: str | None, kinds: Iterable[Kind]) -> dict[str, JSON]:
        """The `help_lines` card."""
        lines: list[JSON] = [_as_json(line) for line in self.lines(country, kinds)]
        return {"type": "help_lines", "country": self.iso(country), "lines": lines}

    def actions(self, country: str | None, kinds: Iterable[Kind]) -> list[JSON]:
        """The actions of a care card: what can be called, sent or opened.

        A card is short: one emergency number where the country is known, and of every other
        kind the first lines only.
        """
        chosen: list[Line] = []
        for kind in dict.fromkeys(kinds):
            most = 1 if kind is Kind.EMERGENCY else IN_TEXT
            lines = [line for line in self.lines(country, (kind,)) if line not in chosen]
            if kind is Kind.EMERGENCY and not self.known(country):
                most = len(lines)
            chosen += [line for line in lines if line.tel or line.sms][:most] or lines[:1]
        return [action for line in chosen for action in self._actions(line)]

    def _actions(self, line: Line) -> list[JSON]:
        found: list[JSON] = []
        if line.tel:
            label = self._say("action_call", line)
            found.append({"label": label, "href": f"tel:{digits(line.tel)}"})
        if line.sms:
            label = self._say("action_keyword" if line.sms.keyword else "action_text", line)
            found.append({"label": label, "href": f"sms:{digits(line.sms.number)}"})
        if line.url and not found:
            found.append({"label": self._say("action_web", line), "href": line.url})
        return found

    def _sentence(self, line: Line) -> str:
        said = self._say(_form(line), line)
        return f"{said} {self._say('hours', line)}" if line.hours else said

    def _say(self, fragment: str, line: Line) -> str:
        return fill_once(self._part(fragment), _slots(line))

    def _part(self, name: str) -> str:
        varying = self._fragments.get(name)
        return varying.default if varying else ""


def _of(lines: Iterable[Line], kind: Kind) -> list[Line]:
    """Lines of a kind that may be shown; other lines that take people in a crisis come after."""
    shown = [line for line in lines if line.shown]
    found = [line for line in shown if line.kind is kind]
    if kind is Kind.CRISIS:
        found += [line for line in shown if line.is_crisis and line.kind is not kind]
    return found


def _slots(line: Line) -> dict[str, str]:
    return {
        "name": line.name,
        "tel": line.tel or "",
        "number": line.sms.number if line.sms else "",
        "keyword": (line.sms.keyword if line.sms else None) or "",
        "url": bare(line.url or ""),
        "hours": line.hours or "",
    }


def _form(line: Line) -> str:
    if line.tel and line.sms:
        if line.sms.keyword:
            return "line_call_and_keyword"
        same = digits(line.tel) == digits(line.sms.number)
        return "line_call_or_text" if same else "line_call_and_text"
    if line.tel:
        return "line_call"
    if line.sms:
        return "line_keyword" if line.sms.keyword else "line_text"
    return "line_web"


def _as_json(line: Line) -> JSON:
    languages: list[JSON] = list(line.languages)
    sms: JSON = None
    if line.sms:
        sms = {"number": line.sms.number, "keyword": line.sms.keyword}
    return {
        "name": line.name,
        "tel": line.tel,
        "sms": sms,
        "url": line.url,
        "hours": line.hours,
        "languages": languages,
        "note": line.note,
    }


def bare(url: str) -> str:
    """An address as people write it."""
    return url.removeprefix("https://").removeprefix("www.").rstrip("/")
