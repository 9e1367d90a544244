"""The database that endpoints.yml names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ebb.assistant.store.database import Database
from ebb.assistant.store.sqlite import SQLite


def database_of(
    *,
    dialect: str,
    host: str | None,
    port: int | str | None,
    db: str,
    username: str | None,
    password: str | None,
    query: Mapping[str, object] | None,
    folder: Path,
    schema: str | None,
) -> Database:
    """Nothing is opened or connected yet. Raises `ValueError` for settings that cannot work.

    A relative `db` of SQLite is below `folder`; `schema` is for PostgreSQL only.
    """
    if dialect == "sqlite":
        return SQLite(folder / Path(db).expanduser())
    if dialect not in ("postgresql", "postgresql+psycopg2", "postgres"):
        raise ValueError(f"tracker_store: dialect must be sqlite or postgresql, not {dialect}")
    from sqlalchemy.engine import make_url

    from ebb.assistant.store.postgres import PostgreSQL

    if host and "://" in host:
        address = make_url(host)
        host, port, db = address.host, address.port, address.database or db
        username, password = address.username or username, str(address.password or password or "")
        query = {**address.query, **(query or {})}
    elif host and host.count(":") == 1:
        host, _, port = host.partition(":")
    target = {
        "host": host,
        "port": int(port) if port is not None else None,
        "dbname": db,
        "user": username,
        "password": password,
    }
    given = {name: value for name, value in target.items() if value not in (None, "")}
    return PostgreSQL({**given, **(query or {})}, schema)
