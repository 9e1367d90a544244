"""Judges one message: which crisis rules fire, what turns them, and how urgent that is.

Every rule that fires anywhere counts; the most urgent decides. The message is read alone, then
together with her last messages (a thought is often sent in pieces), then as an answer to the
safety question that is open.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ebb.knowledge.crisis import CrisisRules, Reading, Rule
from ebb.knowledge.language import Language
from ebb.safety.answers import AnswerReader
from ebb.safety.context import Contexts
from ebb.safety.spelling import Speller
from ebb.safety.veiled import load_or_none
from ebb.text import Hit, PatternSet, Reader, Scopes, Text
from ebb.types import Assessment, Span, Tier, Turn

log = logging.getLogger(__name__)

ERROR = "safety.error"
"""Rule id of an assessment that failed: she is asked, with help in the same message."""
PAIR = "signs.pair"
"""Rule id of two signs of danger to herself that stand near each other."""
_PIECES = 2
"""How many of her earlier messages a thought may be split over, besides this one."""
_PIECE_LENGTH = 300
"""Characters of an earlier message that are looked at: its end."""
_LONGEST_HINT = 200
"""Words up to which hints are looked for: among many sentences some always sounds like one."""
_SHORT = 12
"""A message of so few words says no more than what a rule saw in it and dropped as denied."""
_NOTHING = Assessment()


@dataclass(frozen=True, slots=True)
class _Fired:
    """A rule that fired: its id, the tier and category after all that turned it, and where."""

    rule: str
    tier: Tier
    category: str
    span: Span | None
    words: tuple[int, int]
    """its first and last word"""


@dataclass(frozen=True, slots=True)
class Trace:
    """A rule whose words stand in a message, whatever came of it. `cause` turned or silenced it."""

    rule: str
    words: str
    tier: Tier
    cause: str | None


class Safety:
    """The words of a message against the crisis rules. Keeps nothing between messages.

    `reader` gives the language; words are read with crisis spelling on top of it. `scopes` is
    taken for the same shape as the other readers of text, and not used: see `context`.
    """

    def __init__(
        self,
        rules: CrisisRules,
        reader: Reader,
        scopes: Scopes | None = None,
        *,
        veiled: bool = True,
    ) -> None:
        del scopes
        self._rules = {rule.id: rule for rule in rules.rules}
        self._order = {rule.id: number for number, rule in enumerate(rules.rules)}
        self._first = {category: number for number, category in enumerate(rules.order)}
        self._patterns = PatternSet(
            [(rule.id, pattern) for rule in rules.rules for pattern in rule.patterns],
            rules.concepts,
        )
        self._contexts = Contexts(rules)
        self._pair = rules.pair
        self._veiled = load_or_none() if veiled else None
        self._answers = AnswerReader(rules.answers, rules.concepts)
        language = _without_faces(reader.language, rules.spelling.faces)
        speller = Speller(rules.spelling, _words(self._patterns), _words(*self._pattern_sets()[1:]))
        self._reader = Reader(language, speller)

    @property
    def reader(self) -> Reader:
        """Reads words as the rules do, crisis spelling included."""
        return self._reader

    def warm(self) -> None:
        """Compiles all patterns now, so that the first crisis is answered as fast as the last."""
        for patterns in self._pattern_sets():
            patterns.warm()

    def unreadable(self) -> list[str]:
        """Words and lemmas ("~word") of the patterns that reading never produces.

        Such a word can match nothing: its pattern loses messages silently.
        """
        named = sorted(frozenset().union(*(one.words for one in self._pattern_sets())))
        return [
            word
            for word in named
            if not self._reader.is_canonical(word.removeprefix("~"), word.startswith("~"))
        ]

    def assess(self, text: str, recent: Sequence[Turn] = ()) -> Assessment:
        """How urgent `text` is, after the turns `recent` (oldest first). Never raises."""
        try:
            return self._assess(text, recent)
        except Exception as error:  # whatever went wrong, she is asked
            log.error("assessing a message failed: %s", type(error).__name__)
            return Assessment(Tier.CHECK, "ambiguous", (ERROR,))

    def rule(self, name: str) -> Rule:
        """The rule with the id `name`. Raises `KeyError` where there is none."""
        return self._rules[name]

    def trace(self, text: str) -> list[Trace]:
        """Every rule whose words stand in `text`, and what its context made of it."""
        read = self._reader.read(text)
        hits = self._patterns.find(read)
        contexts = self._contexts.of(read, (hit.key for hit in hits))
        found: list[Trace] = []
        for hit in hits:
            rule = self._rules[hit.key]
            start, end = read.span(hit.first, hit.last)
            if silenced := contexts.silences(rule, hit):
                found.append(Trace(rule.id, text[start:end], Tier.NONE, silenced))
                continue
            turned = contexts.turned(rule, hit)
            tier = turned[1].tier if turned else rule.tier
            found.append(Trace(rule.id, text[start:end], tier, turned[0] if turned else None))
        return list(dict.fromkeys(found))

    def read_as(self, text: str) -> str:
        """`text` as the rules see it: canonical words, "|" where a new clause starts."""
        words: list[str] = []
        clause = 0
        for token in self._reader.read(text).tokens:
            if token.clause != clause:
                words.append("|")
                clause = token.clause
            words.append(token.text)
        return " ".join(words)

    def language(self, assessment: Assessment) -> str | None:
        """ISO 639-1 code of the language in which the danger was told, the most urgent rule first;
        None for English and for languages that the reply has no words in."""
        rules = (self._rules.get(rule) for rule in assessment.rules)
        return next((rule.language for rule in rules if rule and rule.language), None)

    def reading(self, text: str) -> Reading | None:
        """`text` as an answer to a yes-or-no question; None where it is not one. Never raises."""
        try:
            return self._answers.reading(self._reader.read(text))
        except Exception as error:
            log.error("reading an answer failed: %s", type(error).__name__)
            return None

    def meant(self, text: str, asked: str) -> Tier | None:
        """How urgent `text` is where it names what she meant by her words; None elsewhere.

        For questions such as safety.meaning, whose answer is neither yes nor no. Never raises.
        """
        try:
            if not self._answers.knows(asked):
                return None
            found = self._answers.meaning(self._reader.read(text), asked)
            return found[1].tier if found and found[0] == "meaning" else None
        except Exception as error:
            log.error("reading an answer failed: %s", type(error).__name__)
            return None

    # ---- steps

    def _pattern_sets(self) -> tuple[PatternSet, ...]:
        """All compiled patterns, those of the rules first."""
        contexts, answers = self._contexts.patterns, self._answers
        return self._patterns, contexts, answers.wordings, answers.meanings

    def _assess(self, text: str, recent: Sequence[Turn]) -> Assessment:
        read = self._reader.read(text)
        fired = list(self._fired(read))
        if recent:
            fired += self._split_thought(text, recent)
            fired += self._answered(read, recent)
        return self._together(fired) if fired else self._hinted(read, recent)

    def _fired(self, text: Text) -> list[_Fired]:
        hits = self._patterns.find(text)
        if not hits:
            return []
        contexts = self._contexts.of(text, (hit.key for hit in hits))
        found: list[_Fired] = []
        for hit in hits:
            rule = self._rules[hit.key]
            if contexts.silences(rule, hit):
                continue
            turned = contexts.turned(rule, hit)
            effect = turned[1] if turned else None
            tier = rule.tier if effect is None else effect.tier
            if tier is Tier.NONE:
                continue
            category = (effect and effect.category) or rule.category
            words = (hit.first, hit.last)
            found.append(_Fired(rule.id, tier, category, _span(text, hit), words))
        return found + self._paired(found)

    def _paired(self, fired: Sequence[_Fired]) -> list[_Fired]:
        """What two signs that are little alone mean near each other, where it is more."""
        pair = self._pair
        if pair is None or any(one.tier.rank >= pair.tier.rank for one in fired):
            return []
        signs = [one for one in fired if one.category in pair.categories | pair.halves]
        for number, one in enumerate(signs):
            for other in signs[number + 1 :]:
                first, last = sorted((one, other), key=lambda sign: sign.words)
                apart = last.words[0] - first.words[1] - 1
                if one.rule == other.rule or not 0 <= apart <= pair.within:
                    continue
                if told := next((s for s in (one, other) if s.category in pair.categories), None):
                    return [replace(told, rule=PAIR, tier=pair.tier)]
        return []

    def _split_thought(self, text: str, recent: Sequence[Turn]) -> list[_Fired]:
        """What fires only across her last messages, as spans of this one."""
        before = [turn.text for turn in recent if turn.by == "user"][-_PIECES:]
        found: list[_Fired] = []
        for count in range(1, len(before) + 1):
            pieces = [piece[-_PIECE_LENGTH:].rstrip(" \t\n.,…-") for piece in before[-count:]]
            head = " ".join(piece for piece in pieces if piece)
            if not head:
                continue
            joined = f"{head} {text}"
            begin = len(head) + 1
            for one in self._fired(self._reader.read(joined)):
                if one.span and one.span.start < begin < one.span.end:
                    span = Span(0, one.span.end - begin)
                    found.append(replace(one, span=span))
        return found

    def _answered(self, text: Text, recent: Sequence[Turn]) -> list[_Fired]:
        """Her message as an answer to the question in the last bot message."""
        asked = next((turn.asked for turn in reversed(recent) if turn.by == "bot"), None)
        if asked is None or not self._answers.knows(asked):
            return []
        answer = self._answers.meaning(text, asked)
        if answer is None or answer[1].tier is Tier.NONE:
            return []
        name, effect = answer
        whole = Span(0, len(text.original))
        return [
            _Fired(f"answer.{asked}.{name}", effect.tier, effect.category or "any", whole, (0, 0))
        ]

    def _hinted(self, text: Text, recent: Sequence[Turn]) -> Assessment:
        """Where no rule fired: what her words hint at, unless they answer the question put."""
        asked = next((turn.asked for turn in reversed(recent) if turn.by == "bot"), None)
        if asked and self._answers.knows(asked) and self._answers.meaning(text, asked):
            return _NOTHING
        short = len(text.tokens) <= _LONGEST_HINT
        hint = self._veiled.hint(text) if self._veiled and short else None
        if hint is None or (len(text.tokens) <= _SHORT and self._denied(text)):
            return _NOTHING
        return Assessment(Tier.CHECK, hint.category, (hint.rule,), hint.spans)

    def _denied(self, text: Text) -> bool:
        """Whether a rule saw its words there and their context turned them into nothing."""
        hits = self._patterns.find(text)
        contexts = self._contexts.of(text, (hit.key for hit in hits))
        turned = (contexts.turned(self._rules[hit.key], hit) for hit in hits)
        return any(found is not None and found[1].tier is Tier.NONE for found in turned)

    def _together(self, fired: Iterable[_Fired]) -> Assessment:
        ranked = sorted(
            fired,
            key=lambda one: (
                -one.tier.rank,
                self._first.get(one.category, len(self._first)),
                self._order.get(one.rule, -1),
            ),
        )
        if not ranked:
            return Assessment()
        return Assessment(
            tier=ranked[0].tier,
            category=ranked[0].category,
            rules=tuple(dict.fromkeys(one.rule for one in ranked)),
            spans=tuple(dict.fromkeys(one.span for one in ranked if one.span)),
        )


def _without_faces(language: Language, faces: frozenset[str]) -> Language:
    """`language` with the emoji of `faces` (words) left out: one between two words of a sentence
    that says a wish to die must not part them."""
    emoji = {sign: word for sign, word in language.characters.emoji.items() if word not in faces}
    return replace(language, characters=replace(language.characters, emoji=emoji))


def _words(*sets: PatternSet) -> set[str]:
    """The words and lemmas that the patterns of `sets` name."""
    return {word.removeprefix("~") for patterns in sets for word in patterns.words}


def _span(text: Text, hit: Hit) -> Span:
    return Span(*text.span(hit.first, hit.last))
