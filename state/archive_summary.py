"""`archive_summary.json`: how a campaign ended, as of the moment when it was archived. Pure."""

from collections.abc import Sequence
from typing import Any

from state.campaign_file import peak_metrics
from state.held_out_rows import RowsMeasured, configs_of, newest_rows
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
        "best_checkpoint": _checkpoint(best) if (best := _best(living, runs)) else None,
        "peak_metrics": peak_metrics(ledger, None),
        "num_ledger_entries": len(ledger),
        "num_runs": len(runs),
        "quests": [_quest(job) for job in sorted(jobs, key=lambda job: (job.created_at, job.id))],
    }


def _best(living: Sequence[LedgerRow], runs: Sequence[RunRow]) -> LedgerRow | None:
    """Return the checkpoint with the lowest loss on the newest held-out rows; of equal ones the later."""
    measured_on = RowsMeasured(runs, configs_of(runs))
    measured = [(one, rows) for one in living if (rows := measured_on.of(one))]
    newest = newest_rows(((one.sequence, rows) for one, rows in measured), {rows for _, rows in measured})
    alike = [one for one, rows in measured if rows == newest]
    return min(alike, key=lambda one: (one.val_loss or 0.0, -one.sequence), default=None)


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
