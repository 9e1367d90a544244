"""A reply as plain text, for channels that show nothing else: numbers first, choices numbered."""

from __future__ import annotations

from collections.abc import Mapping

from ebb.knowledge.replies import Varying
from ebb.replies.fill import fill_once, tidy
from ebb.replies.lines import bare
from ebb.types import JSON, Level, Reply


class Plain:
    """Renders with the small words of knowledge/replies."""

    def __init__(self, fragments: Mapping[str, Varying]) -> None:
        self._fragments = fragments

    def text(self, reply: Reply) -> str:
        """All of `reply` in lines, none of them empty."""
        card = reply.card or {}
        first, last = self._card(card)
        text = reply.text
        lines = reply.meta.get("lines")
        if first and isinstance(lines, str) and lines:
            text = _without(text, lines)
        parts = [*first, text, *last]
        if reply.buttons:
            parts.append(self._part("plain_choices"))
            parts += [f"{n}. {button.title}" for n, button in enumerate(reply.buttons, start=1)]
        return tidy("\n".join(parts))

    def _card(self, card: Mapping[str, JSON]) -> tuple[list[str], list[str]]:
        """What comes before the text, and what after."""
        if card.get("type") == "help_lines":
            return [line for entry in _dicts(card.get("lines")) for line in self._line(entry)], []
        if card.get("type") == "care_card":
            first = [self._action(action) for action in _dicts(card.get("actions"))]
            return first, self._care(card)
        if card.get("type") == "summary":
            return [], _summary(card)
        if card.get("type") == "diary":
            return [], _diary(card)
        return [], []

    def _line(self, line: Mapping[str, JSON]) -> list[str]:
        name, found = _text(line.get("name")), []
        tail = " ".join(
            part
            for part in (
                self._filled("hours", hours=_text(line.get("hours"))) if line.get("hours") else "",
                _text(line.get("note")),
            )
            if part
        )
        tel, sms = _text(line.get("tel")), line.get("sms")
        same = isinstance(sms, Mapping) and sms.get("number") == tel and not sms.get("keyword")
        if tel:
            form = "plain_call_or_text" if same else "plain_call"
            found.append(self._filled(form, tel=tel, name=name))
        if isinstance(sms, Mapping) and not same:
            form = "plain_keyword" if sms.get("keyword") else "plain_text"
            number, keyword = _text(sms.get("number")), _text(sms.get("keyword"))
            found.append(self._filled(form, number=number, keyword=keyword, name=name))
        if line.get("url"):
            found.append(self._filled("plain_web", url=bare(_text(line["url"])), name=name))
        if found and tail:
            found[-1] = f"{found[-1]}. {tail}"
        return found

    def _action(self, action: Mapping[str, JSON]) -> str:
        label, href = _text(action.get("label")), _text(action.get("href"))
        return f"{label}: {bare(href)}" if href.startswith("https:") else label

    def _care(self, card: Mapping[str, JSON]) -> list[str]:
        found = [_text(card.get("heading"))]
        found += [f"- {item}" for item in _texts(card.get("items"))]
        now = card.get("level") == Level.EMERGENCY.value
        come_back = "plain_come_back_now" if now else "plain_come_back"
        for key, heading in (("practical", "plain_practical"), ("come_back_if", come_back)):
            if items := _texts(card.get(key)):
                found.append(self._part(heading))
                found += [f"- {item}" for item in items]
        return found

    def _filled(self, fragment: str, **slots: str) -> str:
        return fill_once(self._part(fragment), slots)

    def _part(self, name: str) -> str:
        varying = self._fragments.get(name)
        return varying.default if varying else ""


def _without(text: str, lines: str) -> str:
    """`text` without `lines`, and without the line that only led up to them."""
    before, found, after = text.partition(lines)
    if not found:
        return text
    kept = before.rstrip("\n").split("\n")
    if kept[-1].endswith(":"):
        kept.pop()
    return "\n".join([*kept, after])


def _diary(card: Mapping[str, JSON]) -> list[str]:
    found = [
        f"- {_text(entry.get('when'))}: {_text(entry.get('text'))}"
        for entry in _dicts(card.get("entries"))
    ]
    return [*found, *_texts(card.get("pattern")), _text(card.get("note"))]


def _summary(card: Mapping[str, JSON]) -> list[str]:
    found = [line for key in ("title", "made") if (line := _text(card.get(key)))]
    for section in _dicts(card.get("sections")):
        found.append(_text(section.get("heading")))
        found += [f"- {item}" for item in _texts(section.get("items"))]
    return [*found, _text(card.get("note"))]


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: JSON) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _dicts(value: JSON) -> list[dict[str, JSON]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
