"""`archive_summary.json`: how a campaign ended, as of the moment when it was archived. Pure."""

import math
from collections.abc import Sequence
from typing import Any

from state.campaign_file import peak_metrics
from state.store.rows import CampaignRow, JobRow, LedgerRow, RunRow


def archive_summary(
    row: CampaignRow, ledger: Sequence[LedgerRow], runs: Sequence[RunRow], jobs: Sequence[JobRow]
) -> dict[str, Any]:
    """Return the final metrics of a campaign; `ledger` is in the order of recording."""
    sound = [one for one in ledger if one.damage is None]
    living = [one for one in sound if one.is_living]
    return {
        "schema_version": 1,
        "campaign": row.name,
        "uid": row.uid,
        "created_at": row.created_at,
        "archived_at": row.archived_at,
        "starting_checkpoint": row.starting_checkpoint,
        "config_hash": row.config_hash,
        "code_version": row.code_version,
        "specs_commit": row.specs_commit,
        "final_checkpoint": _checkpoint(living[-1]) if living else None,
        "best_checkpoint": _checkpoint(best) if (best := _best(living)) else None,
        "peak_metrics": peak_metrics(ledger, None),
        "num_ledger_entries": len(ledger),
        "num_runs": len(runs),
        "quests": [_quest(job) for job in sorted(jobs, key=lambda job: (job.created_at, job.id))],
    }


def _best(living: Sequence[LedgerRow]) -> LedgerRow | None:
    """Return the checkpoint with the lowest held-out loss; of equal ones the later."""
    measured = [one for one in living if one.val_loss is not None and math.isfinite(one.val_loss)]
    return min(measured, key=lambda one: (one.val_loss, -one.sequence), default=None)


def _checkpoint(row: LedgerRow) -> dict[str, Any]:
    names = (
        "step",
        "timestamp",
        "canonical_name",
        "train_loss",
        "val_loss",
        "total_examples_trained",
        "digest",
    )
    return {name: getattr(row, name) for name in names}


def _quest(job: JobRow) -> dict[str, Any]:
    names = ("quest_id", "status", "epochs", "num_examples", "start_step", "final_step")
    losses = ("final_loss", "final_val_loss")
    return {name: getattr(job, name) for name in (*names, *losses)}
