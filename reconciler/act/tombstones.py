"""Tombstones: what the store says of everything dropped, mirrored beside it in the trash."""

from pathlib import Path

import apsw
import msgspec

from reconciler.act.approvals import forget
from reconciler.act.observed_time import observed_seconds
from reconciler.act.tools import Tools
from reconciler.plan.actions import DeleteCampaign, DemoteCheckpoint, MoveOutCheckpoint, TrashCheckpoint
from state.atomic import ensure_folder, write_json
from state.store.rows import TrashRow, TrashState
from state.store.tables import get_meta, put


def new_stone(
    store: apsw.Connection,
    tools: Tools,
    action: TrashCheckpoint | DeleteCampaign | DemoteCheckpoint | MoveOutCheckpoint,
    origin: Path,
    path: Path,
) -> TrashRow:
    """Return the tombstone of what an action drops: from where, and to which place in the trash."""
    return TrashRow(
        sequence=action.sequence,
        campaign_uid=action.campaign_uid,
        campaign=action.campaign,
        step=action.step,
        digest=action.digest,
        origin=str(origin.relative_to(tools.layout.root)),
        path=str(path.relative_to(tools.layout.root)),
        size_bytes=action.size_bytes,
        kind=action.kind,
        reason=action.why,
        trashed_at=tools.now(),
        trashed_at_seconds=observed_seconds(store, tools),
        grace_seconds=action.grace_seconds,
        clean_ticks=int(get_meta(store, "clean_ticks") or 0),
        state="trashed",
    )


def begun_anew(tools: Tools, stone: TrashRow) -> TrashRow:
    """Return the tombstone of something that is moved only now, with its time of grace beginning now.

    A kill came before the move, perhaps long ago: while the source is in doubt, it is not gone on with.
    """
    with tools.writer.transaction() as store:
        after = msgspec.structs.replace(
            stone,
            trashed_at=tools.now(),
            trashed_at_seconds=observed_seconds(store, tools),
            clean_ticks=int(get_meta(store, "clean_ticks") or 0),
        )
        put(store, [after])
    return after


def set_state(tools: Tools, stone: TrashRow, state: TrashState) -> None:
    """Write what has become of something dropped: into the store, then into the tombstone's mirror.

    What is taken back uses up the approval that it was dropped by: another drop needs another one.
    """
    ended_at = tools.now() if state in ("purged", "restored") else None
    after = msgspec.structs.replace(stone, state=state, ended_at=stone.ended_at or ended_at)
    with tools.writer.transaction() as store:
        put(store, [after])
        if state == "restored":
            forget(store, stone.sequence)
    mirror(tools, after)


def mirror(tools: Tools, stone: TrashRow) -> None:
    """Write the tombstone beside the folder: the store can be made again from it."""
    ensure_folder(tools.layout.trash)
    write_json(tools.layout.root / f"{stone.path}.json", msgspec.structs.asdict(stone))
