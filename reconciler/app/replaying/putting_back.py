"""A checkpoint that was made again goes back to its place: a deleted one by the way of `undelete`, a lost or
damaged one by that of what is mended from copies."""

import os
from pathlib import Path

import msgspec

from reconciler.act.damaged import set_aside, write_damage
from reconciler.act.mending import mend
from reconciler.act.observed_time import observed_seconds
from reconciler.act.tombstones import mirror
from reconciler.act.tools import Tools
from reconciler.act.trash import take_back
from reconciler.app.asking.requests import leave_request
from reconciler.app.surroundings.environment import Environment
from reconciler.observed.checkpoints import find_damage, one_checkpoint
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import MendCheckpoint, RestoreCheckpoint
from reconciler.plan.actions.base import of_recorded
from reconciler.plan.checkpoints import damaged
from state.atomic import ensure_folder, move_folder, publish_folder
from state.contract.files import read
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.store.rows import LedgerRow, TrashRow
from state.store.tables import get_meta, put


def put_back(
    environment: Environment, tools: Tools, campaign: str, row: LedgerRow, stone: TrashRow | None, made: Path
) -> str:
    """Put the folder `made` where its checkpoint lay, and return what was done.

    `stone`: its tombstone; None of one that was lost or is damaged: what is left of it in its place is kept
    beside it.

    Raises:
        ActionFailed: it could not be taken back, or something else has its place.
        FileExistsError: the trash has something else in its place.
    """
    if stone is not None:
        return take_back(_asked(environment, tools, stone, made), tools)
    place = tools.layout.root / row.path
    kept = _set_aside(campaign, row, place, tools) if os.path.lexists(place) else None
    publish_folder(made, place)
    mend(_mending(campaign, row), tools)
    before = f"what was left of it is {kept}; " if kept else ""
    return f"{before}it lies in its place again; the ledger knew it all the time"


def lies_whole(place: Path, digest: str) -> bool:
    """Does the checkpoint with this digest lie there, every byte of it as it was saved?

    Raises:
        OSError: something cannot be read now, which says nothing about what lies there.
    """
    there = one_checkpoint(place) if place.parent.exists() else None
    if not isinstance(there, FoundCheckpoint) or there.digest != digest:
        return False
    return not find_damage(place, there.manifest)


def _set_aside(campaign: str, row: LedgerRow, place: Path, tools: Tools) -> str:
    """Move what is left of it out of its place; the ledger says first what is wrong with it."""
    there = one_checkpoint(place)
    if isinstance(there, FoundCheckpoint) and (wrong := find_damage(place, there.manifest)):
        write_damage(tools, row.campaign_uid, there, "; ".join(wrong))
    return set_aside(damaged.set_aside(campaign, row), tools)


def _mending(campaign: str, row: LedgerRow) -> MendCheckpoint:
    """Return what reads it in its place; what the ledger held against the bytes of before goes with them."""
    return MendCheckpoint(
        **of_recorded(campaign, row), digest=row.digest, size_bytes=row.size_bytes, sources=()
    )


def _asked(environment: Environment, tools: Tools, stone: TrashRow, made: Path) -> RestoreCheckpoint:
    """Lay the folder into the trash, say so in its tombstone, and leave the request to take it back."""
    place = tools.layout.root / stone.path
    if place.exists() and read(place / MANIFEST_NAME, Manifest).digest != stone.digest:
        raise FileExistsError(f"{place} is in the way: something else lies there")
    if not place.exists():
        ensure_folder(place.parent)
        move_folder(made, place)
    with tools.writer.transaction() as store:
        stone = msgspec.structs.replace(
            stone,
            state="trashed",
            ended_at=None,
            trashed_at=tools.now(),
            trashed_at_seconds=observed_seconds(store, tools),
            clean_ticks=int(get_meta(store, "clean_ticks") or 0),
        )
        put(store, [stone])
    mirror(tools, stone)
    asked = leave_request(environment, tools.layout, "undelete", stone.thing, "made again by replay")
    return RestoreCheckpoint(
        request_id=asked.id,
        checkpoint=stone.thing,
        sequence=stone.sequence,
        campaign_uid=stone.campaign_uid,
        asked_by=asked.asked_by,
    )
