"""Content is read strictly: strings stay strings, mistakes name their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ebb.knowledge.yaml_reader import ContentError, read
from ebb.types import Level


def written(folder: Path, text: str) -> Path:
    file = folder / "content.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_only_true_false_null_and_plain_numbers_are_typed(tmp_path: Path) -> None:
    file = written(tmp_path, "a: NO\nb: 19:30\nc: yes\nd: true\ne: 12\nf: 1.5\ng: 010\nh: null\n")
    found = {key: node.value() for key, node in read(file).fields().items()}
    assert found == {
        "a": "NO", "b": "19:30", "c": "yes", "d": True, "e": 12, "f": 1.5, "g": "010", "h": None,
    }  # fmt: skip


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"content\.yml:3: .*'a' stands here twice"):
        read(written(tmp_path, "a: x\nb: y\na: z\n")).fields()


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\n", "a: !!python/object:os.system x\n"])
def test_anchors_and_tags_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ContentError, match="not allowed"):
        read(written(tmp_path, text))


@pytest.mark.parametrize("text", ["a: [1, 2", "a: 1\n---\nb: 2\n", "\tb: 1\n", "", "a: \x00"])
def test_what_is_not_one_yaml_document_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ContentError):
        read(written(tmp_path, text))


def test_an_unknown_key_is_refused_with_the_allowed_ones(tmp_path: Path) -> None:
    node = read(written(tmp_path, "id: a\ncolour: red\n"))
    with pytest.raises(ContentError, match=r":2: .*unknown key 'colour'.*allowed: id, level"):
        node.record({"id"}, {"level"})


def test_a_word_outside_the_allowed_ones_is_refused_with_all_of_them(tmp_path: Path) -> None:
    node = read(written(tmp_path, "level: tomorrow\n")).fields()["level"]
    with pytest.raises(ContentError, match="one of: self_care, within_2_weeks"):
        node.one_of(Level)
