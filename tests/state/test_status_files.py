"""Status files repeat what the store says, under the keys that older systems need."""

from typing import Any

import msgspec
import pytest

from state.status_files import checkpoint_index, training_status
from state.store.rows import CampaignRow, LedgerRow, RunRow, TrashRow, TrashState

ROW = CampaignRow(uid="u", name="dio/campaign-001", status="active", created_at="2026-01-31T12:00:00Z")
RUN = RunRow(
    campaign_uid="u", generation=1, attempt=1, state="running", cookie="c", config_hash="h", config_json="{}",
    code_version="v", specs_commit="s", device="cpu", resume_step=None, launched_at="2026-02-01T00:00:00Z",
)  # fmt: skip


def saved(step: int, sequence: int) -> LedgerRow:
    return LedgerRow(
        campaign_uid="u", segment=1, step=step, sequence=sequence, timestamp="2026-02-02T00:00:00Z", path="p",
        canonical_name="c", train_loss=0.5, val_loss=None, learning_rate=0.1, training_file=None,
        total_examples_trained=1, size_bytes=9, has_optimizer=True, healthy=True, digest=f"blake3:{sequence}",
        parent_step=None, generation=1, attempt=1, config_hash="h", code_version="c", specs_commit="d",
    )  # fmt: skip


def stone(of: LedgerRow, state: TrashState) -> dict[int, TrashRow]:
    return {
        of.sequence: TrashRow(
            sequence=of.sequence, campaign_uid="u", campaign=ROW.name, step=of.step, digest=of.digest, origin="p",
            path="trash/x", size_bytes=9, kind="rolled", reason="r", trashed_at="2026-02-03T00:00:00Z",
            trashed_at_seconds=0.0, grace_seconds=3600.0, clean_ticks=0, state=state,
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "training"),
        ({"state": "ended", "end": "lost"}, "crashed"),
        ({"state": "ended", "end": "failed"}, "error"),
        ({"state": "ended", "end": "finished"}, "idle"),
        ({"state": "ended", "end": "goal_reached"}, "completed"),
        ({"state": "ended", "end": "stopped"}, "stopped"),
    ],
)
def test_training_is_said_only_while_a_run_is_open(changes: dict[str, Any], word: str) -> None:
    """The wrong turn: "training" stayed in the status file for days after the process died."""
    status = training_status(ROW, (msgspec.structs.replace(RUN, **changes),), (saved(10, 1),), {})

    assert status["status"] == word


def test_the_keys_that_older_systems_need_are_there() -> None:
    status = training_status(ROW, (), (saved(10, 1),), {})

    assert set(status) >= {"status", "current_step", "total_steps", "loss", "timestamp"}
    assert (status["status"], status["current_step"], status["loss"]) == ("idle", 10, 0.5)
    assert status["timestamp"] == "2026-02-02T00:00:00Z"


def test_the_index_has_each_step_once_with_the_save_that_is_in_force() -> None:
    index = checkpoint_index(ROW, (saved(10, 1), saved(20, 2), saved(10, 3)), {})

    assert set(index) == {"version", "updated_at", "checkpoint_count", "checkpoints"}
    assert index["checkpoint_count"] == 2
    assert index["checkpoints"]["10"]["digest"] == "blake3:3"


@pytest.mark.parametrize(
    ("state", "word"), [("trashed", "trashed"), ("purging", "purged"), ("purged", "purged")]
)
def test_what_was_dropped_has_no_path_and_is_not_counted(state: TrashState, word: str) -> None:
    """The wrong turn: an index that listed 763 checkpoints where 98 lay on the disk."""
    ledger = (saved(10, 1), saved(100, 2))

    index = checkpoint_index(ROW, ledger, stone(ledger[0], state))

    said = {step: (record["path"], record["state"]) for step, record in index["checkpoints"].items()}
    assert said == {"10": (None, word), "100": ("p", "complete")}
    assert index["checkpoint_count"] == 1


def test_a_damaged_one_has_no_path_and_one_saved_again_after_a_drop_has() -> None:
    ledger = (msgspec.structs.replace(saved(10, 1), damage="a bit flipped"), saved(20, 2), saved(20, 3))

    index = checkpoint_index(ROW, ledger, stone(ledger[1], "purged"))

    said = {step: (record["path"], record["state"]) for step, record in index["checkpoints"].items()}
    assert said == {"10": (None, "damaged"), "20": ("p", "complete")}


def test_the_status_differs_with_each_change_of_what_is_gone_so_that_a_plan_sees_an_old_index() -> None:
    ledger = (saved(10, 1), saved(20, 2))
    gone: list[dict[int, TrashRow]] = [
        {}, stone(ledger[0], "trashed"), stone(ledger[0], "purged"), stone(ledger[1], "trashed"),
    ]  # fmt: skip

    said = [training_status(ROW, (), ledger, stones)["checkpoints_gone"] for stones in gone]

    assert said[0] == ""
    assert len(set(said)) == 4
