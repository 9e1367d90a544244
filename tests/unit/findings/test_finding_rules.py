"""The loader of knowledge/findings/ refuses what it cannot mean, with the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.knowledge import findings
from ebb.knowledge.yaml_reader import ContentError

COMMON = "yes: ['^ yes']\nno: ['^ no']\nnot_sure: [unsure]\nrefused: [skip]\ncorrection: [oops]\n"
GOOD = """
findings:
  - id: length
    about: How long
    values: {short: it is short, long: it is long}
    sources: [OK]
    quantity: {unit: seconds, bands: [{value: short, to: 120}, {value: long}]}
    rules:
      - {amount: true, patterns: ["for <num> minutes"]}
      - {value: long, patterns: [ages], unless: [not ages]}
"""


def load(tmp_path: Path, text: str, common: str = COMMON) -> findings.FindingRules:
    (tmp_path / "answers.yml").write_text(common)
    (tmp_path / "topic.yml").write_text(text)
    return findings.load(tmp_path)


def test_amounts_fall_into_bands_with_the_upper_end_included(tmp_path: Path) -> None:
    quantity = load(tmp_path, GOOD).findings["length"].quantity
    assert quantity is not None
    assert [quantity.value(amount) for amount in (0, 120, 120.1, 9e9)] == [
        "short",
        "short",
        "long",
        "long",
    ]


def test_every_finding_may_also_be_unsure_or_refused(tmp_path: Path) -> None:
    rules = load(tmp_path, GOOD)
    assert rules.allowed("length") == {"short", "long", "not_sure", "refused"}
    assert rules.said("length", "short") == "it is short"
    assert rules.said("nothing", "short") is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("value: long, patterns", "value: huge, patterns", "not a value"),
        ("{value: short, to: 120}", "{value: short}", "bands must rise"),
        ("{value: long}]", "{value: long, to: 9999}]", "no `to`"),
        ("{short: it", "{not_sure: it", "belongs to every finding"),
        ("amount: true, ", "", "one of value, amount, days_since"),
        ("patterns: [ages]", "patterns: [ages], even: [sleepy]", "no scope"),
        ("about: How long", "about: How long\n    colour: red", "unknown key"),
        ("    sources: [OK]", "    sources: [OK]\n    yes: perhaps", "not a value"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    assert old in GOOD
    with pytest.raises(ContentError, match=reason) as refused:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert refused.value.line > 1


def test_a_finding_defined_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="twice"):
        load(tmp_path, GOOD + GOOD.replace("findings:\n", "").lstrip("\n"))


def test_a_finding_cannot_follow_from_one_that_is_not_there(tmp_path: Path) -> None:
    derived = """
  - id: old
    about: Derived
    values: {"yes": it is}
    sources: [OK]
    derive: {from: age, values: {}}
"""
    with pytest.raises(ContentError, match="cannot derive"):
        load(tmp_path, GOOD + derived.lstrip("\n"))


def test_the_common_answers_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "topic.yml").write_text(GOOD)
    with pytest.raises(ContentError, match=r"missing"):
        findings.load(tmp_path)
