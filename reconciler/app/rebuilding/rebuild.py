"""Make the store again from what says its rows: their files first, then the folders; the old file is kept.

The new store is finished under a staging name, read back and synced; only then the old one, if any, gets
another name and the new one its place. A kill leaves the old store, or none: `apply` refuses a root that lost
its store, and this can be run again.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import apsw
import msgspec

from reconciler.app.rebuilding.all_told import AllTold, all_told
from reconciler.app.rebuilding.aside import gather_journal, journal_of, newest_aside, set_aside
from reconciler.app.rebuilding.meanwhile import rows_since
from reconciler.app.rebuilding.named_places import NamedPlaces
from state.atomic import publish_file, remove_entry, sync_file
from state.layout import STAGING_PREFIX, Layout
from state.lock import read_epoch
from state.store.backups import names_of
from state.store.connection import StoreDamaged, open_reader, open_writer
from state.store.older_copy import NOT_WRITTEN, Written, last_written, read_written, written
from state.store.row_files import refuse_newer_rows
from state.store.schema import TABLES
from state.store.tables import put, put_meta, select
from state.store.traces import newest_epoch
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
    told = all_told(layout, now, named, is_older=is_older)
    num_rows = _finish(_staging(layout), layout, told)
    aside = set_aside(layout)
    publish_file(_staging(layout), layout.store)
    return Remade(
        num_rows=num_rows,
        from_folders=told.campaigns,
        set_aside=str(aside) if aside is not None else None,
        problems=told.problems,
        lost=tuple(filter(None, (_knows_more(layout, told), *told.words))),
        unseen=told.unseen,
    )


def _staging(layout: Layout) -> Path:
    return layout.store.with_name(f"{STAGING_PREFIX}{layout.store.name}")


def _finish(path: Path, layout: Layout, told: AllTold) -> dict[str, int]:
    """Write a whole store under this name, and sync it; return how many rows there are of each kind."""
    for left in (path, journal_of(path)):
        remove_entry(left)  # of a try that was killed
    num_rows = _fill(path, layout, told)
    sync_file(path)
    remove_entry(journal_of(path))
    return num_rows


def _knows_more(layout: Layout, told: AllTold) -> str | None:
    """Say that the newest copy of the store has rows which no file and no folder tells, and how many."""
    if not (names := names_of(layout.backups)):
        return None
    newest = layout.backups / names[-1]
    more = Counter(TABLES[type(row)].name for row in rows_since(layout, newest, told.rows))
    if told.is_by_rows and not more:
        return None
    which = (
        f"files of rows below {layout.row_files} are lost or damaged"
        if told.is_by_rows
        else f"{layout.row_files} is gone, too: only the folders were asked"
    )
    what = ", ".join(f"{number:,} {name}" for name, number in more.items()) or "marks, what was dropped"
    return (
        f"{which}; the newest copy of the store, {newest}, knows more ({what}): let it take the place of "
        f"{layout.store.name}, and run this again"
    )


def _fill(path: Path, layout: Layout, told: AllTold) -> dict[str, int]:
    writer = Writer(open_writer(path), _last(layout), is_remade=True)
    try:
        with writer.transaction() as store:
            put(store, told.rows)
            for key, value in told.meta.items():
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
