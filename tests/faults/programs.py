"""Finds the programs that the fault tests start; run as a script, it names those missing.

Standard library only: `make test` runs this before and after it installs debian-packages.txt.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NEEDED = ("initdb", "postgres", "redis-server")
FOLDERS = "/usr/lib/postgresql"


def find(name: str) -> Path | None:
    """Where program `name` is: on the path, or of the newest PostgreSQL that Debian installed."""
    found = shutil.which(name)
    if found:
        return Path(found)
    inside = Path(FOLDERS).glob(f"*/bin/{name}")
    by_version = sorted(inside, key=lambda file: (len(file.parts[-3]), file.parts[-3]))
    return by_version[-1] if by_version else None


def program(name: str) -> Path:
    """Program `name`. Raises `FileNotFoundError` with what to do."""
    found = find(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed. Fix: make services")
    return found


def main() -> int:
    """0 when nothing is missing."""
    missing = [name for name in NEEDED if find(name) is None]
    for name in missing:
        print(name)
    return 1 if missing else 0


def is_root() -> bool:
    """Whether this process may do everything."""
    return os.geteuid() == 0


if __name__ == "__main__":
    sys.exit(main())
