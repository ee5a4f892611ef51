"""The rows of the store in files, from which it can be made again: one of each campaign, one of the realm.

They are written after the transaction that changed the rows; a kill between the two leaves its note
(`owed_rows`). Manifests never change, and may be many: each has a file of its own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import apsw
import msgspec

from state.atomic import create_file, ensure_folder, write_file
from state.contract.files import ContractError, decode
from state.inside import InTheWay, read_file
from state.store.newer_rows import CAMPAIGNS, MAX_BYTES, NAME, SUFFIX, VERSION, is_named_as_ours, newer_rows
from state.store.older_copy import older_copy_of
from state.store.owed_rows import BESIDE_META, MIRRORED_META, NOT_MIRRORED, REALM, owed_rows, rows_are_said
from state.store.rows import CampaignRow, ManifestRow
from state.store.schema import TABLES, StoreTooNew
from state.store.tables import Row, get_meta, select, select_one
from state.store.writer import Writer

_MANIFESTS = "manifests"
_META = (*MIRRORED_META, *BESIDE_META)
_DIGEST = re.compile(r"blake3:([0-9a-f]{64})", re.ASCII)


class RowFile(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one campaign, or of the realm, by the names of their tables."""

    schema_version: int = VERSION
    tables: dict[str, list[dict[str, Any]]]
    meta: dict[str, str] = {}


class RowsFound(msgspec.Struct, frozen=True, kw_only=True):
    """What the files say."""

    rows: tuple[msgspec.Struct, ...]
    meta: Mapping[str, str]
    problems: tuple[str, ...]
    """Files that could not be understood, each with why."""


def row_folders(folder: Path) -> list[Path]:
    """Return the folders in which such files are written, for the broom that follows a kill."""
    return [folder, folder / CAMPAIGNS, folder / _MANIFESTS]


def settle_row_files(folder: Path, writer: Writer) -> None:
    """Write what the files do not say yet, and how far the store is written.

    What something else has the place of stays owed. No rows are written from an older copy of the store: the
    files know more, and it is made again from them.
    """
    _settle_rows(folder, writer)
    writer.mirror()


def _settle_rows(folder: Path, writer: Writer) -> None:
    with writer.transaction() as store:
        if older_copy_of(store):
            return
        files = {owner: _content(store, owner) for owner in owed_rows(store)}
    said = [owner for owner, content in files.items() if _said(folder, owner, content)]
    if said:
        with writer.transaction() as store:
            rows_are_said(store, said)


def read_row_files(folder: Path) -> RowsFound:
    """Return every row that the files say."""
    rows: list[msgspec.Struct] = []
    meta: dict[str, str] = {}
    problems: list[str] = []
    for path in files_of_rows(folder):
        try:
            content = read_file(path, MAX_BYTES)
            if path.parent.name == _MANIFESTS:
                digest = f"blake3:{path.name.removesuffix(SUFFIX)}"
                rows.append(ManifestRow(digest=digest, manifest_json=content.decode()))
                continue
            said = decode(content, RowFile, str(path))
            rows += _rows(said)
            meta |= {key: value for key, value in said.meta.items() if key in _META}
        except (OSError, ValueError, ContractError, InTheWay) as error:
            problems.append(f"{path}: {error}" if str(path) not in str(error) else str(error))
    return RowsFound(rows=tuple(rows), meta=meta, problems=tuple(problems))


def refuse_newer_rows(folder: Path) -> None:
    """Let nobody go on who would write these files anew though newer software wrote one.

    Raises:
        StoreTooNew: it did; what this software does not know of would be lost. Nothing was written.
    """
    if newer := newer_rows(folder):
        raise StoreTooNew(
            f"{newer}: nothing was done, since it would write that file anew; "
            "upgrade it, or move the file away"
        )


def read_realm_meta(folder: Path) -> Mapping[str, str]:
    """Return what the file of the realm says beside rows; nothing where it is gone or damaged."""
    try:
        path = folder / f"{REALM}{SUFFIX}"
        return decode(read_file(path, MAX_BYTES), RowFile, str(path)).meta
    except (OSError, ValueError, ContractError, InTheWay):
        return {}


def lost_row_files(folder: Path, store: apsw.Connection) -> list[Path]:
    """Return the files that were written, as the store notes it, and are not there any more."""
    owed = {*owed_rows(store)}
    owners = [REALM]
    for row_type, key in ((CampaignRow, "uid"), (ManifestRow, "digest")):
        found = store.execute(f"SELECT {key} FROM {TABLES[row_type].name} ORDER BY {key}")  # noqa: S608
        owners += [str(values[0]) for values in found]
    paths = (_path(folder, owner) for owner in owners if owner not in owed)
    return [path for path in paths if path is not None and not path.exists()]


def files_of_rows(folder: Path) -> Iterator[Path]:
    """Yield the files of the realm, of the campaigns and of the manifests that are there."""
    yield from _of_realm(folder)
    yield from _below(folder, CAMPAIGNS)
    yield from _below(folder, _MANIFESTS)


def _of_realm(folder: Path) -> Iterator[Path]:
    if (path := folder / f"{REALM}{SUFFIX}").exists():
        yield path


def _below(folder: Path, name: str) -> Iterator[Path]:
    if (folder / name).is_dir():
        yield from sorted(path for path in (folder / name).iterdir() if is_named_as_ours(path.name))


def _path(folder: Path, owner: str) -> Path | None:
    """Return the place of an owner's rows; None of a name that cannot be a file's."""
    if owner == REALM:
        return folder / f"{REALM}{SUFFIX}"
    if match := _DIGEST.fullmatch(owner):
        return folder / _MANIFESTS / f"{match[1]}{SUFFIX}"
    return folder / CAMPAIGNS / f"{owner}{SUFFIX}" if NAME.fullmatch(owner) else None


def _said(folder: Path, owner: str, content: bytes | None) -> bool:
    """Write an owner's file, where it can have one; say whether nothing is owed any more."""
    path = _path(folder, owner)
    if path is None or content is None:
        return True
    try:
        ensure_folder(path.parent)
        if path.parent.name == _MANIFESTS:
            create_file(path, content)
        else:
            write_file(path, content)
    except InTheWay:
        return False
    return True


def _content(store: apsw.Connection, owner: str) -> bytes | None:
    """Return what an owner's file should hold; None of a manifest that is in no row any more."""
    if _DIGEST.fullmatch(owner):
        row = select_one(store, ManifestRow, "WHERE digest = ?", owner)
        return row.manifest_json.encode() if row is not None else None
    tables, meta = dict(_tables(store, owner)), {}
    if owner == REALM:
        meta = realm_meta(store)
    return msgspec.json.encode(RowFile(tables=tables, meta=meta)) + b"\n"


def realm_meta(store: apsw.Connection) -> dict[str, str]:
    """Return what the file of the realm says beside rows."""
    return {key: value for key in _META if (value := get_meta(store, key)) is not None}


def _tables(store: apsw.Connection, owner: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for row_type, table in TABLES.items():
        if row_type in NOT_MIRRORED or row_type is ManifestRow:
            continue
        key = "uid" if row_type is CampaignRow else "campaign_uid"
        is_of_a_campaign = key in row_type.__struct_fields__
        if is_of_a_campaign == (owner == REALM):
            continue
        of_owner = (f"WHERE {key} = ?", owner) if is_of_a_campaign else ("",)
        yield table.name, [msgspec.structs.asdict(row) for row in select(store, row_type, *of_owner)]


def _rows(said: RowFile) -> Iterable[msgspec.Struct]:
    types = {table.name: row_type for row_type, table in TABLES.items()}
    for name, rows in said.tables.items():
        for values in rows if name in types else ():
            yield row_of(types[name], values)


def row_of(row_type: type[Row], values: Mapping[str, Any]) -> Row:
    """Return the row with these values; what a later version added and the file lacks has its default.

    Raises:
        ValueError: a value is missing, or of another kind.
    """
    given = []
    for field in msgspec.structs.fields(row_type):
        if field.required and field.name not in values:
            raise ValueError(f"a row of {row_type.__name__} without {field.name!r}")
        given.append(values.get(field.name, field.default))
    try:
        return msgspec.convert(given, row_type)
    except msgspec.ValidationError as error:
        raise ValueError(f"a row of {row_type.__name__}: {error}") from error
