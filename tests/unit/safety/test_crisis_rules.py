"""Every rule is proved by the examples beside it: what fires it, what must not, what turns it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.knowledge import crisis
from ebb.knowledge.crisis import CATEGORIES, CrisisRules, Example, Rule
from ebb.safety import Safety
from ebb.types import Tier

RULES = crisis.load(Path(__file__).resolve().parents[3] / "knowledge" / "crisis").rules


def cases(kind: str) -> list[object]:
    return [
        pytest.param(rule, example, id=f"{rule.id}: {example.text}")
        for rule in RULES
        for example in getattr(rule, kind)
    ]


@pytest.mark.parametrize(("rule", "example"), cases("fires"))
def test_a_rule_fires_on_its_own_examples(safety: Safety, rule: Rule, example: Example) -> None:
    found = safety.assess(example.text)
    assert rule.id in found.rules
    assert found.tier.rank >= rule.tier.rank


@pytest.mark.parametrize(("rule", "example"), cases("silent"))
def test_a_rule_is_silent_on_its_near_misses(safety: Safety, rule: Rule, example: Example) -> None:
    assert rule.id not in safety.assess(example.text).rules, example.why


@pytest.mark.parametrize(("rule", "example"), cases("turns"))
def test_context_turns_a_rule_as_it_says(safety: Safety, rule: Rule, example: Example) -> None:
    found = safety.assess(example.text)
    assert (found.tier, found.category) == (example.tier, example.category), example.why
    assert (example.rule or rule.id) in found.rules


def test_every_rule_has_something_that_fires_it_and_something_that_must_not(
    rules: CrisisRules,
) -> None:
    assert [rule.id for rule in rules.rules if not (rule.fires and rule.silent)] == []


def test_every_rule_names_a_source_and_a_known_category(rules: CrisisRules) -> None:
    assert [rule.id for rule in rules.rules if not rule.sources] == []
    assert {rule.category for rule in rules.rules} <= {*CATEGORIES}


def test_there_is_a_rule_for_every_red_flag_that_words_can_show(rules: CrisisRules) -> None:
    named = {source for rule in rules.rules for source in rule.sources}
    flags = {f"RF{number:02}" for number in range(1, 22)} - {"RF18"}
    assert flags <= named | {"RF18"}


def test_the_gravest_flags_lead_to_an_emergency(rules: CrisisRules) -> None:
    for flag in ("RF01", "RF03", "RF04", "RF06", "RF16"):
        assert any(flag in r.sources and r.tier is Tier.EMERGENCY for r in rules.rules), flag


def test_every_word_of_a_pattern_is_one_that_reading_produces(safety: Safety) -> None:
    assert safety.unreadable() == []
