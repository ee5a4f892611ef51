"""A checkpoint of an archived campaign moved out of the root, and back: payload before reference, both ways.

Out: its copies elsewhere were read back when they were made, and are looked at once more; then its tombstone,
which says that they stand for it; then its folder goes into the trash. Back: its folder first, verified, out
of the trash or made again from the copies; then the tombstone is over. The copies stay.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.act.errors import Permanent, Temporary
from reconciler.act.mending import make_whole
from reconciler.act.standing_copies import check_copy
from reconciler.act.tombstones import set_state
from reconciler.act.tools import Tools
from reconciler.act.trash import damage_in, drop, folder_of, tell
from reconciler.observed.copy_places import why_unreachable
from reconciler.plan.actions import BringBackCheckpoint, MoveOutCheckpoint
from state.amounts import size
from state.atomic import ensure_folder, move_folder
from state.store.rows import CampaignRow, CopyRow, TrashRow
from state.store.tables import select, select_one


def move_out(action: MoveOutCheckpoint, tools: Tools) -> str:
    """Let the copies stand for the checkpoint, and move its folder into the trash.

    Raises:
        Temporary: a copy is out of reach, or not as it was, which is written down; or the checkpoint is not.
        Permanent: the ledger does not know it.
    """
    with tools.writer.transaction() as store:
        campaign = select_one(store, CampaignRow, "WHERE uid = ?", action.campaign_uid)
        copies = select(store, CopyRow, "WHERE sequence = ?", action.sequence)
    since = (campaign.archived_at if campaign is not None else None) or ""
    relied_on = [copy for copy in copies if copy.path in action.copies]
    if len(relied_on) < max(1, len(action.copies)):
        raise Temporary(f"{action.campaign}@{action.step}: a copy of it is not known any more; planned again")
    for copy in relied_on:
        check_copy(tools, copy, since)
    drop(action, tools)
    return f"it lies in {action.copies[0]}; the one here is in the trash"


def bring_back(action: BringBackCheckpoint, tools: Tools) -> str:
    """Bring the checkpoint back into its place, every byte of it read and hashed.

    Raises:
        Temporary: its place is taken, there is no room, or a copy is out of reach.
        Permanent: it was never moved out, or no copy has what is needed.
    """
    with tools.writer.transaction() as store:
        stone = select_one(store, TrashRow, "WHERE sequence = ?", action.sequence)
    if stone is None or not stone.is_moved or stone.digest != action.digest:
        raise Permanent(f"{action.campaign}@{action.step} was not moved out of the root")
    folder = folder_of(tools, action.campaign_uid, action.campaign, action.sequence)
    if not folder.is_dir():
        _put_back(action, tools, stone, folder)
    if damage := damage_in(folder, stone):
        raise Temporary(f"{folder} is taken: {damage}")
    set_state(tools, stone, "restored")
    tell(tools, stone)
    return "back in its place: every byte is as it was saved"


def _put_back(action: BringBackCheckpoint, tools: Tools, stone: TrashRow, folder: Path) -> None:
    place = tools.layout.root / stone.path
    if stone.state == "trashed" and place.is_dir() and damage_in(place, stone) is None:
        ensure_folder(folder.parent)
        move_folder(place, folder)
        return
    _refuse_without_room(tools, action.size_bytes)
    try:
        make_whole(action.step, action.digest, [Path(source) for source in action.sources], folder)
    except Permanent as error:
        _look_again(action, tools)
        raise _told(action.sources, error) from error


def _look_again(action: BringBackCheckpoint, tools: Tools) -> None:
    """Write down which of its copies are not as they were: that holds what else would go of its campaign."""
    with tools.writer.transaction() as store:
        copies = select(store, CopyRow, "WHERE sequence = ?", action.sequence)
    for copy in copies:
        with suppress(Temporary):  # of what is out of reach nothing is known
            check_copy(tools, copy, since=tools.now())


def _refuse_without_room(tools: Tools, needed_bytes: int) -> None:
    room = os.statvfs(tools.layout.root)
    if (free := room.f_bavail * room.f_frsize) < needed_bytes:
        raise Temporary(f"the root's disk has {size(free)} left, {size(needed_bytes)} are needed")


def _told(sources: Sequence[str], error: Permanent) -> Permanent | Temporary:
    """Return why no copy gave it: one that is out of reach may have it all."""
    away = [why for source in sources if (why := why_unreachable(Path(source))) is not None]
    return Temporary(f"its copy is out of reach, and not lost: {away[0]}") if away else error
