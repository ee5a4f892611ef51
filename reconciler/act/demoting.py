"""A checkpoint that keeps its weights only: its full form goes to the trash, and comes back from there.

Tombstone, then the full form into the trash, then the weights into its place, then the ledger: until that row
changes, the full form lies whole in its place or in the trash. The weights are the same bytes under a second
name where the file system can do that, under a manifest of their own, and are read back before they count.
"""

from pathlib import Path

import apsw
import msgspec

from reconciler.act.checkpoints import write_sidecar
from reconciler.act.damaged import write_damage
from reconciler.act.derived import places_of, write_campaign_file
from reconciler.act.errors import NotAsPlanned, Permanent, Temporary
from reconciler.act.lying import find_lying, place_of
from reconciler.act.read_back import check_written
from reconciler.act.status_files import write_status_files
from reconciler.act.tombstones import begun_anew, mirror, new_stone, set_state
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import find_damage
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import DemoteCheckpoint
from reconciler.plan.actions.base import name_of
from reconciler.plan.trash.names import dropped_name
from state.amounts import size
from state.atomic import (
    ensure_folder,
    freeze,
    make_staging,
    move_folder,
    publish_folder,
    remove_staged,
    write_json,
)
from state.contract.files import ContractError, read
from state.contract.manifest import MANIFEST_NAME, Manifest, optimizer_bytes, weights_only
from state.layout import STAGING_PREFIX, CampaignLayout
from state.links import take_over_file
from state.store.lineage import manifest_row
from state.store.rows import LedgerRow, TrashRow
from state.store.tables import put, select_one
from state.store.writer import next_number


def demote(action: DemoteCheckpoint, tools: Tools) -> str:
    """Let the checkpoint keep its weights, or go on where a kill came between.

    Raises:
        Temporary: it is not there as it was planned, or is damaged, which is written down now.
        Permanent: the ledger does not know it.
    """
    row, stone = _row(action, tools), _open_stone(action, tools)
    places = places_of(tools, action.campaign_uid, action.campaign)
    place = place_of(places, row)
    if stone is None and row.digest != action.digest:
        raise Temporary(f"{name_of(action)} has digest {row.digest}; it changed since the plan")
    begun, stone = stone, stone or _bury(action, tools, row, place)
    full = tools.layout.root / stone.path
    if begun is not None and place.is_dir() and not full.exists():
        stone = begun_anew(tools, begun)
    if row.digest == action.digest:
        lighter = weights_only(_manifest_in(full if full.is_dir() else place, action.digest))
        _swap(places, place, full, lighter)
        row = _as_lighter(row, stone, lighter)
        with tools.writer.transaction() as store:
            put(store, [row, manifest_row(lighter)])
    mirror(tools, stone)
    _tell(tools, place, row, stone)
    freed = size(stone.size_bytes)
    return f"{freed} of optimizer state in the trash; reconcile undelete {stone.thing} takes it back"


def _row(action: DemoteCheckpoint, tools: Tools) -> LedgerRow:
    with tools.writer.transaction() as store:
        row = select_one(store, LedgerRow, "WHERE sequence = ?", action.sequence)
    if row is None or row.campaign_uid != action.campaign_uid:
        raise Permanent(f"{action.campaign}: the ledger has no row {action.sequence} of it")
    return row


def _open_stone(action: DemoteCheckpoint, tools: Tools) -> TrashRow | None:
    where = "WHERE campaign_uid = ? AND digest = ? AND keeps IS NOT NULL AND state = 'trashed'"
    with tools.writer.transaction() as store:
        return select_one(store, TrashRow, where, action.campaign_uid, action.digest)


def _bury(action: DemoteCheckpoint, tools: Tools, row: LedgerRow, place: Path) -> TrashRow:
    """Look once more at what is to be demoted, and write the tombstone of its full form."""
    found = find_lying(tools, action.campaign_uid, action.campaign, action.digest)
    if found is None or Path(found.path) != place:
        raise NotAsPlanned(
            f"{place}: not there with digest {action.digest} any more; it changed since the plan"
        )
    _refuse_damaged(tools, action, found)
    lighter = weights_only(found.manifest)
    if lighter.files == found.manifest.files:
        raise Permanent(f"{place} has no optimizer state; nothing was changed")
    freed = optimizer_bytes(found.manifest)
    with tools.writer.transaction() as store:
        stone = _new_stone(store, tools, action, row, place)
        stone = msgspec.structs.replace(stone, size_bytes=freed, keeps=lighter.digest)
        put(store, [stone, manifest_row(found.manifest)])
    return stone


def _refuse_damaged(tools: Tools, action: DemoteCheckpoint, found: FoundCheckpoint) -> None:
    if damage := find_damage(Path(found.path), found.manifest):
        write_damage(tools, action.campaign_uid, found, "; ".join(damage))
        raise Temporary(f"{found.path} is damaged: {damage[0]}; it stays as it is")


def _new_stone(
    store: apsw.Connection, tools: Tools, action: DemoteCheckpoint, row: LedgerRow, place: Path
) -> TrashRow:
    number = next_number(store)
    path = tools.layout.trash / dropped_name(msgspec.structs.replace(row, sequence=number))
    stone = new_stone(store, tools, action, place, path)
    return msgspec.structs.replace(stone, sequence=number, segment=action.segment)


def _manifest_in(folder: Path, digest: str) -> Manifest:
    """Return the manifest with this digest of a folder.

    Raises:
        Temporary: the folder has another one, or none.
    """
    try:
        found = read(folder / MANIFEST_NAME, Manifest)
    except (FileNotFoundError, ContractError) as error:
        raise NotAsPlanned(f"{folder}: not there with digest {digest} any more: {error}") from error
    if found.digest != digest:
        raise Temporary(f"{folder} has digest {found.digest}, not {digest}: somebody changed it")
    return found


def _swap(places: CampaignLayout, place: Path, full: Path, lighter: Manifest) -> None:
    """Move the full form into the trash, and what it keeps into its place; what is done already stays."""
    if full.is_dir() and place.is_dir():
        _manifest_in(place, lighter.digest)
        return
    staging = places.folder / f"{STAGING_PREFIX}{lighter.step}-weights"
    remove_staged(staging)
    make_staging(staging)
    try:
        for entry in lighter.files:
            take_over_file((full if full.is_dir() else place) / entry.path, staging / entry.path)
        write_json(staging / MANIFEST_NAME, lighter)
        check_written(staging, lighter)
        freeze(staging)
        if not full.is_dir():
            ensure_folder(full.parent)
            move_folder(place, full)
        publish_folder(staging, place)
    except BaseException:
        remove_staged(staging)
        raise


def _as_lighter(row: LedgerRow, stone: TrashRow, lighter: Manifest) -> LedgerRow:
    return msgspec.structs.replace(
        row, digest=lighter.digest, size_bytes=row.size_bytes - stone.size_bytes, has_optimizer=False
    )


def _tell(tools: Tools, place: Path, row: LedgerRow, stone: TrashRow) -> None:
    """Let the sidecar and the campaign's files say what has become of its checkpoint."""
    write_sidecar(place, row, stone.campaign)
    write_campaign_file(tools, stone.campaign_uid, stone.campaign)
    write_status_files(tools, stone.campaign_uid, stone.campaign)


def promote(stone: TrashRow, tools: Tools) -> str | None:
    """Bring the full form back into its place, verified; return what stood against it.

    The ledger says so first: the full form lies whole in the trash then. The weights that lay in its place
    are among its files, and go last.
    """
    row = _row_of(stone, tools)
    if row is None:
        return f"the weights that it kept are dropped; first: reconcile undelete {stone.thing}"
    places = places_of(tools, stone.campaign_uid, stone.campaign)
    place, full = place_of(places, row), tools.layout.root / stone.path
    lighter = places.folder / f"{STAGING_PREFIX}{stone.step}-weights-of-before"
    if full.is_dir():
        manifest = _manifest_in(full, stone.digest)
        if damage := find_damage(full, manifest):
            _write_damage(tools, stone, damage[0])
            return f"{damage[0]}; it stays in the trash"
        row = _say_full(row, stone, tools)
        if place.is_dir():
            _manifest_in(place, stone.keeps or "")
            remove_staged(lighter)
            move_folder(place, lighter)
        move_folder(full, place)
    elif row.digest != stone.digest:
        return f"the optimizer state of {stone.thing} is deleted for good"
    set_state(tools, stone, "restored")
    remove_staged(lighter)
    _tell(tools, place, row, stone)
    return None


def _write_damage(tools: Tools, stone: TrashRow, problem: str) -> None:
    """Write down what was found, as a scrub does: damage holds the deletions of its campaign."""
    after = msgspec.structs.replace(stone, damage=problem)
    with tools.writer.transaction() as store:
        put(store, [after])
    mirror(tools, after)


def _row_of(stone: TrashRow, tools: Tools) -> LedgerRow | None:
    """Return the ledger's row of the checkpoint, in either form; None once its weights are dropped."""
    where = "WHERE campaign_uid = ? AND digest IN (?, ?) ORDER BY sequence DESC"
    with tools.writer.transaction() as store:
        row = select_one(store, LedgerRow, where, stone.campaign_uid, stone.keeps, stone.digest)
        if row is None:
            return None
        dropped = select_one(store, TrashRow, "WHERE sequence = ? AND state != 'restored'", row.sequence)
    return row if dropped is None else None


def _say_full(row: LedgerRow, stone: TrashRow, tools: Tools) -> LedgerRow:
    if row.digest == stone.digest:
        return row
    after = msgspec.structs.replace(
        row, digest=stone.digest, size_bytes=row.size_bytes + stone.size_bytes, has_optimizer=True
    )
    with tools.writer.transaction() as store:
        put(store, [after])
    return after
