"""Rows in and out of the store: the row types are the tables."""

from collections.abc import Iterable
from typing import Any, TypeVar

import apsw
import msgspec

from state.store.schema import TABLES

Row = TypeVar("Row", bound=msgspec.Struct)


def select(
    connection: apsw.Connection, row_type: type[Row], where: str = "", *values: Any
) -> tuple[Row, ...]:
    """Return the rows that match, in key order unless `where` ends with an ORDER BY of its own."""
    table = TABLES[row_type]
    names = row_type.__struct_fields__
    order = "" if "ORDER BY" in where else f" ORDER BY {', '.join(table.key)}"
    query = f"SELECT {', '.join(names)} FROM {table.name} {where}{order}"  # noqa: S608 - our own names only
    found = connection.execute(query, values).fetchall()
    return tuple(msgspec.convert(found, list[row_type], strict=False))  # type: ignore[valid-type] # at run time


def select_one(connection: apsw.Connection, row_type: type[Row], where: str, *values: Any) -> Row | None:
    """Return the first row that matches, or None."""
    return next(iter(select(connection, row_type, where, *values)), None)


def put(connection: apsw.Connection, rows: Iterable[msgspec.Struct]) -> None:
    """Insert the rows, or replace those with the same key."""
    for row in rows:
        table = TABLES[type(row)]
        names = row.__struct_fields__
        updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in table.key)
        connection.execute(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "  # noqa: S608 - our own names
            f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {updates}",
            tuple(getattr(row, name) for name in names),
        )


def get_meta(connection: apsw.Connection, key: str) -> str | None:
    """Return the realm-wide value of this key."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if found is None else str(found[0])


def put_meta(connection: apsw.Connection, key: str, value: str) -> None:
    """Set the realm-wide value of this key."""
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))
