"""A campaign's status files under the names of older systems: training_status and checkpoint_ledger. Pure.

Both repeat what the store says, so a trainer that died is not "training" once its run is closed, and planning
sees where the files say anything else. What changes with every update stands in the run's own status.json.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from state.cards import decode_card
from state.formats import LEDGER_VERSION, sidecar_record
from state.ids import RunKey
from state.store.rows import CampaignRow, LedgerRow, RunRow, TrashRow

_AFTER = {
    "finished": "idle",
    "goal_reached": "completed",
    "stopped": "stopped",
    "failed": "error",
    "lost": "crashed",
    "never_started": "crashed",
}
"""How a run ended → the word of older systems."""


def training_status(
    row: CampaignRow,
    runs: Sequence[RunRow],
    ledger: Sequence[LedgerRow],
    tombstones: Mapping[int, TrashRow],
) -> dict[str, Any]:
    """Return what training_status.json should say.

    `ledger` is in the order of recording; `tombstones` are those in force, by the sequence of a ledger's row.
    """
    last = max(runs, key=lambda run: (run.generation, run.attempt), default=None)
    newest = next((one for one in reversed(ledger) if one.damage is None and one.is_living), None)
    card = decode_card(row.card_json)
    return {
        "status": _word(row, last),
        "current_step": newest.step if newest else row.starting_step,
        "total_steps": card.goal.updates if card else None,
        "loss": newest.train_loss if newest else None,
        "val_loss": newest.val_loss if newest else None,
        "timestamp": max(_moments(row, last, newest)),
        "run": RunKey(row.uid, last.generation, last.attempt).folder if last else None,
        "message": last.message if last else None,
        "segment": row.segment,
        "ledger_sequence": ledger[-1].sequence if ledger else 0,
        "archived": row.status == "archived",
        "checkpoints_gone": _gone_digest(ledger, tombstones),
    }


def _word(row: CampaignRow, last: RunRow | None) -> str:
    if last is None:
        return "idle"
    if last.state != "ended":
        return "paused" if row.hold == "pause" else "training"
    return _AFTER[last.end or "lost"]


def _moments(row: CampaignRow, last: RunRow | None, newest: LedgerRow | None) -> list[str]:
    found = [row.created_at]
    found += [last.ended_at or last.launched_at] if last else []
    found += [newest.timestamp] if newest else []
    return found


def checkpoint_index(
    row: CampaignRow, ledger: Sequence[LedgerRow], tombstones: Mapping[int, TrashRow]
) -> dict[str, Any]:
    """Return the campaign's part of the ledger: of several saves of one step, the one in force.

    What does not lie there any more says so by `state`, and has no path; only what is there is counted.
    """
    in_force = {one.step: one for one in ledger if one.is_living}
    records = {str(one.step): _indexed(row, one, tombstones) for one in in_force.values()}
    return {
        "version": LEDGER_VERSION,
        "updated_at": ledger[-1].timestamp if ledger else row.created_at,
        "checkpoint_count": sum(record["path"] is not None for record in records.values()),
        "checkpoints": records,
    }


def _indexed(row: CampaignRow, one: LedgerRow, tombstones: Mapping[int, TrashRow]) -> dict[str, Any]:
    record, gone = sidecar_record(one, row.name, {}), _gone(one, tombstones)
    if gone is not None:
        return record | {"path": None, "state": gone}
    return record | {"state": "complete" if one.healthy else "unhealthy"}


def _gone(one: LedgerRow, tombstones: Mapping[int, TrashRow]) -> str | None:
    """Return what has become of a checkpoint that is not in its place as it was saved; None: it is there.

    What is being purged cannot be taken back, so it is purged.
    """
    stone = tombstones.get(one.sequence)
    if stone is not None:
        return "trashed" if stone.state == "trashed" else "purged"
    return "damaged" if one.damage is not None else None


def _gone_digest(ledger: Sequence[LedgerRow], tombstones: Mapping[int, TrashRow]) -> str:
    """Return a few letters that change with what is gone: planning compares these, not the index itself."""
    gone = [
        (one.sequence, _gone(one, tombstones))
        for one in ledger
        if (one.damage is not None or one.sequence in tombstones) and one.is_living
    ]
    return f"{zlib.crc32(repr(gone).encode()):08x}" if gone else ""
