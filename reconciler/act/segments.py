"""Segments of a campaign's history: a rollback moves what was saved after its parent, and deletes nothing.

A branch for a release moves nothing at all: it is a row, and its trainer saves into a folder of its own.

The order of a rollback is: the parent is read and hashed, the segment's row (what is to be done), one rename
for each checkpoint, over nothing, then the sidecars; then, in one transaction, the living segment, the
ledger's paths, the jobs that are to be trained again and what others call a checkpoint that moved. A kill in
between leaves a row that is not ready; the next plan does the rest of exactly that.
"""

from pathlib import Path

import apsw
import msgspec

from reconciler.act.checkpoints import write_sidecar
from reconciler.act.derived import campaign_row, places_of, write_campaign_file
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.lying import all_lying, find_lying
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.observed.checkpoints import find_damage, observe_checkpoints
from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.actions import BeginSegment
from reconciler.plan.segments.learnt_again import jobs_after_rollback
from state.atomic import ensure_folder, move_folder
from state.contract.manifest import QuestCursor
from state.ids import segment_folder
from state.layout import CampaignLayout
from state.store.rows import CampaignRow, JobRow, LedgerRow, RunRow, SegmentRow, TrashRow
from state.store.tables import put, select, select_one


def begin(action: BeginSegment, tools: Tools) -> str:
    """Begin the segment: write down what it is, move what is not of it any more, let it live.

    Raises:
        Temporary: a run is not over, a checkpoint is not recorded yet, or the parent is not there or damaged.
        Permanent: another segment has its number, or something lies where a checkpoint is to be moved.
    """
    row, cursor = _enter(action, tools)
    if action.kind == "decay":
        return f"segment {action.number} branches off from step {action.parent_step}"
    moved = 0
    if row.ready_at is None:
        places = places_of(tools, action.campaign_uid, action.campaign)
        _move_later_ones(action, tools, places)
        moved = _let_live(action, tools, cursor)
    write_campaign_file(tools, action.campaign_uid, action.campaign)
    write_status_files(tools, action.campaign_uid, action.campaign)
    kept = f"; {moved} later checkpoint{'' if moved == 1 else 's'} kept as segment {action.living}"
    return f"segment {action.number} goes on from step {action.parent_step}{kept if moved else ''}"


def _enter(action: BeginSegment, tools: Tools) -> tuple[SegmentRow, tuple[QuestCursor, ...]]:
    """Return the segment's row, written now unless an earlier try did, and what its parent had learnt."""
    with tools.writer.transaction() as store:
        where = "WHERE campaign_uid = ? AND number = ?"
        known = select_one(store, SegmentRow, where, action.campaign_uid, action.number)
    if known is not None and (known.wanted, known.parent_digest) != (action.wanted, action.parent_digest):
        raise Permanent(f"segment {action.number} of {action.campaign} is another one: {known.reason}")
    if known is not None and known.ready_at is not None:
        return known, ()
    cursor = _cursor_of_parent(action, tools)
    with tools.writer.transaction() as store:
        _refuse_in_motion(store, action)
        row = known or _row(action, tools)
        put(store, [row])
    return row, cursor


def _row(action: BeginSegment, tools: Tools) -> SegmentRow:
    said = {name: getattr(action, name) for name in SegmentRow.__struct_fields__ if hasattr(action, name)}
    now = tools.now()
    is_ready = action.kind == "decay"  # nothing moves: its trainer makes its folder
    return SegmentRow(**said, begun_at=now, ready_at=now if is_ready else None)


def _cursor_of_parent(action: BeginSegment, tools: Tools) -> tuple[QuestCursor, ...]:
    if action.parent_digest is None:
        return ()
    found = find_lying(tools, action.campaign_uid, action.campaign, action.parent_digest)
    if found is None:
        raise Temporary(f"{action.campaign}@{action.parent_step} is not there any more; planned again")
    if damage := find_damage(Path(found.path), found.manifest):
        _write_damage(action, tools, "; ".join(damage))
    return found.manifest.cursor


def _write_damage(action: BeginSegment, tools: Tools, damage: str) -> None:
    """Remember in the ledger that the parent is damaged, and give up.

    Raises:
        Temporary: always.
    """
    with tools.writer.transaction() as store:
        where = "WHERE campaign_uid = ? AND digest = ?"
        rows = select(store, LedgerRow, where, action.campaign_uid, action.parent_digest)
        put(store, [msgspec.structs.replace(one, damage=damage, healthy=False) for one in rows])
    raise Temporary(f"{action.campaign}@{action.parent_step} is damaged: {damage}; nothing was moved")


def _refuse_in_motion(store: apsw.Connection, action: BeginSegment) -> None:
    row = campaign_row(store, action.campaign_uid, action.campaign)
    if row.segment != action.living or row.status in ("archived", "deleted"):
        raise Temporary(f"{row.name} is not what it was planned for any more; planned again")
    if select(store, RunRow, "WHERE campaign_uid = ? AND state != 'ended'", row.uid):
        raise Temporary(f"a run of {row.name} is not over; a segment begins after it")


def _move_later_ones(action: BeginSegment, tools: Tools, places: CampaignLayout) -> None:
    """Move every checkpoint after the parent to the folder of its own segment, and say so beside it."""
    later = [found for found in _living(action, tools, places) if found.step > action.parent_step]
    known = _ledger(action, tools)
    if strange := [found for found in later if found.manifest.digest not in known]:
        raise Temporary(f"{strange[0].path} is not recorded yet; it is moved once it is")
    for found in later:
        target = places.segment(found.manifest.segment) / Path(found.path).name
        ensure_folder(target.parent)
        try:
            move_folder(Path(found.path), target)
        except FileExistsError:
            raise Permanent(
                f"{target} lies there already, so {found.path} was not moved; move it away"
            ) from None
    _rewrite_sidecars(action, tools, places, known)


def _living(action: BeginSegment, tools: Tools, places: CampaignLayout) -> tuple[FoundCheckpoint, ...]:
    facts = observe_checkpoints(places.checkpoints, tools.layout.root, action.campaign_uid)
    if facts.problem is not None:
        raise Temporary(facts.problem)
    return facts.complete


def _ledger(action: BeginSegment, tools: Tools) -> dict[str, LedgerRow]:
    """Return the campaign's rows of the ledger by digest."""
    with tools.writer.transaction() as store:
        rows = select(store, LedgerRow, "WHERE campaign_uid = ?", action.campaign_uid)
    return {row.digest: row for row in rows}


def _rewrite_sidecars(
    action: BeginSegment, tools: Tools, places: CampaignLayout, known: dict[str, LedgerRow]
) -> None:
    """Let the sidecar of each checkpoint that moved say where it lies now, as its ledger row will."""
    for found in all_lying(tools, action.campaign_uid, places):
        row = known.get(found.manifest.digest)
        is_moved = row is not None and _is_left(row, action) and Path(found.path).parent != places.checkpoints
        if row is not None and is_moved and row.damage is None:
            write_sidecar(Path(found.path), _moved(row), action.campaign)


def _let_live(action: BeginSegment, tools: Tools, cursor: tuple[QuestCursor, ...]) -> int:
    """Make the segment the living one, with all that follows from it; return how many rows moved."""
    with tools.writer.transaction() as store:
        campaign = campaign_row(store, action.campaign_uid, action.campaign)
        ledger = select(store, LedgerRow, "WHERE campaign_uid = ?", campaign.uid)
        left = [row for row in ledger if _is_left(row, action)]
        jobs = select(store, JobRow, "WHERE campaign_uid = ?", campaign.uid)
        put(store, map(_moved, left))
        put(store, jobs_after_rollback(jobs, cursor, action.parent_step))
        put(store, _stones(store, left))
        put(store, _others_that_began(store, campaign, left))
        put(store, [msgspec.structs.replace(campaign, segment=action.number)])
        where = "WHERE campaign_uid = ? AND number = ?"
        row = select_one(store, SegmentRow, where, campaign.uid, action.number)
        put(store, [msgspec.structs.replace(row, ready_at=tools.now())] if row is not None else [])
    return len(left)


def _is_left(row: LedgerRow, action: BeginSegment) -> bool:
    return row.is_living and row.step > action.parent_step


def _moved(row: LedgerRow) -> LedgerRow:
    """Return the row with the path in the folder of its segment."""
    campaign, _, name = row.path.rsplit("/", 2)
    return msgspec.structs.replace(row, path=f"{campaign}/{segment_folder(row.segment)}/{name}")


def _stones(store: apsw.Connection, left: list[LedgerRow]) -> list[TrashRow]:
    """Return the tombstones of what is not living any more, with the segment that is now part of its name.

    The full form of a checkpoint that keeps its weights only has one of its own number, which names these.
    """
    where = "WHERE campaign_uid = ? AND (sequence = ? OR (keeps IS NOT NULL AND ? IN (digest, keeps)))"
    return [
        msgspec.structs.replace(stone, segment=row.segment)
        for row in left
        for stone in select(store, TrashRow, where, row.campaign_uid, row.sequence, row.digest)
    ]


def _others_that_began(
    store: apsw.Connection, campaign: CampaignRow, left: list[LedgerRow]
) -> list[CampaignRow]:
    """Return the campaigns that began with a checkpoint that moved, with what that is called now."""
    names = {row.digest: f"{campaign.name}@{_moved(row).which}" for row in left}
    return [
        msgspec.structs.replace(row, starting_checkpoint=names[row.starting_digest])
        for row in select(store, CampaignRow, "WHERE parent_uid = ?", campaign.uid)
        if row.starting_digest in names
    ]
