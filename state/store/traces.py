"""What only a reconciler at work leaves in a root: where any of it lies and no store, the store was lost.

Such a root is no new one: a store that is made anew would know no run, job or checkpoint. Looked for only
where there is no store, so that a root which has one costs a single look.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from state.contract.files import MAX_BYTES
from state.contract.manifest import MANIFEST_NAME
from state.formats import decode_record
from state.ids import checkpoint_step
from state.inside import read_file
from state.layout import CampaignLayout, Layout, RunLayout
from state.lock import read_epoch
from state.store.backups import epoch_of, names_of
from state.store.connection import is_store_there
from state.store.older_copy import read_written
from state.store.row_files import files_of_rows, row_of
from state.store.rows import TrashRow


class Trace(NamedTuple):
    """Something in a root that only a reconciler at work leaves there."""

    place: Path
    epoch: int = 0
    """Of the writer that left it; 0: it does not say."""


class _ManifestHead(msgspec.Struct):
    """What tells a manifest of ours, also of a newer software, from a file that has its name only."""

    schema_version: int
    campaign_uid: str
    digest: str


def lost_store(layout: Layout) -> Trace | None:
    """Return what shows that the root had a store and has none; None: it has one, or never had.

    Raises:
        OSError: what is in the root may not be looked at, so nobody can tell.
    """
    return None if is_store_there(layout.store) else next(traces(layout), None)


def traces(layout: Layout) -> Iterator[Trace]:
    """Yield everything that shows that the root was in use; what is looked at soonest comes first.

    Raises:
        OSError: what is in the root may not be looked at.
    """
    yield from traces_of_office(layout)
    for folder in _campaign_folders(layout):
        yield from (Trace(path) for path in _manifests(CampaignLayout(folder)))


def traces_of_office(layout: Layout) -> Iterator[Trace]:
    """Yield all but checkpoints, which people may carry from root to root; raises as `traces` does."""
    yield from _beside_the_store(layout)
    yield from (Trace(path) for path in _tombstones(layout))
    for folder in _campaign_folders(layout):
        yield from (Trace(path) for path in _records(CampaignLayout(folder)))


def newest_epoch(layout: Layout) -> int:
    """Return the highest epoch that anything beside the store tells of; 0: nothing does."""
    return max((trace.epoch for trace in _beside_the_store(layout)), default=0)


def _beside_the_store(layout: Layout) -> Iterator[Trace]:
    if _is_there(layout.epoch):
        yield Trace(layout.epoch, _epoch_in(layout.epoch))
    for place in (layout.written, layout.witness):
        if _is_there(place):
            yield Trace(place, read_written(place).epoch)
    if (rows := next(files_of_rows(layout.row_files), None)) is not None:
        yield Trace(rows)
    for name in names_of(layout.backups):
        yield Trace(layout.backups / name, epoch_of(name))
    yield from (Trace(path) for path in _named(layout.root) if layout.is_set_aside(path))


def _epoch_in(mirror: Path) -> int:
    try:
        return read_epoch(mirror)
    except (OSError, ValueError):
        return 0  # that it is there is enough; whoever takes office names it


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _tombstones(layout: Layout) -> Iterator[Path]:
    for path in _named(layout.trash):
        if path.suffix == ".json" and _is_tombstone(path):
            yield path


def _is_tombstone(path: Path) -> bool:
    try:
        row_of(TrashRow, decode_record(read_file(path)))
    except (OSError, ValueError):
        return False
    return True


def _records(campaign: CampaignLayout) -> Iterator[Path]:
    """Yield a campaign's own record, where a reconciler gave it its uid, and the requests of its runs."""
    if _has_uid(campaign.record):
        yield campaign.record
    for folder in _named(campaign.runs):
        if _is_file(request := RunLayout(folder).request):
            yield request


def _has_uid(record: Path) -> bool:
    """Has a reconciler of ours written it? The records of older systems know no uid."""
    try:
        uid = decode_record(read_file(record)).get("uid")
    except (OSError, ValueError):
        return False
    return isinstance(uid, str) and uid != ""


def _manifests(campaign: CampaignLayout) -> Iterator[Path]:
    for folder in (campaign.checkpoints, *_named(campaign.segments)):
        for checkpoint in _named(folder):
            manifest = checkpoint / MANIFEST_NAME
            if checkpoint_step(checkpoint.name) is not None and _is_of_ours(manifest):
                yield manifest


def _is_of_ours(manifest: Path) -> bool:
    try:
        msgspec.json.decode(read_file(manifest, MAX_BYTES), type=_ManifestHead)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _campaign_folders(layout: Layout) -> Iterator[Path]:
    """Yield where campaigns may lie, archived ones too; no link is followed."""
    for above in (layout.campaigns, layout.archive):
        for hero in _folders(above):
            yield from _folders(hero)


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in _named(folder) if stat.S_ISDIR(_mode(path)))


def _is_file(path: Path) -> bool:
    return stat.S_ISREG(_mode(path))


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def _named(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in sorted(os.listdir(folder))]  # noqa: PTH208 - names, not paths
    except (FileNotFoundError, NotADirectoryError):
        return []
