"""A campaign's status files under the names of older systems: training_status and checkpoint_ledger. Pure.

Both repeat what the store says, so a trainer that died is not "training" once its run is closed, and planning
sees where the files say anything else. What changes with every update stands in the run's own status.json.
"""

from collections.abc import Sequence
from typing import Any

from state.cards import decode_card
from state.formats import LEDGER_VERSION, sidecar_record
from state.ids import RunKey
from state.store.rows import CampaignRow, LedgerRow, RunRow

_AFTER = {
    "finished": "idle",
    "goal_reached": "completed",
    "stopped": "stopped",
    "failed": "error",
    "lost": "crashed",
    "never_started": "crashed",
}
"""How a run ended → the word of older systems."""


def training_status(row: CampaignRow, runs: Sequence[RunRow], ledger: Sequence[LedgerRow]) -> dict[str, Any]:
    """Return what training_status.json should say; `ledger` is in the order of recording."""
    last = max(runs, key=lambda run: (run.generation, run.attempt), default=None)
    living = [one for one in ledger if one.segment == row.segment and one.damage is None]
    newest = living[-1] if living else None
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
        "ledger_sequence": ledger[-1].sequence if ledger else 0,
        "archived": row.status == "archived",
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


def checkpoint_index(row: CampaignRow, ledger: Sequence[LedgerRow]) -> dict[str, Any]:
    """Return the campaign's part of the ledger: of several saves of one step, the one in force."""
    records = {
        str(one.step): sidecar_record(one, row.name, {}) for one in ledger if one.segment == row.segment
    }
    return {
        "version": LEDGER_VERSION,
        "updated_at": ledger[-1].timestamp if ledger else row.created_at,
        "checkpoint_count": len(records),
        "checkpoints": records,
    }
