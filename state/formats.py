"""Derived files under the names of older systems: active pointer, sidecar, job history.

Each function gives the whole record from what the store says; keys of an existing file that this version
does not know survive at the end. Pure: no clock, no file; the same inputs give the same bytes, so planning
sees drift by comparing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from state.contract.examination import LevelResult
from state.examinations import accuracy, results_of
from state.nesting import MAX_LEVELS, is_too_deep
from state.store.rows import CampaignRow, JobRow, LedgerRow

LEDGER_VERSION = "1.2.0"


def encode_record(record: Mapping[str, Any]) -> bytes:
    """Return the bytes of a derived file: indented JSON with a line end."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


MAX_RECORD_BYTES = 8 * 1024 * 1024
"""More is no record of ours: plan reads no further, and apply puts such a file aside."""


def decode_record(content: bytes) -> dict[str, Any]:
    """Return the record in these bytes.

    Raises:
        ValueError: they are not a JSON object, or one that is nested too deeply.
    """
    try:
        record = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a JSON object: {error}") from error
    if is_too_deep(content, record):
        raise ValueError(f"nested more than {MAX_LEVELS} levels deep")
    return record


def pointer_record(
    row: CampaignRow, activated_at: str, existing: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what the active pointer should say."""
    hero, _, campaign = row.name.partition("/")
    record = {
        "hero_id": hero,
        "campaign_id": campaign,
        "campaign_path": f"campaigns/{row.folder_name}",
        "activated_at": activated_at,
    }
    return with_unknown_keys(record, existing or {})


def canonical_name(step: int, saved_at: str) -> str:
    """Return `checkpoint-<step>-<YYYYMMDD>-<HHMM>` of a save at this moment (ISO-8601, UTC)."""
    day, _, clock = saved_at.partition("T")
    return f"checkpoint-{step}-{day.replace('-', '')}-{clock[:5].replace(':', '')}"


def sidecar_record(row: LedgerRow, campaign: str, existing: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint's `.ledger.json` should say."""
    from state.store.marks import marks_of

    hero, _, campaign_id = campaign.partition("/")
    results = results_of(row)
    kept = _OF_OLDER if results else (*_OF_OLDER, *_OF_EVALUATIONS)
    record: dict[str, Any] = {
        "step": row.step,
        "timestamp": row.timestamp,
        "path": row.path,
        "canonical_name": row.canonical_name,
        "train_loss": row.train_loss,
        "val_loss": row.val_loss,
        "learning_rate": row.learning_rate,
        "epoch": None,
        "accuracy": accuracy(results),
        "perplexity": None,
        "training_file": row.training_file,
        "skill_name": results[-1].skill if results else None,
        "skill_level": results[-1].level if results else None,
        "total_examples_trained": row.total_examples_trained,
        "hero_id": hero,
        "campaign_id": campaign_id,
        "size_bytes": row.size_bytes,
        "has_optimizer": row.has_optimizer,
        "last_used": None,
        "locations": [],
        "skill_metrics": _skill_metrics(results),
        "skill_levels_at_save": {},
        "linked_eval_ids": [f"{row.step}-{one.skill}-{one.level}-{one.version[7:15]}" for one in results],
        "skill_effort_at_save": {},
        "created_by": "training",
        "ledger_version": LEDGER_VERSION,
        **{name: existing[name] for name in kept if name in existing},
        **{name: getattr(row, name) for name in _OUR_LEDGER_FIELDS},
        **msgspec.to_builtins(marks_of(row)),
    }
    return with_unknown_keys(record, existing)


def is_of_newer_software(sidecar: Mapping[str, Any]) -> bool:
    """Has a software written it whose next major version of the ledger this one does not know?"""
    major = str(sidecar.get("ledger_version", "")).partition(".")[0]
    return major.isdecimal() and int(major) > int(LEDGER_VERSION.partition(".")[0])


def _skill_metrics(results: Sequence[LevelResult]) -> dict[str, dict[str, float]]:
    """Return skill → its accuracy over all examined levels, and that of each level."""
    found: dict[str, dict[str, float]] = {}
    for one in results:
        of_skill = [other for other in results if other.skill == one.skill]
        said = found.setdefault(one.skill, {"accuracy": accuracy(of_skill) or 0.0})
        said[f"accuracy_level_{one.level}"] = one.correct / one.total
    return found


_OF_OLDER = (
    *("epoch", "perplexity", "last_used", "locations", "created_by"),
    *("skill_levels_at_save", "skill_effort_at_save"),
)
"""Fields whose source does not exist here: kept as they are read, else empty."""
_OF_EVALUATIONS = ("accuracy", "skill_name", "skill_level", "skill_metrics", "linked_eval_ids")
"""Those that an evaluation fills: what an older system measured stays until there is one."""
_OUR_LEDGER_FIELDS = (
    "campaign_uid",
    "segment",
    "sequence",
    "healthy",
    "digest",
    "parent_step",
    "generation",
    "attempt",
    "config_hash",
    "code_version",
    "specs_commit",
)
"""What our ledger knows beyond the older record."""


def job_record(row: JobRow) -> dict[str, Any]:
    """Return a job as queue, log and history write it."""
    return {
        "id": row.id,
        "dataset_path": row.dataset_path,
        "hero_id": row.hero_id,
        "campaign_id": row.campaign_id,
        "priority": row.priority,
        "status": row.status,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "start_step": row.start_step,
        "final_step": row.final_step,
        "final_loss": row.final_loss,
        "final_val_loss": row.final_val_loss,
        "last_error": row.last_error,
        "num_examples": row.num_examples,
        "estimated_tokens": None,
        "config_hash": row.config_hash,
        "git_commit": row.git_commit,
        "metadata": {
            "uid": row.uid,
            "quest_id": row.quest_id,
            "campaign_uid": row.campaign_uid,
            "digest": row.digest,
            "epochs": row.epochs,
            "specs_commit": row.specs_commit,
        },
    }


def with_unknown_keys(record: dict[str, Any], existing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with what an existing file says beyond it."""
    if existing.keys() <= record.keys():
        return record
    return record | {key: value for key, value in existing.items() if key not in record}
