"""`purge`, the only function of this software that deletes data: what is known to be ours, and nothing else.

Every name is removed by itself, from an open folder, never a whole tree: what somebody put beside it stops
the purge, by name, and stays where it is.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.act.errors import Permanent, Temporary
from reconciler.act.standing_copies import check_stands_for
from reconciler.act.status_files import write_status_files
from reconciler.act.tombstones import set_state
from reconciler.act.tools import Tools
from reconciler.observed.belongings import (
    Belongings,
    Entry,
    belongings_of_campaign,
    belongings_of_checkpoint,
)
from reconciler.plan.actions import PurgeTrash
from state.atomic import sync_folder
from state.contract.manifest import MANIFEST_NAME
from state.failpoints import reach
from state.ids import RunKey
from state.inside import opened
from state.store.rows import LedgerRow, RunRow, TrashRow
from state.store.tables import select, select_one


def purge(action: PurgeTrash, tools: Tools) -> str:
    """Delete a dropped checkpoint, or a deleted campaign, for good.

    Raises:
        Permanent: its tombstone does not say that it may go, or what lies there is no folder of the trash, or
            something that is not ours lies in it.
        Temporary: somebody put something into it meanwhile, or no copy stands for what was moved out.
    """
    with tools.writer.transaction() as store:
        stone = select_one(store, TrashRow, "WHERE sequence = ?", action.sequence)
    if stone is None or stone.path != action.path or stone.state not in ("trashed", "purging", "purged"):
        raise Permanent(f"{action.path}: its tombstone does not say that it may be deleted")
    place = tools.layout.root / stone.path
    if place.parent != tools.layout.trash or place.is_symlink():
        raise Permanent(f"{place}: is no folder of the trash; nothing was deleted")
    found = _belongings(tools, stone, place)
    if (strange := found.strange()) is not None:
        raise Permanent(f"{place} holds what is not ours: {strange}; nothing of it was deleted")
    if stone.state == "trashed":
        _check_recorded(tools, stone, place)
    if stone.is_moved and stone.state == "trashed":
        check_stands_for(tools, stone)
    set_state(tools, stone, "purging")
    write_status_files(tools, stone.campaign_uid, stone.campaign)
    _remove(place, found.ours)
    set_state(tools, stone, "purged")
    return f"deleted; its ledger row{'s' if stone.is_campaign else ''} and metrics stay"


def _check_recorded(tools: Tools, stone: TrashRow, place: Path) -> None:
    """Refuse what lies there and is in no row of the ledger: nothing would tell of it any more."""
    if stone.is_campaign or not place.is_dir():
        return
    is_it = "sequence = ?" if stone.keeps is None else "digest IN (?, ?)"
    known = (stone.sequence,) if stone.keeps is None else (stone.keeps, stone.digest)
    with tools.writer.transaction() as store:
        row = select_one(store, LedgerRow, f"WHERE campaign_uid = ? AND {is_it}", stone.campaign_uid, *known)
    if row is None:
        raise Permanent(f"{place}: the ledger has no row of {stone.thing}; nothing of it was deleted")


def _belongings(tools: Tools, stone: TrashRow, place: Path) -> Belongings:
    if not stone.is_campaign:
        return belongings_of_checkpoint(place, tools.layout.root, stone.digest)
    return belongings_of_campaign(
        place, tools.layout.root, stone.campaign_uid, known_runs(tools, stone.campaign_uid)
    )


def known_runs(tools: Tools, campaign_uid: str) -> frozenset[str]:
    """Return the names of the folders of the runs of a campaign that the store knows."""
    with tools.writer.transaction() as store:
        rows = select(store, RunRow, "WHERE campaign_uid = ?", campaign_uid)
    return frozenset(RunKey(row.campaign_uid, row.generation, row.attempt).folder for row in rows)


def _remove(place: Path, ours: Sequence[Entry]) -> None:
    """Remove these entries one by one, the content of a folder before it; one that is gone is fine.

    Raises:
        InTheWay: somebody put a link in the place of a folder meanwhile.
        Temporary: somebody put something into one.
    """
    for entry in ours:
        reach("purge.remove")
        path = place / entry.path
        try:
            if path.name == MANIFEST_NAME:
                # A power cut must not leave files without what says that they are ours.
                sync_folder(path.parent)
            with opened(path.parent) as folder:
                (os.rmdir if entry.is_folder else os.unlink)(path.name, dir_fd=folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EISDIR, errno.ENOTDIR, errno.EPERM):
                raise Temporary(
                    f"{path}: somebody changed it meanwhile, so it stays: {error.strerror}"
                ) from error
            raise
    if ours:
        sync_folder(place.parent)
    reach("purge.removed")
