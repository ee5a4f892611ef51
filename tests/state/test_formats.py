"""Derived files carry the names of the older systems, keep what they do not know, and need no clock."""

import msgspec
import pytest

from state.formats import (
    canonical_name,
    decode_record,
    job_record,
    pointer_record,
    sidecar_record,
)
from state.store.rows import CampaignRow, JobRow, LedgerRow

ROW = CampaignRow(uid="u", name="dio/campaign-001", status="active", created_at="2026-01-31T12:00:00Z")
LEDGER = LedgerRow(
    campaign_uid="u", segment=1, step=100, sequence=3, timestamp="2026-01-31T12:34:56Z", path="campaigns/x",
    canonical_name="checkpoint-100-20260131-1234", train_loss=0.5, val_loss=None, learning_rate=0.1,
    training_file="sums", total_examples_trained=1600, size_bytes=9, has_optimizer=True, healthy=True,
    digest="blake3:0", parent_step=None, generation=1, attempt=1, config_hash="sha256:1", code_version="c",
    specs_commit="d",
)  # fmt: skip
JOB = JobRow(
    uid="j", id="2026-01-31T12:00:00_a.jsonl", quest_id="q", campaign_uid="u", hero_id="dio",
    campaign_id="campaign-001", source_key="k", dataset_path="/a.jsonl", digest="sha256:2", num_examples=3,
    shape_json="{}", priority="normal", epochs=1, status="queued", created_at="2026-01-31T12:00:00Z",
)  # fmt: skip


def test_the_pointer_keeps_its_comment() -> None:
    assert pointer_record(ROW, "2026-01-31T12:00:00Z", {"_comment": "Scroll", "hero_id": "old"}) == {
        "hero_id": "dio", "campaign_id": "campaign-001", "campaign_path": "campaigns/dio/campaign-001",
        "activated_at": "2026-01-31T12:00:00Z", "_comment": "Scroll",
    }  # fmt: skip


def test_the_canonical_name_has_step_date_and_time() -> None:
    assert canonical_name(183625, "2025-12-05T08:53:09Z") == "checkpoint-183625-20251205-0853"


def test_the_sidecar_has_every_field_of_the_older_record() -> None:
    record = sidecar_record(LEDGER, "dio/campaign-001", {"stars": 5})

    assert set(record) >= {
        "step", "timestamp", "path", "canonical_name", "train_loss", "val_loss", "learning_rate", "epoch",
        "accuracy", "perplexity", "training_file", "skill_name", "skill_level", "total_examples_trained",
        "hero_id", "campaign_id", "size_bytes", "has_optimizer", "last_used", "locations", "skill_metrics",
        "skill_levels_at_save", "linked_eval_ids", "skill_effort_at_save", "created_by", "ledger_version",
    }  # fmt: skip
    assert (record["config_hash"], record["code_version"], record["stars"]) == ("sha256:1", "c", 5)


def test_a_job_is_written_with_the_names_of_the_documents() -> None:
    record = job_record(msgspec.structs.replace(JOB, git_commit="c", config_hash="sha256:1"))

    assert set(record) == {
        "id", "dataset_path", "hero_id", "campaign_id", "priority", "status", "attempts", "created_at",
        "started_at", "finished_at", "start_step", "final_step", "final_loss", "final_val_loss", "last_error",
        "num_examples", "estimated_tokens", "config_hash", "git_commit", "metadata",
    }  # fmt: skip
    assert record["git_commit"] == "c"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a":', b"\xff", b"[" * 100_000])
def test_what_is_no_record_is_told(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a JSON object"):
        decode_record(content)
