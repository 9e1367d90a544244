"""What turns a hit: denial, another person, the past, a quotation, a question of fact.

Narrow on purpose. A cue counts only where its rule data says it must stand, so that a "not" or a
"she" elsewhere in the message never silences anybody (`ebb.text.Scopes`, made for findings,
reaches further). All cues are data: knowledge/crisis/context.yml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ebb.knowledge.crisis import KINDS, CrisisRules, Cue, Effect, Rule
from ebb.text import Hit, PatternSet, Text

_NEGATIONS = frozenset(["not", "never", "no", "without"])
"""Words of the pattern language itself: a gap that swallowed one of them denies the hit."""

_SELF = frozenset(["i", "me", "my", "myself", "mine"])
_NEAR = 4
"""Words before a hit that may say whose thought it is."""


class Contexts:
    """Finds the cues of a message once, and judges its hits by them."""

    def __init__(self, rules: CrisisRules) -> None:
        self._cues = rules.cues
        patterns = [
            (f"cue {number}", pattern)
            for number, cue in enumerate(rules.cues)
            for pattern in cue.patterns
        ]
        patterns += [
            (f"unless {rule.id}", pattern) for rule in rules.rules for pattern in rule.unless
        ]
        patterns += [
            (f"together {rule.id}", pattern) for rule in rules.rules for pattern in rule.together
        ]
        self.patterns = PatternSet(patterns, rules.concepts)
        self._always = frozenset(f"cue {number}" for number in range(len(rules.cues)))
        self._own = {
            rule.id: frozenset((f"unless {rule.id}", f"together {rule.id}")) for rule in rules.rules
        }

    def of(self, text: Text, fired: Iterable[str]) -> Found:
        """The cues in `text`, for the rules `fired` (ids)."""
        names = set(fired)
        only = self._always.union(*(self._own[name] for name in names))
        places: dict[str, list[Hit]] = {}
        for hit in self.patterns.find(text, only):
            places.setdefault(hit.key, []).append(hit)
        return Found(text, self._cues, places)


class Found:
    """The cues of one message."""

    def __init__(
        self, text: Text, cues: Sequence[Cue], places: Mapping[str, Sequence[Hit]]
    ) -> None:
        self._text, self._cues, self._places = text, cues, places

    def silences(self, rule: Rule, hit: Hit) -> str | None:
        """`unless` where one covers part of the hit, `together` where a companion is missing."""
        for other in self._places.get(f"unless {rule.id}", ()):
            if other.first <= hit.last and hit.first <= other.last:
                return "unless"
        companions = self._places.get(f"together {rule.id}", ())
        near = any(
            other.first <= hit.last + rule.within and hit.first <= other.last + rule.within
            for other in companions
        )
        return "together" if rule.together and not near else None

    def turned(self, rule: Rule, hit: Hit) -> tuple[str, Effect] | None:
        """The first kind of cue that applies, and what it makes of the hit; None leaves it."""
        for kind in KINDS:
            effect = rule.turned_by.get(kind)
            if effect is not None and self._applies(kind, hit):
                return kind, effect
        return None

    def _applies(self, kind: str, hit: Hit) -> bool:
        if kind == "negated":
            denied = self._stands(kind, hit) or any(
                self._text.tokens[at].text in _NEGATIONS for at in hit.free
            )
            return denied and not self._stands("revives", hit)
        if kind == "past":
            if self._stands("recovered", hit) and self._stands("was", hit):
                return True
            return self._stands(kind, hit) and not self._stands("still", hit)
        if kind == "information":
            return self._stands(kind, hit) or (
                self._stands("topic", hit) and not self._of_herself(hit)
            )
        if kind == "adult":
            return self._stands(kind, hit) and not self._stands("child", hit)
        return self._stands(kind, hit)

    def _of_herself(self, hit: Hit) -> bool:
        """Whether the hit, or the few words before it in its clause, speak of the writer."""
        tokens = self._text.tokens
        clause = tokens[hit.first].clause
        near = range(max(0, hit.first - _NEAR), hit.last + 1)
        return any(tokens[at].text in _SELF and tokens[at].clause >= clause for at in near)

    def _stands(self, kind: str, hit: Hit) -> bool:
        return any(
            _in_place(cue, place, hit, self._text)
            for number, cue in enumerate(self._cues)
            if cue.kind == kind
            for place in self._places.get(f"cue {number}", ())
        )


def _in_place(cue: Cue, place: Hit, hit: Hit, text: Text) -> bool:
    if cue.where == "message":
        return True
    clause = text.tokens[hit.first].clause
    if cue.where == "before":  # it may reach into the hit: "not going to" before "going to ..."
        return (
            place.first < hit.first
            and place.last < hit.last
            and hit.first - place.last - 1 <= cue.reach
            and text.tokens[min(place.last, hit.first)].clause == clause
        )
    if cue.where == "after":
        return (
            0 <= place.first - hit.last - 1 <= cue.reach
            and text.tokens[place.first].clause == text.tokens[hit.last].clause
        )
    if cue.where == "inside":
        return place.first <= hit.last and hit.first - place.last - 1 < cue.reach
    near = hit.first - place.last - 1 <= cue.reach and place.first - hit.last - 1 <= cue.reach
    return near and text.tokens[place.first].clause <= clause <= text.tokens[place.last].clause
