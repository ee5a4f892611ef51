"""What an older copy of the store was told after it was put back: rows that the files beside it do not have.

No row is ever taken out of a store: what the copy held when it was made, the files hold too, as it became. So
a row of it that they lack was made since by an `apply` that worked with the copy, which writes no such files.
Of the store of another root no row is this root's.
"""

from collections.abc import Iterable, Iterator

import apsw
import msgspec

from state.layout import Layout
from state.store.connection import StoreDamaged, open_reader
from state.store.older_copy import is_of_another_root, read_written, written
from state.store.owed_rows import NOT_MIRRORED
from state.store.rows import LedgerRow
from state.store.schema import TABLES
from state.store.tables import select


def rows_since(layout: Layout, known: Iterable[msgspec.Struct]) -> Iterator[msgspec.Struct]:
    """Yield the rows of the store that lies there whose keys are not known; of one that is damaged, none."""
    known = tuple(known)
    keys = {(type(row), _key(row)) for row in known}
    recorded = {_recorded(row) for row in known if isinstance(row, LedgerRow)}
    for row in _rows(layout):
        is_again = isinstance(row, LedgerRow) and _recorded(row) in recorded
        if not is_again and (type(row), _key(row)) not in keys:
            yield row


def _rows(layout: Layout) -> list[msgspec.Struct]:
    try:
        with open_reader(layout.store) as store:
            if is_of_another_root(written(store), read_written(layout.written)):
                return []
            return [row for kind in TABLES if kind not in NOT_MIRRORED for row in select(store, kind)]
    except (OSError, StoreDamaged, apsw.Error, msgspec.ValidationError):
        return []


def _key(row: msgspec.Struct) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in TABLES[type(row)].key)


def _recorded(row: LedgerRow) -> tuple[object, ...]:
    """Return what tells a checkpoint from every other: the copy records again what lies in the folders."""
    return row.campaign_uid, row.segment, row.step, row.digest
