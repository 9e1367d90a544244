"""The let-down diary: hears an episode, asks what is missing, shows what several have in common.

Pure over `Asides`; nothing is kept before she agreed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ebb.conversation.asides import Asides, Entry
from ebb.conversation.screeners import ANSWER, NO, SKIP, STOP, YES, closed
from ebb.findings import Extractor
from ebb.knowledge.diary import DiaryContent, Field
from ebb.knowledge.language import Numbers
from ebb.replies.fill import fill_once
from ebb.text import PatternSet, Reader, Text
from ebb.text.numbers import amount
from ebb.types import JSON, Button, Finding, Reply

CONSENT, DELETE, FIELD = "diary_consent", "diary_delete", "diary_"
LOG, SHOW, ERASE = "log_episode", "show_diary", "delete_diary"
PARTS = re.compile(r"[,;:\n]|\band\b")
WORD_LENGTH, FEWEST, FEW_WORDS = 40, 2, 4
ALSO = "also"
"""The reading of words that tell something of the episode, and not what was asked."""
DAY_SECONDS = 86_400.0


class DiaryTalk:
    """All that is said about the diary."""

    def __init__(
        self, content: DiaryContent, reader: Reader, extractor: Extractor, timezone: str
    ) -> None:
        self._content = content
        self._reader = reader
        self._extractor = extractor
        self._numbers: Numbers = reader.language.numbers
        self._zone = ZoneInfo(timezone)
        self._fields = {field.finding: field for field in content.fields}
        concepts = reader.language.concepts
        self._words = PatternSet(
            [(name, pattern) for name, found in content.words.items() for pattern in found],
            concepts,
        )
        self._times = PatternSet(
            [(str(n), p) for n, time in enumerate(content.times) for p in time.patterns], concepts
        )

    def warm(self) -> None:
        """Compile the patterns now."""
        self._words.warm()
        self._times.warm()

    # ---- hearing

    def entry(self, words: str, at: float) -> Entry:
        """The episode in her words, told at Unix time `at`."""
        text = self._reader.read(words)
        facts = {f.id: f for f in self._extractor.extract(text) if f.id in self._fields}
        for part in PARTS.split(words):
            read = self._reader.read(part)
            name = self._about(read)
            if name and name not in facts:
                found = [f for f in self._extractor.extract(read, name) if f.id == name]
                facts |= {f.id: f for f in found if f.value in self._fields[name].say}
        heard = [token.text for token in text.tokens if token.text in self._content.feelings]
        return Entry(
            self._when(words, at),
            " and ".join(dict.fromkeys(heard[:3])),
            tuple(Finding(f.id, f.value, amount=f.amount) for f in facts.values()),
        )

    def _about(self, part: Text) -> str | None:
        """The field that a part of a message may be about: how long it was, or when it began."""
        said = {token.text for token in part.tokens}
        if any(hit.key in ("ago", "clock") for hit in self._words.find(part)):
            return None
        if said & set(self._numbers.units[self._content.length_unit]):
            return self._content.pattern.length
        numbers = any(token.number is not None for token in part.tokens)
        return None if numbers or len(said) < FEWEST else self._content.pattern.onset

    def _when(self, words: str, at: float) -> float:
        """When it was: now, unless she says another time. Never in the future."""
        text = self._reader.read(words)
        now = datetime.fromtimestamp(at, self._zone)
        for hit in self._words.find(text):
            tokens = text.tokens[hit.first : hit.last + 1]
            if hit.key == "ago":
                back = amount(self._numbers, tokens, self._content.length_unit)
                return at - back if back and back < 14 * DAY_SECONDS else at
            if hit.key == "clock":
                hour = next((t.number for t in tokens if t.number is not None), None)
                late = any(t.text == self._content.afternoon for t in tokens)
                if hour is not None and 0 <= hour <= 12:
                    then = now.replace(
                        hour=int(hour) % 12 + (12 if late else 0),
                        minute=round(hour % 1 * 100) % 60,
                        second=0,
                    )
                    return (then if then <= now else then - timedelta(days=1)).timestamp()
        for hit in self._times.find(text):
            time = self._content.times[int(hit.key)]
            then = now.replace(hour=time.hour, minute=0, second=0) - timedelta(days=time.days)
            return min(then.timestamp(), at)
        return at

    def reading(self, asked: str, words: str) -> str | None:
        """`yes`, `no`, `skip`, `stop`, or a value of the field asked; None where it is none."""
        text = self._reader.read(words)
        if not text.tokens:
            return None
        found = {hit.key for hit in self._words.find(text)}
        if asked in (CONSENT, DELETE):
            return next((key for key in (NO, YES) if key in found), None)
        field = self._fields[asked.removeprefix(FIELD)]
        told = [f for f in self._extractor.extract(text, field.finding) if f.id == field.finding]
        if told and told[0].value in field.say:
            return told[0].value
        if STOP in found:
            return STOP
        if SKIP in found or told:
            return SKIP
        feels = field.finding not in (self._content.pattern.onset, self._content.pattern.length)
        named = any(token.text in self._content.feelings for token in text.tokens)
        short = len(text.tokens) <= FEW_WORDS and not text.tokens[0].number
        if feels and field.points is None and (named or short):
            return words.strip()[:WORD_LENGTH]
        return ALSO if self.entry(words, 0.0).facts else None

    def log(self, asides: Asides, words: str, at: float) -> Asides:
        """The state after "log it", with all that she said of the episode."""
        asides = replace(closed(asides), draft=self.entry(words, at))
        if not asides.allowed:
            return replace(asides, open=CONSENT)
        return self._go_on(asides)

    def hear(self, asides: Asides, value: str, words: str, at: float) -> Asides:
        """The state after the answer `value` (see `reading`) to the open question."""
        asked = asides.open or ""
        if asked == DELETE:
            return (
                Asides(scores=asides.scores, declined=asides.declined)
                if value == YES
                else closed(asides)
            )
        if asked == CONSENT:
            return self._go_on(replace(asides, allowed=True)) if value == YES else closed(asides)
        draft, name = asides.draft, asked.removeprefix(FIELD)
        assert draft is not None
        if value == STOP:
            return self._saved(asides, draft)
        if value == SKIP:
            return self._go_on(replace(asides, skipped=(*asides.skipped, name)))
        told = self.entry(words, at)
        draft = replace(
            draft,
            at=told.at if words and told.at != at else draft.at,
            facts=(*draft.facts, *(f for f in told.facts if draft.fact(f.id) is None)),
        )
        if value == ALSO:
            return self._go_on(replace(asides, draft=replace(draft, said=draft.said or told.said)))
        field = self._fields[name]
        if value not in field.say:
            return self._go_on(replace(asides, draft=replace(draft, said=value)))
        answer = self._extractor.extract(self._reader.read(words), name) if words else ()
        fact = next((f for f in answer if f.id == name), None) or Finding(name, value)
        facts = (
            *(f for f in draft.facts if f.id != name),
            Finding(name, value, amount=fact.amount),
        )
        return self._go_on(
            replace(asides, draft=replace(draft, facts=facts, said=draft.said or told.said))
        )

    def _go_on(self, asides: Asides) -> Asides:
        draft = asides.draft
        assert draft is not None
        for field in self._content.fields:
            known = draft.fact(field.finding) is not None or field.finding in asides.skipped
            if not known and not (self._is_feeling(field) and draft.said):
                return replace(asides, open=FIELD + field.finding, tries=0)
        return self._saved(asides, draft)

    def _is_feeling(self, field: Field) -> bool:
        pattern = self._content.pattern
        return field.finding not in (pattern.onset, pattern.length, pattern.strength)

    def _saved(self, asides: Asides, draft: Entry) -> Asides:
        entries = sorted((*asides.entries, draft), key=lambda entry: entry.at)
        return replace(closed(asides), entries=tuple(entries))

    # ---- what several entries show

    @property
    def own(self) -> frozenset[str]:
        """Findings that an entry's words give, and that are about that moment alone."""
        return self._content.own

    def findings(self, entries: Sequence[Entry]) -> tuple[Finding, ...]:
        """What enough entries tell triage; `at` is when the last of them was."""
        pattern = self._content.pattern
        if len(entries) < pattern.least:
            return ()
        at = entries[-1].at
        found = dict(pattern.known)
        onsets = [fact.value for e in entries if (fact := e.fact(pattern.onset))]
        if len(onsets) >= pattern.least:
            early = [value for value in onsets if value in pattern.early]
            mostly = early if len(early) >= pattern.most * len(onsets) else onsets
            found[pattern.onset] = Counter(mostly).most_common(1)[0][0]
        lengths = [fact.value for e in entries if (fact := e.fact(pattern.length))]
        if len(lengths) >= pattern.least:
            ordered = sorted(lengths, key=pattern.order.index)
            found[pattern.length] = ordered[len(ordered) // 2]
        field = self._fields[pattern.strength]
        strengths = [f.value for e in entries if (f := e.fact(pattern.strength))]
        if strengths:
            found[pattern.strength] = max(strengths, key=list(field.say).index)
        return tuple(Finding(name, value, source="carried", at=at) for name, value in found.items())

    def pattern(self, entries: Sequence[Entry]) -> tuple[str, ...]:
        """The entries against the criteria of D-MER, in plain words; empty for too few."""
        pattern = self._content.pattern
        if len(entries) < pattern.least:
            return ()
        onsets = [fact.value for e in entries if (fact := e.fact(pattern.onset))]
        lengths = [fact.value for e in entries if (fact := e.fact(pattern.length))]
        early = sum(value in pattern.early for value in onsets)
        short = sum(value in pattern.short for value in lengths)
        lines = []
        if onsets:
            lines.append(self._text("pattern_onset", count=early, of=len(onsets)))
        if lengths:
            lines.append(self._text("pattern_length", count=short, of=len(lengths)))
        strongest = max(
            (e for e in entries if e.fact(pattern.strength)),
            key=lambda e: self._strength(e.fact(pattern.strength)),
            default=None,
        )
        if strongest is not None:
            words = self._said(self._fields[pattern.strength], strongest)
            lines.append(self._text("pattern_strength", strength=words))
        if min(len(onsets), len(lengths)) < pattern.least:
            lines.append(self._text("pattern_unclear"))
        elif early >= pattern.most * len(onsets) and short >= pattern.most * len(lengths):
            lines.append(self._text("pattern_fits"))
        else:
            lines.append(self._text("pattern_unlike"))
        lines.append(self._text("pattern_not_seen"))
        return tuple(lines)

    def _strength(self, fact: Finding | None) -> tuple[int, float]:
        assert fact is not None
        bands = list(self._fields[self._content.pattern.strength].say)
        return bands.index(fact.value) if fact.value in bands else 0, fact.amount or 0.0

    # ---- saying

    def question(self, asides: Asides, *, unclear: bool = False) -> Reply:
        """The open question about the diary or an entry."""
        asked = asides.open or ""
        if asked in (CONSENT, DELETE):
            kind = asked.removeprefix(FIELD)
            text = self._text("consent" if asked == CONSENT else "delete")
            choices = {YES: self._text(f"{kind}_yes"), NO: self._text(f"{kind}_no")}
            return Reply(f"diary.{kind}", text, _buttons(asked, choices), asked=asked)
        field = self._fields[asked.removeprefix(FIELD)]
        choices = {**field.buttons, SKIP: self._text("skip")}
        text = f"{self._text('unclear')}\n{field.ask}" if unclear else field.ask
        return Reply(f"diary.{field.finding}", text, _buttons(asked, choices), asked=asked)

    def logged(self, before: Sequence[Entry], after: Sequence[Entry]) -> Reply:
        """What was kept just now; with the diary as a card once it shows a pattern."""
        new = next((entry for entry in after if entry not in before), after[-1])
        lines = [self._text("saved", entry=f"{self.clock(new.at)}, {self.words(new)}")]
        if len(after) == 1:
            lines.append(self._text("saved_next"))
        if len(after) < self._content.pattern.least:
            lines.append(self._text("more_needed", count=self._content.pattern.least))
        buttons = (Button(self._text("show_button"), f"/{SHOW}"),)
        enough = len(after) >= self._content.pattern.least
        card = self.card(after) if enough else None
        return Reply(
            "diary.saved", "\n".join(lines), buttons, card, meta={"sources": self._sources()}
        )

    def shown(self, entries: Sequence[Entry]) -> Reply:
        """The whole diary."""
        if not entries:
            return self.said("empty", Button(self._text("offer_button"), f"/{LOG}"))
        lines = [self._text("shown_one" if len(entries) == 1 else "shown")]
        if len(entries) < self._content.pattern.least:
            lines.append(self._text("more_needed", count=self._content.pattern.least))
        return Reply(
            "diary.shown",
            "\n".join(lines),
            (
                Button(self._text("offer_button"), f"/{LOG}"),
                Button(self._text("delete_button"), ANSWER.format(name="request", value=ERASE)),
            ),
            self.card(entries),
            meta={"sources": self._sources()},
        )

    def card(self, entries: Sequence[Entry]) -> dict[str, JSON]:
        """The diary as typed JSON: entries with times, pattern lines, a note, sources."""
        told: list[JSON] = [
            {"at": entry.at, "when": self.clock(entry.at), "text": self.words(entry)}
            for entry in entries
        ]
        return {
            "type": "diary",
            "title": self._text("title"),
            "entries": told,
            "pattern": list(self.pattern(entries)),
            "note": self._text("note"),
            "sources": self._sources(),
        }

    def offer(self, outcome: str) -> Reply | None:
        """The mention of the diary after an outcome that it may help with."""
        if outcome not in self._content.offer_after:
            return None
        return self.said("offer", Button(self._text("offer_button"), f"/{LOG}"))

    def said(self, name: str, *buttons: Button) -> Reply:
        """A fixed text."""
        return Reply(f"diary.{name}", self._text(name), buttons)

    def words(self, entry: Entry) -> str:
        """An entry in words, without its time."""
        parts = [entry.said]
        for field in self._content.fields:
            if not (self._is_feeling(field) and entry.said):
                parts.append(self._said(field, entry))
        return ", ".join(part for part in parts if part)

    def _said(self, field: Field, entry: Entry) -> str:
        fact = entry.fact(field.finding)
        if fact is None:
            return ""
        if field.points and fact.amount is not None:
            return fill_once(field.points, {"n": f"{fact.amount:g}"})
        return field.say.get(fact.value, "")

    def clock(self, at: float) -> str:
        """A time as she reads it."""
        return datetime.fromtimestamp(at, self._zone).strftime("%-d %b, %H:%M")

    def _sources(self) -> list[JSON]:
        return list(self._content.sources)

    def _text(self, name: str, **slots: object) -> str:
        filled = {key: str(value) for key, value in slots.items()}
        return fill_once(self._content.texts[name], filled)


def _buttons(name: str, choices: dict[str, str]) -> tuple[Button, ...]:
    return tuple(Button(t, ANSWER.format(name=name, value=v)) for v, t in choices.items())
