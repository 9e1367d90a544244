"""Compiled patterns are kept for the next start, find the same, and are never trusted blindly."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.conversation.core import core
from ebb.text import Hit, PatternSet, kept

PATTERNS = [("a", "(want|wish) to die"), ("b", "milk ... slow~"), ("b", "^ [no] milk $")]
CONCEPTS = {"x": ["y"]}
TEXTS = ["i want to die", "my milk is very slow today", "no milk", "nothing of it", ""]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "kept")
    return tmp_path / "kept"


def found(patterns: PatternSet) -> list[list[Hit]]:
    return [patterns.find(core().reader.read(text)) for text in TEXTS]


def test_kept_patterns_find_what_fresh_ones_find(folder: Path) -> None:
    fresh = PatternSet(PATTERNS, CONCEPTS)
    fresh.warm()
    (file,) = folder.iterdir()
    again = PatternSet(PATTERNS, CONCEPTS)
    assert again.words == fresh.words and len(again) == len(fresh)
    assert found(again) == found(fresh)
    assert any(found(again))
    assert file.stat().st_size < 20_000


@pytest.mark.parametrize("harm", [b"", b"nonsense", b"[[], [], 3]\nxx"])
def test_a_damaged_file_means_compiling_as_usual(folder: Path, harm: bytes) -> None:
    fresh = PatternSet(PATTERNS, CONCEPTS)
    fresh.warm()
    (file,) = folder.iterdir()
    file.write_bytes(harm)
    assert found(PatternSet(PATTERNS, CONCEPTS)) == found(fresh)


def test_a_changed_byte_is_noticed(folder: Path) -> None:
    PatternSet(PATTERNS, CONCEPTS).warm()
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(bytes(data))
    assert kept.load(file.name) is None


def test_other_patterns_are_not_mistaken_for_kept_ones(folder: Path) -> None:
    PatternSet(PATTERNS, CONCEPTS).warm()
    PatternSet(PATTERNS[:2], CONCEPTS).warm()
    PatternSet(PATTERNS, {"x": ["z"]}).warm()
    assert len(list(folder.iterdir())) == 3


def test_a_disk_that_refuses_costs_nothing_but_time(folder: Path) -> None:
    folder.write_text("in the way")
    fresh = PatternSet(PATTERNS, CONCEPTS)
    fresh.warm()
    assert any(found(fresh))
