"""Read a contract file strictly: small enough, valid JSON, of a schema this version understands."""

import functools
from pathlib import Path
from typing import TypeVar

import msgspec

from state.contract.numbers import is_moment
from state.inside import InTheWay, read_file

MAX_BYTES = 64 * 1024 * 1024
Record = TypeVar("Record", bound=msgspec.Struct)


class ContractError(Exception):
    """A file between reconciler and trainer that cannot be understood; says which and why."""


class OfNewerSoftware(ContractError):
    """Its schema is newer than what this software knows: nothing is wrong with the file."""


class _Version(msgspec.Struct):
    schema_version: int


def read(path: Path, record_type: type[Record]) -> Record:
    """Return the record in the file.

    Raises:
        FileNotFoundError: there is no such file.
        ContractError: no plain file, too large, not JSON, not of this shape, or of a newer schema.
    """
    try:
        content = read_file(path, MAX_BYTES)
    except InTheWay as error:
        raise ContractError(str(error)) from error
    return decode(content, record_type, str(path))


def decode(content: bytes, record_type: type[Record], name: str) -> Record:
    """Return the record in these bytes; `name` says in errors where they came from."""
    try:
        record = msgspec.json.decode(content, type=record_type)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        _check_version(version_of(content), record_type, name)
        raise ContractError(f"{name}: not a {record_type.__name__}: {error}") from error
    _check_version(getattr(record, "schema_version", None), record_type, name)
    _check_moments(record, name)
    return record


def version_of(content: bytes) -> int | None:
    """Return the schema version in bytes that are no record that this software knows; None: they say none."""
    try:
        return msgspec.json.decode(content, type=_Version).schema_version
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _check_version(found: int | None, record_type: type[msgspec.Struct], name: str) -> None:
    known = _known_version(record_type)
    if found is not None and found > known:
        raise OfNewerSoftware(
            f"{name}: schema version {found} is newer than {known}, which this software knows; upgrade it"
        )


def _check_moments(record: msgspec.Struct, name: str) -> None:
    """Refuse a time that is none: everything that reads records counts with it."""
    for field in record.__struct_fields__:
        value = getattr(record, field)
        if field.endswith("_at") and isinstance(value, str) and not is_moment(value):
            raise ContractError(
                f"{name}: {field} is {value[:40]!r}; expected a time such as 2026-01-31T12:00:00Z"
            )


@functools.cache
def _known_version(record_type: type[msgspec.Struct]) -> int:
    fields = msgspec.structs.fields(record_type)
    return next((int(field.default) for field in fields if field.name == "schema_version"), 0)
