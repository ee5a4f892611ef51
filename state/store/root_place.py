"""Where the root lay when a reconciler last took office in it: so a copy of a whole root shows.

A copy has the same store, the same trainers and the same copies elsewhere, and takes them for its own. It is
told from a root that was only moved by what lies at the old place: the root that it was copied from, still.
Where that is gone, or out of sight, nothing tells the two apart, and the one that is here goes on.
"""

import os
from pathlib import Path

import apsw

from state.layout import Layout
from state.store.older_copy import read_written
from state.store.tables import get_meta, put_meta

_KEY = "root_place"


def get_place(connection: apsw.Connection) -> str | None:
    """Return where the root lay; None: no reconciler that writes that down took office in it yet."""
    return get_meta(connection, _KEY)


def put_place(connection: apsw.Connection, root: Path) -> None:
    """Write down where the root lies, if that is not said yet."""
    if get_meta(connection, _KEY) != (place := os.path.realpath(root)):
        put_meta(connection, _KEY, place)


def copied_from(layout: Layout, place: str | None) -> str | None:
    """Return where the root lies, still, that this one is a copy of; None: nothing shows that it is one.

    `place`: where the store says that it lay.
    """
    if place is None or place == os.path.realpath(layout.root):
        return None
    try:
        return place if _is_the_same_store(layout, Layout(Path(place))) else None
    except OSError:  # it is somebody else's by now, or on a disk that is away
        return None


def _is_the_same_store(layout: Layout, there: Layout) -> bool:
    is_other = there.root.is_dir() and not there.root.samefile(layout.root)
    return is_other and (uid := _uid(layout)) is not None and uid == _uid(there)


def _uid(layout: Layout) -> str | None:
    """Return which store was written here last, also where what lay beside it is lost."""
    return read_written(layout.written).uid or read_written(layout.witness).uid
