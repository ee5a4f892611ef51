"""Everything that is told of a realm whose store is to be made again, by whatever is left.

The files of rows first, with what a store beside them knows; then the tombstones, the folders, and the places
outside the root. Nothing is written.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from reconciler.app.rebuilding.aside import newest_aside
from reconciler.app.rebuilding.beginnings import with_beginnings
from reconciler.app.rebuilding.elsewhere import Elsewhere, ask_places, is_unexplained
from reconciler.app.rebuilding.folders import FolderRows, rows_of_folders, rows_of_sidecars
from reconciler.app.rebuilding.indexed_marks import with_indexed_marks
from reconciler.app.rebuilding.manifests import lacking, rows_of_manifests, words_on_lacking
from reconciler.app.rebuilding.meanwhile import meta_since, rows_since
from reconciler.app.rebuilding.named_places import NamedPlaces
from reconciler.app.rebuilding.realm_values import realm_values
from reconciler.app.rebuilding.words_on_lost import words_on_lost
from state.formats import decode_record
from state.inside import read_file
from state.layout import Layout
from state.store.row_files import RowsFound, read_realm_meta, read_row_files, row_of
from state.store.rows import TrashRow
from state.store.unseen_places import KEY as UNSEEN_PLACES
from state.store.unseen_places import unseen_text


class AllTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the new store is to hold, and what nothing tells."""

    rows: tuple[msgspec.Struct, ...]
    meta: Mapping[str, str]
    is_by_rows: bool
    """Did the files of rows, or a store, tell any of them?"""
    campaigns: tuple[str, ...]
    """Those that only their folder told of."""
    problems: tuple[str, ...]
    words: tuple[str | None, ...]
    """What is not known any more, for people."""
    unseen: tuple[str, ...]
    """Places outside the root that could not be looked into, each with why."""


def all_told(layout: Layout, now: str, named: NamedPlaces, *, is_older: bool) -> AllTold:
    """Return what is left; of a store that is an older copy (`is_older`) what was written into it since."""
    said = _said(layout, is_older=is_older)
    is_by_rows = bool(said.rows)
    said = msgspec.structs.replace(said, rows=(*said.rows, *_stones(layout, said)))
    found = rows_of_folders(layout, said.rows, now)
    elsewhere = _elsewhere(layout, named, said, found, (*said.rows, *found.rows))
    rows = with_indexed_marks(layout, said.rows, (*said.rows, *found.rows, *elsewhere.rows))
    rows = with_beginnings((*rows, *rows_of_manifests(layout, rows)), found.requests)
    lost = words_on_lost(rows, found.campaigns, is_realm_told=bool(said.meta))
    return AllTold(
        rows=tuple(rows),
        meta=realm_values(layout, said.meta, found, rows) | {UNSEEN_PLACES: unseen_text(elsewhere.unseen)},
        is_by_rows=is_by_rows,
        campaigns=found.campaigns,
        problems=(*said.problems, *found.problems),
        words=(words_on_lacking(lacking(rows), rows), *lost, *elsewhere.words),
        unseen=elsewhere.unseen,
    )


def _elsewhere(
    layout: Layout,
    named: NamedPlaces,
    said: RowsFound,
    found: FolderRows,
    rows: Sequence[msgspec.Struct],
) -> Elsewhere:
    """Return what the places outside the root tell; they are asked only where rows may be lost."""
    if not (found.campaigns or _may_lack_copies(layout, said) or is_unexplained(rows)):
        return Elsewhere()
    realm_uid = said.meta.get("realm_uid") or found.realm_uid or ""
    return ask_places(layout, named, rows, realm_uid)


def _may_lack_copies(layout: Layout, said: RowsFound) -> bool:
    """Is the file of the realm lost, which tells the copies, or did it tell of places that nobody saw?"""
    is_told = bool(read_realm_meta(layout.row_files))
    return not is_told or said.meta.get(UNSEEN_PLACES, "[]") != "[]"


def _said(layout: Layout, *, is_older: bool) -> RowsFound:
    """Return what the files of rows say and, where it is asked, another store."""
    said = read_row_files(layout.row_files)
    other = layout.store if is_older else newest_aside(layout) if not said.rows else None
    if other is None:
        return said
    rows = (*said.rows, *rows_since(layout, other, said.rows))
    rows = (*rows, *rows_of_sidecars(layout, rows)) if not said.rows else rows
    return msgspec.structs.replace(said, rows=rows, meta=meta_since(layout, other, said.meta))


def _stones(layout: Layout, said: RowsFound) -> Iterator[TrashRow]:
    """Yield the tombstones that lie in the trash: they are written before the files of rows.

    But for a deletion that is over: that is said while the trash cannot be written to, too.
    """
    over = {one.sequence: one for one in said.rows if isinstance(one, TrashRow) and one.wanted_at is not None}
    for path in sorted(layout.trash.glob("*.json")):
        try:
            stone = row_of(TrashRow, decode_record(read_file(path)))
            other = over.get(stone.sequence)
            if other is not None and other.trashed_at == stone.trashed_at:
                stone = msgspec.structs.replace(stone, wanted_at=stone.wanted_at or other.wanted_at)
            yield stone
        except (OSError, ValueError):
            continue  # without its stone nothing is purged
