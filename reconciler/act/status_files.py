"""Write the status files of a campaign from the store: its ledger index first, then what says it is fresh."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reconciler.act.derived import campaign_row, read_or_keep, write_if_changed
from reconciler.act.tools import Tools
from reconciler.plan.actions import WriteStatusFiles
from state.examinations import curriculum_state
from state.formats import encode_record
from state.homes import find_home
from state.status_files import checkpoint_index, training_status
from state.store.rows import LedgerRow, RunRow, TrashRow
from state.store.tables import select


def write(action: WriteStatusFiles, tools: Tools) -> str:
    """Make the campaign's status files say what the store says now."""
    write_status_files(tools, action.campaign_uid, action.campaign)
    return "status files written"


def write_status_files(tools: Tools, uid: str, name: str) -> None:
    """Write the status files where they differ from what they should say; the curriculum once examined."""
    with tools.writer.transaction() as store:
        row = campaign_row(store, uid, name)
        runs = select(store, RunRow, "WHERE campaign_uid = ?", uid)
        ledger = select(store, LedgerRow, "WHERE campaign_uid = ? ORDER BY sequence", uid)
        trash = select(store, TrashRow, "WHERE campaign_uid = ? AND state != 'restored'", uid)
    home = find_home(tools.layout, row)
    places, state = home.places, home.state
    if state == "missing":
        return  # nothing is made in the place of a folder that may come back
    stones = {stone.sequence: stone for stone in trash}
    index = _with_forgotten(checkpoint_index(row, ledger, stones), ledger, trash, places.checkpoint_index)
    write_if_changed(places.checkpoint_index, encode_record(index))
    if any(one.skills_json for one in ledger):
        existing, _kept = read_or_keep(places.curriculum_state, places.curriculum_state)
        record = curriculum_state(ledger, row.created_at, existing)
        write_if_changed(places.curriculum_state, encode_record(record))
    write_if_changed(places.training_status, encode_record(training_status(row, runs, ledger, stones)))


def _with_forgotten(
    index: dict[str, Any], ledger: Sequence[LedgerRow], trash: Sequence[TrashRow], place: Path
) -> dict[str, Any]:
    """Return the index with what it said before of checkpoints that lie elsewhere and lost their ledger row.

    Once the place that has them is back, their marks are known again from here.
    """
    known = {one.sequence for one in ledger}
    lost = {str(one.step): one.digest for one in trash if one.is_moved and one.sequence not in known}
    if not lost:
        return index
    existing, _kept = read_or_keep(place, place)
    before = existing.get("checkpoints") if existing is not None else None
    records = before if isinstance(before, dict) else {}
    kept = {
        step: said
        for step, said in records.items()
        if isinstance(said, dict) and said.get("digest") == lost.get(step, "")
    }
    return index | {"checkpoints": kept | index["checkpoints"]}
