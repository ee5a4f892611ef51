# ruff: noqa: ARG005 - every scenario takes the same two arguments
"""For every action, a realm in which it has something to do; `tests/faults` hits each of them at every point."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from kill_worlds import (
    archived_and_exported,
    archived_manifest,
    aside_and_exported,
    at_rest,
    begun_elsewhere,
    copied_and_damaged,
    damaged,
    damaged_record,
    deactivated,
    deleted,
    dropped,
    exported,
    exported_manifest,
    found_damaged,
    inbox_file,
    left_with_word,
    manifest_of,
    moved_out,
    moved_out_and_purged,
    one_demoted,
    one_dropped,
    purged_and_exported,
    record_not_understood,
    recorded_and_lost,
    taken_back,
    taken_back_asked,
    torn,
    two_saved,
    unfinished_save,
    wanted_back,
)

from reconciler.plan import actions as a
from state.contract.files import read
from state.contract.manifest import Manifest
from state.contract.request import DecayBranch
from state.store.rows import Marks


class Scenario(NamedTuple):
    """What to do to the realm first, and the action that is hit."""

    action: Callable[[Any, Any], a.AnyAction]
    prepare: Callable[[Any, Any], None] = lambda _realm, _make: None
    starts_trainer: bool = False
    """The action, or its preparation in each trial, starts a real process."""
    start: Callable[[Any], object] = lambda _realm: None


SCENARIOS = {
    "SetBallast": Scenario(
        lambda realm, make: a.SetBallast(size_bytes=3000, was_bytes=2000),
        lambda realm, make: realm.done(a.SetBallast(size_bytes=2000, was_bytes=0)),
    ),
    "SetBallast-let-go": Scenario(
        lambda realm, make: a.SetBallast(size_bytes=0, was_bytes=2000),
        lambda realm, make: realm.done(a.SetBallast(size_bytes=2000, was_bytes=0)),
    ),
    "RegisterCampaign": Scenario(lambda realm, make: make.register("tiny/campaign-003")),
    "RenameCampaign": Scenario(
        lambda realm, make: make.rename("tiny/first-light"),
        lambda realm, make: (one_dropped(realm, make), realm.ask("resume")),
    ),
    "RenameCampaign-back": Scenario(
        lambda realm, make: make.rename(make.campaign, before="tiny/first-light"),
        lambda realm, make: (two_saved(realm, make), realm.done(make.rename("tiny/first-light"))),
    ),
    "RenameCampaign-exchanged": Scenario(lambda realm, make: make.exchange(), two_saved),
    "WriteCampaignRecord": Scenario(
        lambda realm, make: a.WriteCampaignRecord(
            campaign=make.campaign, campaign_uid=make.uid, card=make.card
        ),
        damaged_record,
    ),
    "WriteCampaignRecord-not-understood": Scenario(
        lambda realm, make: a.WriteCampaignRecord(
            campaign=make.campaign, campaign_uid=make.uid, card=make.card
        ),
        record_not_understood,
    ),
    "ActivateCampaign": Scenario(lambda realm, make: make.activate(make.other, make.campaign)),
    "DeactivateCampaign": Scenario(
        lambda realm, make: a.DeactivateCampaign(campaign=make.campaign, campaign_uid=make.uid)
    ),
    "WriteStatusFiles": Scenario(
        lambda realm, make: a.WriteStatusFiles(campaign=make.campaign, campaign_uid=make.uid),
        lambda realm, make: realm.layout.campaign(make.campaign).training_status.write_text("{}"),
    ),
    "TakeOverCheckpoint": Scenario(lambda realm, make: make.take_over(realm.save_checkpoint(7))),
    "ImportCheckpoint": Scenario(lambda realm, make: make.take_in(realm)),
    "ArchiveCampaign": Scenario(
        lambda realm, make: make.archive(),
        lambda realm, make: (at_rest(realm, make), unfinished_save(realm)),
    ),
    "RestoreCampaign": Scenario(
        lambda realm, make: make.restore(),
        lambda realm, make: (at_rest(realm, make), realm.done(make.archive())),
    ),
    "WritePointer": Scenario(
        lambda realm, make: a.WritePointer(campaign=make.campaign, campaign_uid=make.uid), deactivated
    ),
    "SnapshotFile": Scenario(
        lambda realm, make: make.snapshot(realm.source, source_key="again"),
        lambda realm, make: realm.layout.snapshot(make.digest).unlink(),
    ),
    "SnapshotHeldOut": Scenario(
        lambda realm, make: make.held_out(realm.source),
        lambda realm, make: realm.layout.snapshot(make.digest).unlink(),
    ),
    "TakeInboxFile": Scenario(
        inbox_file,
        lambda realm, make: (dropped(realm, make), realm.layout.snapshot(make.digest).unlink()),
    ),
    "WriteQueueFolders": Scenario(
        lambda realm, make: a.WriteQueueFolders(),
        lambda realm, make: (
            realm.done(a.WriteQueueFolders()),
            realm.done(make.mark("completed", final_step=3)),
        ),
    ),
    "GenerateQuest": Scenario(lambda realm, make: make.generate("--answer", "3", source_key="again")),
    "EnqueueJob": Scenario(lambda realm, make: make.enqueue(job_uid="other", quest_id="other")),
    "UpdateJob": Scenario(
        lambda realm, make: a.UpdateJob(
            job_uid=make.job, quest_id="sums", campaign=make.campaign, priority="high", epochs=3
        ),
        lambda realm, make: realm.done(make.mark("completed", final_step=3)),
    ),
    "DequeueJob": Scenario(
        lambda realm, make: a.DequeueJob(
            job_uid=make.job, quest_id="sums", campaign=make.campaign, why="gone"
        )
    ),
    "MarkJob": Scenario(
        lambda realm, make: make.mark("completed", start_step=1, final_step=3, final_loss=0.5)
    ),
    "LaunchRun": Scenario(
        lambda realm, make: make.launch(),
        lambda realm, make: realm.save_checkpoint(7),
        starts_trainer=True,
    ),
    "ConfirmRun": Scenario(
        lambda realm, make: a.ConfirmRun(**make.key, pid=99), lambda realm, make: realm.done(make.launch())
    ),
    "ReopenRun": Scenario(
        lambda realm, make: a.ReopenRun(**make.key, pid=99),
        starts_trainer=True,
        start=lambda realm: (realm.start_trainer(), realm.call_lost()),
    ),
    "GiveOrders": Scenario(
        lambda realm, make: make.orders(2, pause=True, goal_updates=9),
        lambda realm, make: realm.done(make.launch()),
    ),
    "GiveOrders-with-config": Scenario(
        lambda realm, make: make.live_orders(2), lambda realm, make: realm.done(make.launch())
    ),
    "StopRun": Scenario(
        lambda realm, make: make.stop(),
        lambda realm, make: realm.save_checkpoint(7),
        starts_trainer=True,
        start=lambda realm: realm.start_trainer(),
    ),
    "StopRun-frozen": Scenario(
        lambda realm, make: make.stop(silent_since=make.now),
        lambda realm, make: realm.save_checkpoint(7),
        starts_trainer=True,
        start=lambda realm: realm.freeze_trainer(),
    ),
    "CloseRun": Scenario(
        lambda realm, make: make.close("never_started"), lambda realm, make: realm.done(make.launch())
    ),
    "CloseRun-with-word": Scenario(
        lambda realm, make: make.close("finished", final_step=3, ended_at=make.now), left_with_word
    ),
    "RecordCheckpoint": Scenario(lambda realm, make: make.record(realm.save_checkpoint(7))),
    "RecordCheckpoint-again": Scenario(
        lambda realm, make: make.record(realm.save_checkpoint(7, attempt=2)), recorded_and_lost
    ),
    "RecordCheckpoint-damaged": Scenario(
        lambda realm, make: make.record(manifest_of(realm, 7)), lambda realm, make: damaged(realm, 7)
    ),
    "SetAsideCheckpoint": Scenario(lambda realm, make: make.set_aside(manifest_of(realm, 7)), found_damaged),
    "SetAsideCheckpoint-whole": Scenario(
        lambda realm, make: make.set_aside(manifest_of(realm, 7)),
        lambda realm, make: (found_damaged(realm, make), realm.flip_a_bit(7)),
    ),
    "SetAsideCheckpoint-torn": Scenario(lambda realm, make: make.set_aside(manifest_of(realm, 7)), torn),
    "TrashCheckpoint": Scenario(lambda realm, make: make.drop(manifest_of(realm, 7)), two_saved),
    "DemoteCheckpoint": Scenario(lambda realm, make: make.demote(manifest_of(realm, 7)), two_saved),
    "RestoreCheckpoint-demoted": Scenario(
        lambda realm, make: make.take_back(7, sequence=3),
        lambda realm, make: (one_demoted(realm, make), realm.ask("undelete", f"{make.campaign}@7")),
    ),
    "PurgeTrash-demoted": Scenario(lambda realm, make: make.purge(7, sequence=3), one_demoted),
    "RestoreCheckpoint": Scenario(lambda realm, make: make.take_back(7), taken_back_asked),
    "ForgetUndelete": Scenario(lambda realm, make: make.forget_undelete(7), taken_back),
    "BeginSegment": Scenario(lambda realm, make: make.roll_back(manifest_of(realm, 7)), begun_elsewhere),
    "BeginSegment-release": Scenario(
        lambda realm, make: make.roll_back(manifest_of(realm, 7), kind="decay", updates=3, final_ratio=0.1),
        two_saved,
    ),
    "LaunchRun-release": Scenario(
        lambda realm, make: make.launch(
            segment=2,
            parent_digest=manifest_of(realm, 7).digest,
            decay=DecayBranch(start_step=7, updates=3, final_ratio=0.1),
        ),
        lambda realm, make: (
            two_saved(realm, make),
            realm.done(make.roll_back(manifest_of(realm, 7), kind="decay", updates=3, final_ratio=0.1)),
        ),
        starts_trainer=True,
    ),
    "DeleteCampaign": Scenario(lambda realm, make: make.delete(manifest_of(realm, 7)), at_rest),
    "DeleteCampaign-archived": Scenario(
        lambda realm, make: make.delete(archived_manifest(realm)),
        lambda realm, make: (at_rest(realm, make), realm.done(make.archive())),
    ),
    "RestoreCheckpoint-campaign": Scenario(lambda realm, make: make.take_back_whole(), wanted_back),
    "RestoreCheckpoint-campaign-unasked": Scenario(lambda realm, make: make.take_back_unasked(), deleted),
    "CallOffDeletion": Scenario(lambda realm, make: make.call_off_deletion(), deleted),
    "PurgeTrash-campaign": Scenario(lambda realm, make: make.purge_whole(), deleted),
    "PurgeTrash": Scenario(lambda realm, make: make.purge(7), one_dropped),
    "MarkCheckpoint": Scenario(
        lambda realm, make: a.MarkCheckpoint(
            campaign=make.campaign,
            campaign_uid=make.uid,
            sequence=1,
            step=7,
            marks=Marks(pinned=True, tags=("a",)),
        ),
        two_saved,
    ),
    "WriteTombstone": Scenario(
        lambda realm, make: a.WriteTombstone(
            campaign=make.campaign, campaign_uid=make.uid, sequence=1, step=7, path=realm.view().trash[0].path
        ),
        lambda realm, make: (
            one_dropped(realm, make),
            (realm.layout.root / f"{realm.view().trash[0].path}.json").unlink(),
        ),
    ),
    "TakeApproval": Scenario(
        lambda realm, make: a.TakeApproval(
            request_id=1, digest="sha256:1", sequences=(1, 2), specs_commit="c", what="2 checkpoints to drop"
        ),
        lambda realm, make: realm.ask("approve", "sha256:1"),
    ),
    "HandleRequest": Scenario(
        lambda realm, make: a.HandleRequest(
            request_id=1,
            kind="resume",
            campaign=make.campaign,
            campaign_uid=make.uid,
            asked_by="kim",
            why="lunch",
        ),
        lambda realm, make: realm.ask("resume"),
    ),
    "ReadAgain": Scenario(
        lambda realm, make: make.read_again(realm, 7, 9),
        lambda realm, make: (two_saved(realm, make), realm.flip_a_bit(9)),
    ),
    "ReadAgain-in-the-trash": Scenario(lambda realm, make: make.read_again(realm, 7), one_dropped),
    "ReadAgain-a-full-form": Scenario(lambda realm, make: make.read_full_form(realm), one_demoted),
    "CopyCheckpoint": Scenario(lambda realm, make: make.copy_out(realm, manifest_of(realm, 7)), two_saved),
    "CopyCheckpoint-over-a-damaged-one": Scenario(
        lambda realm, make: make.copy_out(
            realm,
            exported_manifest(realm, make),
            kind="archive",
            sources=(f"{make.elsewhere(realm)}/far/{make.campaign}/checkpoint-7",),
        ),
        copied_and_damaged,
    ),
    "MendCheckpoint": Scenario(
        lambda realm, make: make.mend(realm, read(exported(realm, make) / "manifest.json", Manifest)),
        aside_and_exported,
    ),
    "RestoreCheckpoint-from-a-copy": Scenario(
        lambda realm, make: msgspec.structs.replace(make.take_back(7), sources=(str(exported(realm, make)),)),
        purged_and_exported,
    ),
    "MoveOutCheckpoint": Scenario(
        lambda realm, make: make.move_out(realm, archived_manifest(realm)), archived_and_exported
    ),
    "BringBackCheckpoint": Scenario(
        lambda realm, make: make.bring_back(realm, exported_manifest(realm, make)), moved_out
    ),
    "BringBackCheckpoint-from-a-copy": Scenario(
        lambda realm, make: make.bring_back(realm, exported_manifest(realm, make)), moved_out_and_purged
    ),
    "PurgeTrash-moved-out": Scenario(lambda realm, make: make.purge(7), moved_out),
    "AnswerRequest": Scenario(
        lambda realm, make: a.AnswerRequest(request_id=1, what="scrub", answer="all as saved"),
        lambda realm, make: realm.ask("scrub", "all checkpoints"),
    ),
    "AnswerRefresh": Scenario(
        lambda realm, make: a.AnswerRefresh(request_id=1, answer="main is at 4f1c2d9"),
        lambda realm, make: realm.ask("refresh", "source"),
    ),
    "HandleQuestRequest-skip": Scenario(
        lambda realm, make: a.HandleQuestRequest(
            request_id=1, kind="skip", quest_id="sums", asked_by="kim", why="lunch"
        ),
        lambda realm, make: (
            realm.ask("skip"),
            realm.done(make.mark("queued", failures=2, demoted=True)),
        ),
    ),
    "HandleQuestRequest-retry": Scenario(
        lambda realm, make: a.HandleQuestRequest(
            request_id=1, kind="retry", quest_id="sums", asked_by="kim", why="mended"
        ),
        lambda realm, make: (realm.ask("retry"), realm.done(make.mark("failed", last_error="torn"))),
    ),
}
