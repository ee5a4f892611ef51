"""The trash: drop a checkpoint, and take it back; `purging.py` deletes it for good.

Tombstone first, then the folder: at every instant each checkpoint that the ledger calls present lies in its
place, whole. A kill between the two leaves a folder that has its tombstone already; the next plan moves it.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.act.deletions import restore_campaign
from reconciler.act.demoting import promote
from reconciler.act.derived import campaign_row, places_of, write_campaign_file
from reconciler.act.errors import NotAsPlanned, Permanent, Temporary
from reconciler.act.lying import place_of
from reconciler.act.mending import make_whole
from reconciler.act.status_files import write_status_files
from reconciler.act.tombstones import begun_anew, mirror, new_stone, set_state
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import find_damage, observe_checkpoints
from reconciler.plan.actions import (
    CallOffDeletion,
    ForgetUndelete,
    MoveOutCheckpoint,
    RestoreCheckpoint,
    TrashCheckpoint,
    WriteTombstone,
)
from reconciler.plan.actions.base import name_of
from reconciler.plan.trash.names import dropped_name
from state.atomic import ensure_folder, move_folder
from state.contract.files import ContractError, read
from state.contract.manifest import MANIFEST_NAME, Manifest
from state.store.lineage import manifest_row
from state.store.rows import LedgerRow, RequestRow, TrashRow
from state.store.tables import put, select_one


def drop(action: TrashCheckpoint | MoveOutCheckpoint, tools: Tools) -> str:
    """Write the checkpoint's tombstone, then move its folder into the trash.

    What somebody put back by hand beside the trash is left there, once it was read and is what was dropped.

    Raises:
        Temporary: it is not there any more as it was planned.
        Permanent: the ledger does not know it, or what was put back by hand is not whole.
    """
    folder = folder_of(tools, action.campaign_uid, action.campaign, action.sequence)
    begun = _stone(action, tools)
    stone = begun or _bury(action, tools, folder)
    place = tools.layout.root / stone.path
    if folder.is_dir() and place.exists():
        _check_put_back(stone, folder)
        set_state(tools, _wanted_here(stone), "restored")
        tell(tools, stone)
        return "it lies in its place again: somebody put it back"
    if not place.exists():
        stone = stone if begun is None else begun_anew(tools, stone)
        ensure_folder(place.parent)
        move_folder(folder, place)
    mirror(tools, stone)
    tell(tools, stone)
    return f"in the trash; reconcile undelete {stone.thing} takes it back"


def _check_put_back(stone: TrashRow, folder: Path) -> None:
    """Read what somebody put beside the trash: only what is whole stands for what lies there."""
    if problem := damage_in(folder, stone):
        raise Permanent(
            f"{stone.thing} lies in {stone.path}, and what was put in its place is not whole: {problem}; "
            f"nothing was done: move {folder} away, and reconcile undelete {stone.thing} takes it back"
        )


def folder_of(tools: Tools, campaign_uid: str, campaign: str, sequence: int) -> Path:
    """Return where the checkpoint of a ledger row belongs.

    Raises:
        Permanent: the ledger has no such row.
    """
    with tools.writer.transaction() as store:
        row = select_one(store, LedgerRow, "WHERE sequence = ?", sequence)
    if row is None or row.campaign_uid != campaign_uid:
        raise Permanent(f"{campaign}: the ledger has no row {sequence} of it")
    return place_of(places_of(tools, campaign_uid, campaign), row)


def tell(tools: Tools, stone: TrashRow) -> None:
    """Let the campaign's files say what has become of its checkpoint."""
    write_campaign_file(tools, stone.campaign_uid, stone.campaign)
    write_status_files(tools, stone.campaign_uid, stone.campaign)


def _stone(action: TrashCheckpoint | MoveOutCheckpoint, tools: Tools) -> TrashRow | None:
    with tools.writer.transaction() as store:
        return select_one(store, TrashRow, "WHERE sequence = ? AND state = 'trashed'", action.sequence)


def _bury(action: TrashCheckpoint | MoveOutCheckpoint, tools: Tools, folder: Path) -> TrashRow:
    """Look once more at what is to be dropped, and write its tombstone."""
    manifest = _manifest(action, tools, folder)
    with tools.writer.transaction() as store:
        row = select_one(store, LedgerRow, "WHERE sequence = ?", action.sequence)
        if row is None or (row.campaign_uid, row.step, row.digest) != (
            action.campaign_uid, action.step, action.digest
        ):  # fmt: skip
            raise Permanent(f"checkpoint {name_of(action)}: the ledger has no row of {action.digest}")
        place = tools.layout.trash / dropped_name(row)
        if os.path.lexists(place):
            raise Permanent(
                f"{place} has the place of {name_of(action)} in the trash, and no tombstone names it; "
                "nothing was done: move it away, then it goes on by itself"
            )
        stone = new_stone(store, tools, action, folder, place)
        stone = msgspec.structs.replace(stone, segment=row.named_segment)
        put(store, [stone, manifest_row(manifest)])
    return stone


def _manifest(action: TrashCheckpoint | MoveOutCheckpoint, tools: Tools, folder: Path) -> Manifest:
    """Return the manifest of what is to be dropped; the store keeps it, for the proofs of descendants."""
    facts = observe_checkpoints(folder.parent, tools.layout.root, action.campaign_uid)
    for found in facts.complete:
        if (found.step, found.manifest.digest) == (action.step, action.digest):
            return found.manifest
    raise NotAsPlanned(f"{folder}: not there with digest {action.digest} any more; it changed since the plan")


def take_back(action: RestoreCheckpoint, tools: Tools) -> str:
    """Verify the checkpoint in the trash, move it to its place, then remove the tombstone.

    Raises:
        Temporary: its place is taken, or its contents cannot be read.
        Permanent: there is no such request.
    """
    if action.request_id is None:
        return _take_back_unasked(action, tools)
    with tools.writer.transaction() as store:
        request = select_one(store, RequestRow, "WHERE id = ?", action.request_id)
        stone = select_one(store, TrashRow, "WHERE sequence = ?", action.sequence)
    if request is None:
        raise Permanent(f"request {action.request_id} is not in the store")
    if request.handled_at is not None:
        return request.result or "handled before"
    result = f"the trash has no {action.checkpoint}"
    if stone is not None:
        stone = msgspec.structs.replace(_wanted_here(stone), overrules=action.overrules)
        result = _take_back(stone, tools, action.sources)
    with tools.writer.transaction() as store:
        put(store, [msgspec.structs.replace(request, handled_at=tools.now(), result=result)])
    return result


def _take_back_unasked(action: RestoreCheckpoint, tools: Tools) -> str:
    """Take back a campaign that its spec wants again; no request is answered: a refusal is a failure."""
    stone = _called_off(_tombstone(action.sequence, action.checkpoint, tools), tools)
    result = restore_campaign(msgspec.structs.replace(stone, overrules=None), tools, is_asked=False)
    if _tombstone(action.sequence, action.checkpoint, tools).state != "restored":
        raise Temporary(result)
    return result


def _wanted_here(stone: TrashRow) -> TrashRow:
    """Return the tombstone of what a person wants in its place: what was moved out is not moved out again."""
    return msgspec.structs.replace(stone, kind="asked") if stone.is_moved else stone


def _take_back(stone: TrashRow, tools: Tools, sources: Sequence[str]) -> str:
    if stone.is_campaign:
        return restore_campaign(stone, tools)
    with tools.writer.transaction() as store:
        if campaign_row(store, stone.campaign_uid, stone.campaign).status == "deleted":
            return f"not taken back: its campaign is deleted; first: reconcile undelete {stone.campaign}"
    if stone.keeps is None:
        return _restore(stone, tools, sources)
    problem = promote(stone, tools)
    return f"not taken back: {problem}" if problem else f"{stone.thing} has its optimizer state again"


def _restore(stone: TrashRow, tools: Tools, sources: Sequence[str]) -> str:
    place = tools.layout.root / stone.path
    try:
        folder = folder_of(tools, stone.campaign_uid, stone.campaign, stone.sequence)
    except Permanent as error:
        return f"not taken back: {error}; it stays in {place}"
    if stone.state == "trashed" and place.is_dir():
        if problem := damage_in(place, stone):
            _write_damage(tools, stone, problem)
            return f"not taken back: {problem}; it stays in the trash"
        if folder.exists():
            return f"not taken back: {folder} is taken; it stays in the trash"
        ensure_folder(folder.parent)
        move_folder(place, folder)
    elif stone.state == "purged" and sources:
        if problem := _bring_back(stone, folder, sources):
            return f"not brought back: {problem}"
    elif stone.state not in ("trashed", "restored") or not folder.is_dir():
        return f"{stone.thing} is deleted for good"
    set_state(tools, stone, "restored")
    tell(tools, stone)
    line = f"; {stone.overrules} counts no more for it while that line stands" if stone.overrules else ""
    return f"{stone.thing} is back, and no rule drops it again{line}{_told_of_optimizer(stone, tools)}"


def _write_damage(tools: Tools, stone: TrashRow, problem: str) -> None:
    """Write down what was found, as a scrub does: damage holds the deletions of its campaign."""
    with tools.writer.transaction() as store:
        row = select_one(store, LedgerRow, "WHERE sequence = ?", stone.sequence)
        if row is not None and row.digest == stone.digest:
            put(store, [msgspec.structs.replace(row, damage=problem, healthy=False)])
    tell(tools, stone)


def _told_of_optimizer(stone: TrashRow, tools: Tools) -> str:
    """Say where the optimizer's state is of a checkpoint that had lost it before it was dropped."""
    where = "WHERE campaign_uid = ? AND keeps = ? AND state = 'trashed'"
    with tools.writer.transaction() as store:
        state = select_one(store, TrashRow, where, stone.campaign_uid, stone.digest)
    if state is None:
        return ""
    return (
        f"; it has its weights, and its optimizer state lies in the trash, too: reconcile undelete "
        f"{state.thing} once more takes that back"
    )


def _bring_back(stone: TrashRow, folder: Path, sources: Sequence[str]) -> str | None:
    """Make what was deleted for good again from its copies elsewhere, verified; say what stood against it."""
    try:
        if not folder.is_dir():
            make_whole(stone.step, stone.digest, [Path(source) for source in sources], folder)
        return damage_in(folder, stone)
    except (Permanent, ContractError) as error:
        return str(error)


def call_off_deletion(action: CallOffDeletion, tools: Tools) -> str:
    """Write that a campaign in the trash was wanted again: into the store, then into its tombstone's mirror.

    Raises:
        Permanent: there is no such tombstone.
    """
    stone = _called_off(_tombstone(action.sequence, action.campaign, tools), tools)
    if action.is_mirrored:
        mirror(tools, stone)
    return "its deletion is over: it comes back as soon as it can, whatever becomes of its spec"


def _called_off(stone: TrashRow, tools: Tools) -> TrashRow:
    after = msgspec.structs.replace(stone, wanted_at=stone.wanted_at or tools.now())
    with tools.writer.transaction() as store:
        put(store, [after])
    return after


def forget_undelete(action: ForgetUndelete, tools: Tools) -> str:
    """Write that an undelete overrules no line any more: into the store, then into the tombstone's mirror.

    Raises:
        Permanent: there is no such tombstone.
    """
    stone = msgspec.structs.replace(_tombstone(action.sequence, name_of(action), tools), overrules=None)
    with tools.writer.transaction() as store:
        put(store, [stone])
    mirror(tools, stone)
    return f"a later {action.overrules} counts again"


def _tombstone(sequence: int | None, name: str, tools: Tools) -> TrashRow:
    with tools.writer.transaction() as store:
        stone = select_one(store, TrashRow, "WHERE sequence = ?", sequence)
    if stone is None:
        raise Permanent(f"the store has no tombstone of {name}")
    return stone


def damage_in(place: Path, stone: TrashRow) -> str | None:
    """Say what is wrong with a checkpoint in the trash: it is read and hashed whole."""
    try:
        manifest = read(place / MANIFEST_NAME, Manifest)
        if manifest.digest != stone.digest:
            return f"{place} has digest {manifest.digest}, the ledger {stone.digest}"
        return "; ".join(find_damage(place, manifest)) or None
    except FileNotFoundError as error:
        return f"{Path(str(error.filename)).name} is missing"


def write_tombstone(action: WriteTombstone, tools: Tools) -> str:
    """Write the mirror of a tombstone into the trash again.

    Raises:
        Permanent: there is no such tombstone.
    """
    stone = _tombstone(action.sequence, name_of(action), tools)
    mirror(tools, stone)
    return f"{stone.path}.json, {stone.state}"
