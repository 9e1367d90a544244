"""Where the content is, and a hash to tell whether it changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

PROJECT = Path(os.environ.get("EBB_PROJECT") or Path(__file__).resolve().parents[2])
"""The folder that holds config.yml, knowledge/ and models/."""


def digest(*places: Path) -> str:
    """A short hash of files, and of all YAML and Python files below folders."""
    found = hashlib.sha256()
    for place in places:
        inside = [*place.rglob("*.yml"), *place.rglob("*.py")] if place.is_dir() else [place]
        for file in sorted(inside):
            found.update(str(file.relative_to(place.parent)).encode())
            found.update(file.read_bytes())
    return found.hexdigest()[:16]
