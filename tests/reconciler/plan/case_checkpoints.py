"""Checkpoints of a case: as they lie there, as the ledger has them, their tombstones and the trash."""

from collections.abc import Mapping
from typing import Any

import msgspec
from case_constants import EARLIER, REALM_UID

from reconciler.observed.records import ForeignFolder, FoundCheckpoint, TrashFacts
from reconciler.observed.records import found_checkpoint as make_found_checkpoint
from state.contract.adapters import AdapterBase
from state.contract.locked import Locked
from state.contract.manifest import FileEntry, Manifest, Measures, Origin, QuestCursor
from state.contract.request import CodeVersion
from state.ids import campaign_uid, contents_digest
from state.store.rows import CopyRow, LedgerRow, SegmentRow, TrashRow


def found_checkpoint(name: str, uid: str, words: Mapping[str, Any], locked: Locked | None) -> FoundCheckpoint:
    cursor = tuple(
        QuestCursor(
            quest_id=quest,
            digest=c.get("digest", f"sha256:{0:064x}"),
            epochs_done=c.get("epochs_done", 0),
            rows_taken=c.get("rows_taken", 0),
            complete=c.get("epochs_done", 0) > 0,
            first_step=1,
            last_step=c.get("last_step", words["step"]),
            last_loss=0.5,
        )
        for quest, c in words.get("learnt", {}).items()
    )
    manifest = Manifest(
        campaign_uid=uid,
        campaign=name,
        segment=words.get("segment", 1),
        step=words["step"],
        parent_step=None,
        parent_digest=None,
        created_at=EARLIER,
        generation=words.get("generation", 1),
        attempt=words.get("attempt", 1),
        config_hash="h",
        code_version=CodeVersion(source="git", commit="v"),
        specs_commit="c",
        locked=locked,
        optimizer=words.get("optimizer", "adamw"),
        healthy=words.get("healthy", True),
        quest_id=words.get("quest"),
        cursor=cursor,
        learnt=(),
        measures=Measures(
            train_loss=0.5,
            val_loss=words.get("val_loss", 0.6),
            learning_rate=0.1,
            examples_seen=1,
            tokens_seen=1,
        ),
        files=tuple(
            FileEntry(path=path, size_bytes=size, blake3="0" * 64)
            for path, size in words.get("files", {}).items()
        ),
        demoted_from=words.get("demoted_from"),
        origin=msgspec.convert(words["origin"], Origin) if "origin" in words else None,
        digest=words.get("digest", _digest(words)),
        adapter_base=msgspec.convert(words["base"], AdapterBase) if "base" in words else None,
    )
    path = f"/root/campaigns/{name}/{_folder(words)}/checkpoint-{words['step']}"
    return make_found_checkpoint(path, 1, manifest)


def _folder(words: Mapping[str, Any]) -> str:
    """Return where it lies: one that a rollback left aside lies in the folder of its segment."""
    return f"segments/{words['segment']}" if words.get("aside") else "checkpoints"


def _digest(words: Mapping[str, Any]) -> str:
    segment = f"{words['segment']}:" if "segment" in words else ""
    return f"blake3:{segment}{words['step']}"


def segment_row(uid: str, words: Mapping[str, Any]) -> SegmentRow:
    """Return a segment that was begun; what is left out is as a person's rollback has it."""
    given = {
        "campaign_uid": uid,
        "kind": "rollback",
        "wanted": "rewind to 10: it was better",
        "reason": "it was better",
        "parent_segment": 1,
        "parent_digest": f"blake3:{words['parent_step']}",
        "begun_at": EARLIER,
        "ready_at": EARLIER,
    }
    return SegmentRow(**(given | dict(words)))


def ledger_row(uid: str, words: Mapping[str, Any], number: int) -> LedgerRow:
    return LedgerRow(
        campaign_uid=uid,
        segment=words.get("segment", 1),
        step=words["step"],
        sequence=number,
        timestamp=words.get("timestamp", EARLIER),
        path=f"h/c/{_folder(words)}/checkpoint-{words['step']}"
        if words.get("aside")
        else f"checkpoint-{words['step']}",
        canonical_name="c",
        train_loss=0.5,
        val_loss=words.get("val_loss", 0.6),
        learning_rate=0.1,
        training_file=words.get("quest"),
        total_examples_trained=1,
        size_bytes=words.get("size_bytes", 1),
        has_optimizer=words.get("has_optimizer", True),
        healthy=True,
        digest=words.get("recorded_digest", _digest(words)),
        parent_step=None,
        generation=1,
        attempt=1,
        config_hash="h",
        code_version="v",
        specs_commit="c",
        damage=words.get("damage"),
        verified_at=words.get("verified_at"),
        marks_json=words.get("marks", ""),
        recorded_at_seconds=words.get("recorded_at_seconds", 0.0),
    )


def tombstone(words: Mapping[str, Any]) -> TrashRow:
    name, _, step = words["checkpoint"].partition("@")
    fields = {key: value for key, value in words.items() if key != "checkpoint"}
    given = {
        "campaign_uid": campaign_uid(REALM_UID, name),
        "campaign": name,
        "step": int(step),
        "digest": f"blake3:{step}",
        "origin": f"campaigns/{name}/checkpoints/checkpoint-{step}",
        "path": f"trash/checkpoint-{step}",
        "size_bytes": 1000,
        "kind": "rolled",
        "reason": "rolled out of the last 2",
        "trashed_at": EARLIER,
        "trashed_at_seconds": 0.0,
        "grace_seconds": 3600.0,
        "clean_ticks": 0,
        "state": "trashed",
    }
    if words.get("sequence", 1) < 0:  # of a campaign deleted whole, which had this checkpoint
        given |= {"digest": contents_digest([f"blake3:{step}"]), "origin": f"campaigns/{name}"}
    return TrashRow(**(given | fields))


def copy_row(words: Mapping[str, Any]) -> CopyRow:
    """Return a copy outside the root: of which row of the ledger, and where; right unless its words say so."""
    given = {
        "kind": "export",
        "digest": "blake3:1",
        "size_bytes": 1,
        "made_at": EARLIER,
        "checked_at": EARLIER,
    }
    return CopyRow(**(given | dict(words)))


def trash_folder(trash: tuple[TrashRow, ...], seen: Mapping[str, Any]) -> TrashFacts:
    """Return a trash where everything lies that the tombstones say, but for what the case takes away."""
    names = [stone.path.rpartition("/")[2] for stone in trash]
    lying = {name for name, stone in zip(names, trash, strict=True) if stone.state == "trashed"}
    return TrashFacts(
        folders=frozenset(lying - set(seen.get("without", ())) | set(seen.get("foreign", ()))),
        files=frozenset({f"{name}.json" for name in names} - set(seen.get("without", ())))
        | frozenset(seen.get("files", ())),
        strange=frozenset(seen.get("strange", ())),
        problem=seen.get("problem"),
    )


def foreign_folder(words: dict[str, Any]) -> ForeignFolder:
    given = {"path": f"/root/{words['name']}", "reason": "torn", **words}
    return msgspec.convert(given, ForeignFolder)
