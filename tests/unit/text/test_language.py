"""The loader refuses bad language files, with the place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ebb.knowledge import language
from ebb.knowledge.yaml_reader import ContentError

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "knowledge" / "language"


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    folder = tmp_path / "language"
    shutil.copytree(FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("spellings.yml", "[boyz]", "[boyz]"),
        ("numbers.yml", "  one: 1\n", "  one: many\n"),
        ("scope.yml", "reach: 12", "reach: far"),
        ("clauses.yml", "starts:", "begins:"),
    ],
)
def test_bad_content_is_refused_with_file_and_line(
    tmp_path: Path, file: str, old: str, new: str
) -> None:
    if file == "spellings.yml":
        old, new = "  latch: [lach", "  latch: [lach, nappie"
    with pytest.raises(ContentError) as refused:
        language.load(changed(tmp_path, file, old, new))
    assert file in refused.value.file
    assert refused.value.line > 0
