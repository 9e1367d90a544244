"""Questionnaires in the chat: offered or asked for, one item a message, and only ever raising.

Pure over `Asides`. An item about death or self-harm that is not "not at all" is danger like her
own words: `danger` says so, and the safety path answers before anything here does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from ebb.conversation.asides import Asides, Score, Screen
from ebb.knowledge.screeners import Danger, Screener, Screeners
from ebb.replies.fill import fill_once
from ebb.text import PatternSet, Reader
from ebb.types import Assessment, Button, Reply, Tier

OFFER, MORE = "screener", "screener_more"
YES, NO, SKIP, STOP = "yes", "no", "skip", "stop"
ANSWER = '/inform{{"answer": "{name}={value}"}}'
FEW = 14
"""Longer messages tell something; they are no answer to an item."""


class Screening:
    """Every questionnaire of knowledge/screeners/."""

    def __init__(self, content: Screeners, reader: Reader, timezone: str) -> None:
        self._content = content
        self._reader = reader
        self._zone = ZoneInfo(timezone)
        patterns = [(f"{o.value}", p) for o in content.options for p in o.patterns]
        patterns += [(SKIP, p) for p in content.skip] + [(STOP, p) for p in content.stop]
        self._words = PatternSet(patterns, reader.language.concepts)

    def warm(self) -> None:
        """Compile the patterns now."""
        self._words.warm()

    @property
    def names(self) -> frozenset[str]:
        """The ids of all questionnaires."""
        return frozenset(self._content.screeners)

    @property
    def safety(self) -> str:
        """The finding that is asked for with every result."""
        return self._content.safety

    # ---- hearing

    def reading(self, words: str) -> str | None:
        """Words as points ("0" to "3"), `skip` or `stop`; None where they are none of these."""
        text = self._reader.read(words)
        tokens = text.tokens
        if not tokens or len(tokens) > FEW:
            return None
        number = tokens[0].number
        if len(tokens) == 1 and number is not None and number in range(self._content.most + 1):
            return str(int(number))
        title = words.strip().strip(".!").casefold()
        for option in self._content.options:
            if title == option.title.casefold():
                return str(option.value)
        found = {hit.key for hit in self._words.find(text)}
        if found & {"2", "3"} and any(token.text == "not" for token in tokens):
            # "not often" is not "often": she is asked again.
            return SKIP if SKIP in found else None
        order = (STOP, SKIP, *(str(option.value) for option in self._content.options))
        return next((key for key in order if key in found), None)

    def danger(self, asked: str | None, value: str | None, words: str) -> Assessment | None:
        """The danger in an answer to the item `asked`: a value that was pressed, or her words."""
        item = self._danger_item(asked)
        if item is None:
            return None
        told = value or self.reading(words)
        yes = told == YES or (told is None and _is_yes(self._reader, words))
        if yes or (told is not None and told.isdigit() and int(told) > 0):
            return Assessment(Tier.URGENT, item.category, (f"screener.{asked}",))
        return None

    def _danger_item(self, asked: str | None) -> Danger | None:
        name, _, number = (asked or "").rpartition("_")
        screener = self._content.screeners.get(name)
        if screener is None or not number.isdigit() or not 0 < int(number) <= len(screener.items):
            return None
        return screener.items[int(number) - 1].danger

    # ---- going on

    def start(self, asides: Asides, name: str, *, whole: bool) -> Asides:
        """The questionnaire `name` from its first item; only the short form unless `whole`."""
        screener = self._content.screeners[name]
        screen = Screen(name, (), len(screener.items) if whole else screener.short)
        return replace(asides, screen=screen, open=f"{name}_1", tries=0)

    def offered(self, asides: Asides, outcome: str) -> Asides | None:
        """The state in which a questionnaire is offered after `outcome`; None where none is."""
        name = self._content.offers.get(outcome)
        done = {score.id for score in asides.scores}
        if name is None or asides.screen or name in done or name in asides.declined:
            return None
        return replace(asides, screen=Screen(name, (), 0), open=OFFER, tries=0)

    def hear(self, asides: Asides, value: str, at: float) -> Asides:
        """The state after the answer `value` to the open question: points, skip, stop, yes, no."""
        screen = asides.screen
        assert screen is not None
        screener = self._content.screeners[screen.id]
        if asides.open in (OFFER, MORE):
            if value == YES:
                until = screener.short if asides.open == OFFER else len(screener.items)
                screen = replace(screen, until=until)
                return replace(asides, screen=screen, open=_next(screen), tries=0)
            if asides.open == MORE:
                return self._scored(asides, screen, at)
            return closed(replace(asides, declined=(*asides.declined, screen.id)))
        if value == STOP:
            return closed(asides)
        points = int(value) if value.isdigit() else None
        if points is None and _is_yes_word(value):
            points = 1
        screen = replace(screen, answers=(*screen.answers, points))
        if len(screen.answers) < screen.until:
            return replace(asides, screen=screen, open=_next(screen), tries=0)
        if len(screen.answers) < len(screener.items) and _total(screen) >= screener.go_on_from:
            return replace(asides, screen=screen, open=MORE, tries=0)
        return self._scored(asides, screen, at)

    def back(self, asides: Asides) -> Asides:
        """One item back."""
        screen = asides.screen
        if screen is None or asides.open == OFFER:
            return asides
        screen = replace(screen, answers=screen.answers[:-1])
        return replace(asides, screen=screen, open=_next(screen), tries=0)

    def _scored(self, asides: Asides, screen: Screen, at: float) -> Asides:
        skipped = screen.answers.count(None)
        asides = closed(asides)
        if skipped == len(screen.answers):
            return asides
        score = Score(screen.id, _total(screen), len(screen.answers), skipped, at)
        kept = tuple(old for old in asides.scores if old.id != score.id or old.told)
        return replace(asides, scores=(*kept, score))

    def findings(self, before: Asides, after: Asides) -> Mapping[str, tuple[str, float | None]]:
        """What an answer tells triage: finding to value and amount (the total of a whole score).

        The value of a score is empty: it is banded by the finding itself.
        """
        found: dict[str, tuple[str, float | None]] = {}
        screen = before.screen
        item = self._danger_item(before.open)
        if item is not None and screen is not None:
            dropped = after.screen is None and len(after.scores) == len(before.scores)
            if not dropped and (points := self._last_points(before, after)) is not None:
                found[item.finding] = (item.above if points else item.zero, None)
        for score in after.scores[len(before.scores) :]:
            screener = self._content.screeners[score.id]
            if score.items == len(screener.items):
                found[screener.finding] = ("", float(score.total))
        return found

    def _last_points(self, before: Asides, after: Asides) -> int | None:
        if after.screen is not None and after.screen.answers:
            return after.screen.answers[-1]
        assert before.screen is not None
        score = after.scores[-1]
        if score.skipped > before.screen.answers.count(None):
            return None
        return score.total - _total(before.screen)

    # ---- saying

    def question(self, asides: Asides, *, unclear: bool = False) -> Reply:
        """The open question: an offer, or an item with its place in the whole."""
        screen = asides.screen
        assert screen is not None and asides.open is not None
        screener = self._content.screeners[screen.id]
        if asides.open in (OFFER, MORE):
            return self._offer(asides.open, screener, screen)
        number = len(screen.answers) + 1
        lines = []
        if unclear:
            lines.append(self._text("unclear"))
        elif number == 1:
            lines.append(self._text("intro", name=screener.name))
        lines += [screener.lead, f"\u201c{screener.items[number - 1].text}\u201d"]
        lines.append(self._text("progress", n=number, count=screen.until))
        choices = [(str(o.value), o.title) for o in reversed(self._content.options)]
        choices += [(SKIP, self._text("skip")), (STOP, self._text("stop"))]
        return Reply(
            f"screener.{asides.open}",
            "\n".join(lines),
            _buttons(asides.open, choices),
            asked=asides.open,
        )

    def _offer(self, asked: str, screener: Screener, screen: Screen) -> Reply:
        kind = "offer" if asked == OFFER else "more"
        text = self._text(
            kind,
            name=screener.name,
            short=screener.short,
            total=_total(screen),
            most=screener.short * self._content.most,
            left=len(screener.items) - screener.short,
        )
        choices = [(YES, self._text(f"{kind}_yes")), (NO, self._text(f"{kind}_no"))]
        return Reply(f"screener.{kind}", text, _buttons(asked, choices), asked=asked)

    def result(self, score: Score, *, advised: bool = False) -> Reply:
        """What a score means, without a diagnosis; `advised` if she was told an outcome before."""
        screener = self._content.screeners[score.id]
        whole = score.items == len(screener.items)
        bands = screener.bands if whole else screener.short_bands
        band = [band for band in bands if band.least <= score.total][-1]
        lines = [
            self._text(
                "result" if whole else "result_short",
                name=screener.name,
                short=score.items,
                total=score.total,
                most=score.items * self._content.most,
            ),
            self._text("skipped", count=score.skipped) if score.skipped else "",
            band.text,
            self._text("stands") if advised else "",
            self._text("after"),
        ]
        return Reply(
            f"screener.result.{score.id}",
            "\n".join(line for line in lines if line),
            meta={"sources": list(screener.sources)},
        )

    def said(self, name: str) -> Reply:
        """A fixed text: `declined`, `stopped`."""
        return Reply(f"screener.{name}", self._text(name))

    def why(self) -> str:
        """What a score is made of."""
        return self._text("why")

    def summary(self, asides: Asides) -> tuple[str, ...]:
        """The scores, for the summary."""
        lines = []
        for score in asides.scores:
            screener = self._content.screeners.get(score.id)
            if screener is None:
                continue
            short = score.items < len(screener.items)
            when = datetime.fromtimestamp(score.at, self._zone).strftime("%-d %b %Y")
            text = self._text(
                "summary_short" if short else "summary",
                name=screener.name,
                short=score.items,
                total=score.total,
                most=score.items * self._content.most,
                date=when,
            )
            if score.skipped:
                text = self._text("summary_skipped", text=text, count=score.skipped)
            lines.append(text)
        return tuple(lines)

    def _text(self, text: str, /, **slots: object) -> str:
        filled = {key: str(value) for key, value in slots.items()}
        return fill_once(self._content.texts[text], filled)


def closed(asides: Asides) -> Asides:
    """Nothing in progress any more; entries and scores stay."""
    return replace(asides, open=None, tries=0, screen=None, draft=None, skipped=())


def _next(screen: Screen) -> str:
    return f"{screen.id}_{len(screen.answers) + 1}"


def _total(screen: Screen) -> int:
    return sum(points or 0 for points in screen.answers)


def _buttons(name: str, choices: list[tuple[str, str]]) -> tuple[Button, ...]:
    return tuple(Button(t, ANSWER.format(name=name, value=v)) for v, t in choices)


def _is_yes_word(value: str) -> bool:
    return value == YES


def _is_yes(reader: Reader, words: str) -> bool:
    tokens = reader.read(words).tokens
    return bool(tokens) and tokens[0].text == YES and len(tokens) <= FEW
