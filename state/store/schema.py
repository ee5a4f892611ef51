"""Tables, made from the row types; the version of the schema lies in SQLite's user_version."""

import types
import typing

import apsw
import msgspec

from state.store.rows import (
    ActionRow,
    CampaignRow,
    JobRow,
    LedgerRow,
    QuestDataRow,
    RequestRow,
    RunRow,
)

VERSION = 1


class Table(typing.NamedTuple):
    name: str
    row: type[msgspec.Struct]
    key: tuple[str, ...]
    unique: tuple[str, ...] = ()


TABLES = {
    table.row: table
    for table in (
        Table("campaigns", CampaignRow, ("uid",), ("name",)),
        Table("runs", RunRow, ("campaign_uid", "generation", "attempt")),
        Table("jobs", JobRow, ("uid",), ("id",)),
        Table("quest_data", QuestDataRow, ("source_key",)),
        Table("ledger", LedgerRow, ("campaign_uid", "segment", "step"), ("sequence",)),
        Table("actions", ActionRow, ("number",)),
        Table("requests", RequestRow, ("id",)),
    )
}


class StoreTooNew(Exception):
    """The store was written by a newer version of this software."""


def prepare(connection: apsw.Connection) -> None:
    """Create the tables, or leave those of this version alone.

    Raises:
        StoreTooNew: a newer version wrote this store.
    """
    found = connection.pragma("user_version")
    if found == VERSION:
        return
    if found > VERSION:
        raise StoreTooNew(f"the store has schema version {found}; this software knows {VERSION}; upgrade it")
    with connection:
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID")
        for table in TABLES.values():
            connection.execute(_create_statement(table))
        connection.pragma("user_version", VERSION)


def _create_statement(table: Table) -> str:
    columns = [f"{field.name} {_column_type(field)}" for field in msgspec.structs.fields(table.row)]
    columns.append(f"PRIMARY KEY ({', '.join(table.key)})")
    columns += [f"UNIQUE ({name})" for name in table.unique]
    return f"CREATE TABLE {table.name} ({', '.join(columns)}) STRICT, WITHOUT ROWID"


def _column_type(field: msgspec.structs.FieldInfo) -> str:
    options = typing.get_args(field.type) if _is_union(field.type) else (field.type,)
    kinds = {_sql_type(option) for option in options if option is not type(None)}
    (kind,) = kinds
    return kind if type(None) in options else f"{kind} NOT NULL"


def _is_union(annotation: object) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _sql_type(annotation: object) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return "TEXT"
    if annotation is bool or annotation is int:
        return "INTEGER"
    return {str: "TEXT", float: "REAL"}[annotation]  # type: ignore[index]  # a row type with another field fails here
