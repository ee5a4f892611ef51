"""What of the journal belongs into a campaign's saga, and how a line of it reads. Reads the store only."""

from collections.abc import Mapping
from typing import Any

import apsw
import msgspec

from state.ids import deletion_number
from state.store.journal_rows import ActionRow
from state.store.rows import JobRow, LedgerRow, RequestRow, RunRow
from state.store.tables import select, select_one

EVENTS = {
    "RegisterCampaign": "created",
    "RenameCampaign": "renamed",
    "WriteCampaignRecord": "record_written",
    "TakeOverCheckpoint": "starting_checkpoint_taken",
    "ImportCheckpoint": "starting_checkpoint_imported",
    "ActivateCampaign": "activated",
    "DeactivateCampaign": "paused",
    "ArchiveCampaign": "archived",
    "RestoreCampaign": "restored",
    "EnqueueJob": "quest_queued",
    "UpdateJob": "quest_changed",
    "DequeueJob": "quest_skipped",
    "MarkJob": "quest",
    "BeginSegment": "segment_begun",
    "LaunchRun": "launched",
    "GiveOrders": "ordered",
    "StopRun": "stopped",
    "CloseRun": "run_ended",
    "RecordCheckpoint": "saved",
    "SnapshotHeldOut": "held_out_taken_in",
    "SetAsideCheckpoint": "set_aside",
    "TrashCheckpoint": "dropped",
    "DemoteCheckpoint": "demoted",
    "DeleteCampaign": "deleted",
    "MarkCheckpoint": "marked",
    "CopyCheckpoint": "copied",
    "MendCheckpoint": "mended",
    "MoveOutCheckpoint": "moved_out",
    "BringBackCheckpoint": "brought_back",
    "RestoreCheckpoint": "taken_back",
    "CallOffDeletion": "deletion_called_off",
    "PurgeTrash": "purged",
    "TakeApproval": "approval",
    "HandleRequest": "asked",
    "HandleQuestRequest": "asked",
}
"""Kind of action → event. What a MarkJob, an approval or a request says is in the event's name too."""

NO_EVENTS = frozenset(
    {
        *("ConfirmRun", "ReopenRun", "WriteStatusFiles", "WritePointer", "WriteTombstone", "ForgetUndelete"),
        *("AnswerRefresh", "AnswerRequest", "ReadAgain", "SetBallast"),
        *("SnapshotFile", "GenerateQuest", "TakeInboxFile", "WriteQueueFolders"),
    }
)
"""Of no campaign, or without news: the launch, the save and the quest say it."""

_BY_SEQUENCE = frozenset(
    {
        "MarkCheckpoint",
        "TrashCheckpoint",
        "DemoteCheckpoint",
        "RestoreCheckpoint",
        "PurgeTrash",
        "CopyCheckpoint",
        "MendCheckpoint",
        "MoveOutCheckpoint",
        "BringBackCheckpoint",
    }
)
_BY_DIGEST = frozenset({"RecordCheckpoint", "SetAsideCheckpoint"})
"""Actions about one checkpoint, and how they name it."""


def lines_of(store: apsw.Connection, row: ActionRow, uids: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Return the saga lines of one action that was done: (uid of the campaign, line) for each campaign.

    `uids` gives the uid of each campaign by name. What a version that is not ours wrote into the journal and
    that names no campaign is left out.
    """
    said = msgspec.json.decode(row.payload_json, type=dict[str, Any])
    event = EVENTS.get(row.kind)
    if event is None:
        return []
    found = [(uid, _name(event, said)) for uid in _campaigns(store, row.kind, said, uids)]
    previous = uids.get(said.get("previous") or "") if row.kind == "ActivateCampaign" else None
    found += [(previous, "paused")] if previous else []
    return [(uid, _line(store, row, said, uid, name)) for uid, name in found]


def _name(event: str, said: Mapping[str, Any]) -> str:
    match event:
        case "quest":
            return f"quest_{said['status']}"
        case "asked":
            return f"asked_{said['kind']}"
        case "approval":
            return "approved" if said.get("sequences") else "declined"
        case _:
            return event


def _campaigns(
    store: apsw.Connection, kind: str, said: Mapping[str, Any], uids: Mapping[str, str]
) -> list[str]:
    """Return the uids of the campaigns that an action is about."""
    if kind == "HandleQuestRequest":
        jobs = select(store, JobRow, "WHERE quest_id = ?", said["quest_id"])
        return sorted({job.campaign_uid for job in jobs})
    if kind == "TakeApproval":
        numbers = {deletion_number(uid): uid for uid in uids.values()}
        rows = (select_one(store, LedgerRow, "WHERE sequence = ?", at) for at in said.get("sequences", ()))
        whole = {numbers[at] for at in said.get("sequences", ()) if at in numbers}
        return sorted(whole | {row.campaign_uid for row in rows if row is not None})
    uid = said.get("campaign_uid") or uids.get(said.get("campaign") or "")
    return [str(uid)] if uid in uids.values() else []


def _line(store: apsw.Connection, row: ActionRow, said: Mapping[str, Any], uid: str, event: str) -> bytes:
    request = select_one(store, RequestRow, "WHERE id = ?", said.get("request_id"))
    record = {
        "timestamp": row.ended_at or row.begun_at,
        "event": event,
        "what": row.outcome,
        "why": said.get("why") or said.get("reason") or (request.why if request else row.reason),
        "cause": row.cause,
        "asked_by": request.asked_by if request else None,
        "quest_id": said.get("quest_id"),
        **_provenance(store, row.kind, said, uid),
        "specs_commit": row.specs_commit,
        "number": row.number,
    }
    return msgspec.json.encode(record)


def _provenance(store: apsw.Connection, kind: str, said: Mapping[str, Any], uid: str) -> dict[str, Any]:
    """Return step, run, config and code of what an action is about, as far as it is about them."""
    saved = _saved(store, kind, said, uid)
    if saved is not None:
        values: dict[str, Any] = {"step": saved.step, "run": f"g{saved.generation}-a{saved.attempt}"}
        names = ("config_hash", "code_version", "train_loss", "val_loss")
        return values | {name: getattr(saved, name) for name in names}
    key = (uid, said.get("generation"), said.get("attempt"))
    run = None
    if None not in key:
        run = select_one(store, RunRow, "WHERE campaign_uid = ? AND generation = ? AND attempt = ?", *key)
    steps = (said.get(name) for name in ("step", "final_step", "start_step", "parent_step"))
    return {
        "step": next((step for step in steps if step is not None), None),
        "run": f"g{run.generation}-a{run.attempt}" if run else None,
        "config_hash": said.get("config_hash") or (run.config_hash if run else None),
        "code_version": run.code_version if run else None,
    }


def _saved(store: apsw.Connection, kind: str, said: Mapping[str, Any], uid: str) -> LedgerRow | None:
    """Return the ledger row of the checkpoint that an action is about."""
    if kind in _BY_SEQUENCE:
        where = "WHERE sequence = ? AND campaign_uid = ?"
        return select_one(store, LedgerRow, where, said.get("sequence"), uid)
    if kind not in _BY_DIGEST:
        return None
    where = "WHERE campaign_uid = ? AND step = ? AND digest = ? ORDER BY sequence DESC"
    return select_one(store, LedgerRow, where, uid, said["step"], said["digest"])
