"""docs/safety.md says which test stands for which promise: those tests must exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
TESTS = "\n".join(
    file.read_text(encoding="utf-8") for file in sorted((ROOT / "tests").rglob("test_*.py"))
)


def test_every_test_that_the_page_names_exists() -> None:
    names = re.findall(r"^(?:async )?def (test_\w+)", TESTS, re.M)
    quoted = re.findall(r"`([a-z]+(?:_[a-z0-9]+){2,})`", PAGE)
    assert len(quoted) > 40
    for name in quoted:
        assert any(name in found for found in names), name


def test_every_file_that_the_page_names_exists() -> None:
    tests = ROOT / "tests"
    folders = [ROOT, tests / "conversations", tests / "unit" / "replies"]
    folders.append(tests / "unit" / "knowledge")
    for name in re.findall(r"`([\w/.]+\.(?:py|yml))`", PAGE):
        assert any((folder / name).exists() for folder in folders), name


def test_every_hazard_has_a_control_a_test_and_two_risks_that_are_the_product() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.splitlines()
        if re.match(r"\| H\d\d ", line)
    ]
    assert len(rows) >= 15
    assert [row[0] for row in rows] == [f"H{n:02}" for n in range(1, len(rows) + 1)]
    for row in rows:
        assert len(row) == 9 and all(row), row[0]
        risks = [re.match(r"(\d)×(\d)=(\d+)", row[n]) for n in (4, 7)]
        products = [int(r[1]) * int(r[2]) == int(r[3]) for r in risks if r]
        assert products == [True, True], row[0]
        before, after = (int(r[3]) for r in risks if r)
        assert after < before, row[0]


def test_nobody_is_said_to_have_signed() -> None:
    signed = PAGE.split("## 8. Sign-off")[1]
    rows = [line for line in signed.splitlines() if line.startswith("| ")][1:]
    assert rows and all(line.rstrip().endswith("| | | |") for line in rows)
    owners = [line.split("|")[-2] for line in PAGE.splitlines() if re.match(r"\| H\d\d ", line)]
    assert all(owner.strip().endswith(": ____") for owner in owners)
