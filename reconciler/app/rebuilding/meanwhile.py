"""What an older copy of the store was told after it was put back: rows that the files beside it do not have.

No row is ever taken out of a store: what the copy held when it was made, the files hold too, as it became. So
a row of it that they lack was made since by an `apply` that worked with the copy, which writes no such files.
Of the store of another root no row is this root's. Where the files are lost, the store that lies there is all
there is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import apsw
import msgspec

from state.layout import Layout
from state.store.connection import StoreDamaged, open_reader
from state.store.older_copy import is_of_another_root, read_written, written
from state.store.owed_rows import NOT_MIRRORED
from state.store.row_files import realm_meta
from state.store.rows import LedgerRow
from state.store.schema import TABLES
from state.store.tables import select

Read = TypeVar("Read")


def rows_since(layout: Layout, store: Path, known: Iterable[msgspec.Struct]) -> Iterator[msgspec.Struct]:
    """Yield the rows of a store of this root whose keys are not known; of one that is damaged, none."""
    known = tuple(known)
    keys = {(type(row), _key(row)) for row in known}
    recorded = {_recorded(row) for row in known if isinstance(row, LedgerRow)}
    nothing: list[msgspec.Struct] = []
    for row in _read(layout, store, _rows, nothing):
        is_again = isinstance(row, LedgerRow) and _recorded(row) in recorded
        if not is_again and (type(row), _key(row)) not in keys:
            yield row


def meta_since(layout: Layout, store: Path, known: Mapping[str, str]) -> Mapping[str, str]:
    """Return the realm's values: those that are known or, where the file of them is lost, the store's."""
    return known or _read(layout, store, realm_meta, {})


def _rows(store: apsw.Connection) -> list[msgspec.Struct]:
    return [row for kind in TABLES if kind not in NOT_MIRRORED for row in select(store, kind)]


def _read(layout: Layout, path: Path, read: Callable[[apsw.Connection], Read], nothing: Read) -> Read:
    try:
        with open_reader(path) as store:
            is_anothers = is_of_another_root(written(store), read_written(layout.written))
            return nothing if is_anothers else read(store)
    except (OSError, StoreDamaged, apsw.Error, msgspec.ValidationError):
        return nothing


def _key(row: msgspec.Struct) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in TABLES[type(row)].key)


def _recorded(row: LedgerRow) -> tuple[object, ...]:
    """Return what tells a checkpoint from every other: the copy records again what lies in the folders."""
    return row.campaign_uid, row.segment, row.step, row.digest
