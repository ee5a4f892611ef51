"""Make the store again from what says its rows: their files first, then the folders; the old file is kept.

The new store is finished under a staging name, read back and synced; only then the old one, if any, gets
another name and the new one its place. A kill leaves the old store, or none: `apply` refuses a root that lost
its store, and this can be run again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import apsw
import msgspec

from reconciler.app.rebuilding.aside import gather_journal, journal_of, newest_aside, set_aside
from reconciler.app.rebuilding.beginnings import with_beginnings
from reconciler.app.rebuilding.elsewhere import Elsewhere, ask_places, is_unexplained
from reconciler.app.rebuilding.folders import FolderRows, rows_of_folders, rows_of_sidecars
from reconciler.app.rebuilding.indexed_marks import with_indexed_marks
from reconciler.app.rebuilding.manifests import lacking, rows_of_manifests, words_on_lacking
from reconciler.app.rebuilding.meanwhile import meta_since, rows_since
from reconciler.app.rebuilding.named_places import NamedPlaces
from reconciler.app.rebuilding.realm_values import realm_values
from reconciler.app.rebuilding.words_on_lost import words_on_lost
from state.atomic import publish_file, remove_entry, sync_file
from state.formats import decode_record
from state.inside import read_file
from state.layout import STAGING_PREFIX, Layout
from state.lock import read_epoch
from state.store.backups import names_of
from state.store.connection import StoreDamaged, open_reader, open_writer
from state.store.older_copy import NOT_WRITTEN, Written, last_written, read_written, written
from state.store.row_files import RowsFound, read_realm_meta, read_row_files, refuse_newer_rows, row_of
from state.store.rows import TrashRow
from state.store.schema import TABLES
from state.store.tables import put, put_meta, select
from state.store.traces import newest_epoch
from state.store.unseen_places import KEY as UNSEEN_PLACES
from state.store.unseen_places import unseen_text
from state.store.writer import Writer


class Remade(msgspec.Struct, frozen=True, kw_only=True):
    """What the new store holds, and what became of the old one."""

    num_rows: Mapping[str, int]
    """By table."""
    from_folders: tuple[str, ...]
    """Campaigns that only their folder told of."""
    set_aside: str | None
    problems: tuple[str, ...]
    lost: tuple[str, ...]
    """What is not known any more, and what was not asked and knows more, in words."""
    unseen: tuple[str, ...] = ()
    """Places outside the root that could not be looked into, each with why; nothing is deleted meanwhile."""


def remake_store(layout: Layout, now: str, named: NamedPlaces, *, is_older: bool) -> Remade:
    """Make the store from the files of rows and the folders; the caller holds the realm's lock.

    Where rows are lost, the places outside the root that may hold copies are asked, too.

    Of a store that is an older copy (`is_older`) what was written into it since it was put back is kept.
    Where the files are lost, so is what the store says that was put aside last: a kill came then, perhaps.

    Raises:
        StoreDamaged: what was made does not read back.
        StoreTooNew: a newer version wrote a file of rows.
        OSError: the disk is full or failing; the old store is as it was, or under its other name.
    """
    refuse_newer_rows(layout.row_files)
    gather_journal(layout)
    said = _said(layout, is_older=is_older)
    is_told = bool(said.rows)
    said = msgspec.structs.replace(said, rows=(*said.rows, *_stones(layout, said)))
    found = rows_of_folders(layout, said.rows, now)
    rows = (*said.rows, *found.rows)
    elsewhere = _elsewhere(layout, named, said, found, rows)
    rows = with_indexed_marks(layout, said.rows, (*rows, *elsewhere.rows))
    rows = with_beginnings((*rows, *rows_of_manifests(layout, rows)), found.requests)
    staging = layout.store.with_name(f"{STAGING_PREFIX}{layout.store.name}")
    for left in (staging, journal_of(staging)):
        remove_entry(left)  # of a try that was killed
    meta = realm_values(layout, said.meta, found, rows) | {UNSEEN_PLACES: unseen_text(elsewhere.unseen)}
    num_rows = _fill(staging, layout, rows, meta)
    sync_file(staging)
    remove_entry(journal_of(staging))
    aside = set_aside(layout)
    publish_file(staging, layout.store)
    words = (
        _knows_more(layout, rows, is_told=is_told),
        words_on_lacking(lacking(rows), rows),
        *words_on_lost(rows, found.campaigns, is_realm_told=bool(said.meta)),
        *elsewhere.words,
    )
    return Remade(
        num_rows=num_rows,
        from_folders=found.campaigns,
        set_aside=str(aside) if aside is not None else None,
        problems=(*said.problems, *found.problems),
        lost=tuple(filter(None, words)),
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


def _knows_more(layout: Layout, rows: Sequence[msgspec.Struct], *, is_told: bool) -> str | None:
    """Say that the newest copy of the store has rows which no file and no folder tells, and how many."""
    if not (names := names_of(layout.backups)):
        return None
    newest = layout.backups / names[-1]
    more = Counter(TABLES[type(row)].name for row in rows_since(layout, newest, rows))
    if is_told and not more:
        return None
    which = (
        f"files of rows below {layout.row_files} are lost or damaged"
        if is_told
        else f"{layout.row_files} is gone, too: only the folders were asked"
    )
    what = ", ".join(f"{number:,} {name}" for name, number in more.items()) or "marks, what was dropped"
    return (
        f"{which}; the newest copy of the store, {newest}, knows more ({what}): let it take the place of "
        f"{layout.store.name}, and run this again"
    )


def _fill(
    path: Path, layout: Layout, rows: Sequence[msgspec.Struct], meta: Mapping[str, str]
) -> dict[str, int]:
    """Write a store with these rows; return how many there are of each kind."""
    writer = Writer(open_writer(path), _last(layout), is_remade=True)
    try:
        with writer.transaction() as store:
            put(store, rows)
            for key, value in meta.items():
                put_meta(store, key, value)
        with writer.transaction() as store:
            counts = {table.name: len(select(store, kind)) for kind, table in TABLES.items()}
            (check,) = [str(row[0]) for row in store.execute("PRAGMA integrity_check(1)")]
    finally:
        writer.close()
    if check != "ok":
        raise StoreDamaged(f"{path} does not read back: {check}")
    return counts


def _last(layout: Layout) -> Written:
    """Return which store it was, and the highest epoch that anything tells of: the new one is above it."""
    last = last_written(read_epoch(layout.epoch), layout.written, layout.witness)
    own, aside = _said_in(layout.store), newest_aside(layout)
    epoch = max(last.epoch, own.epoch, newest_epoch(layout), _said_in(aside).epoch if aside else 0)
    return last._replace(epoch=epoch, uid=last.uid or read_written(layout.witness).uid or own.uid)


def _said_in(path: Path) -> Written:
    """Return what a store itself says; of one that is gone or cannot be read, nothing."""
    try:
        with open_reader(path) as store:
            return written(store)
    except (FileNotFoundError, StoreDamaged, apsw.Error):
        return NOT_WRITTEN


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
