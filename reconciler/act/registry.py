"""Exactly one executor for each action."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.act import (
    approvals,
    archive,
    ballast,
    campaigns,
    checkpoints,
    copying,
    damaged,
    deletions,
    demoting,
    held_out,
    imports,
    inbox,
    jobs,
    leftovers,
    marks,
    mending,
    moving_out,
    orders,
    purging,
    quest_data,
    quest_requests,
    queue_folders,
    refreshes,
    renames,
    requests,
    runs,
    scrubbing,
    segments,
    starts,
    status_files,
    stopping,
    trash,
)
from reconciler.act.tools import Tools
from reconciler.plan import actions as a

Executor = Callable[[Any, Tools], str]
"""Does what the action says, and returns the outcome in one line. Killed at any point and run again, it ends
in the same state as undisturbed.

Raises ActionFailed, or a foreign exception that `errors.translate` understands.
"""

EXECUTORS: Mapping[type[a.Action], Executor] = {
    a.RegisterCampaign: campaigns.register,
    a.RenameCampaign: renames.rename,
    a.WriteCampaignRecord: campaigns.write_record,
    a.WriteStatusFiles: status_files.write,
    a.TakeOverCheckpoint: starts.take_over,
    a.ImportCheckpoint: imports.take_in,
    a.ActivateCampaign: campaigns.activate,
    a.DeactivateCampaign: campaigns.deactivate,
    a.ArchiveCampaign: archive.archive,
    a.RestoreCampaign: archive.restore,
    a.WritePointer: campaigns.write_pointer,
    a.SnapshotFile: quest_data.snapshot_file,
    a.SnapshotHeldOut: held_out.snapshot_held_out,
    a.TakeInboxFile: inbox.take,
    a.GenerateQuest: quest_data.generate_quest,
    a.WriteQueueFolders: queue_folders.write,
    a.EnqueueJob: jobs.enqueue,
    a.UpdateJob: jobs.update,
    a.DequeueJob: jobs.dequeue,
    a.MarkJob: jobs.mark,
    a.BeginSegment: segments.begin,
    a.LaunchRun: runs.launch,
    a.ConfirmRun: runs.confirm,
    a.CloseRun: runs.close,
    a.GiveOrders: orders.give,
    a.StopRun: stopping.stop,
    a.RecordCheckpoint: checkpoints.record,
    a.SetAsideCheckpoint: damaged.set_aside,
    a.TrashCheckpoint: trash.drop,
    a.DemoteCheckpoint: demoting.demote,
    a.DeleteCampaign: deletions.delete,
    a.RestoreCheckpoint: trash.take_back,
    a.CallOffDeletion: trash.call_off_deletion,
    a.ForgetUndelete: trash.forget_undelete,
    a.PurgeTrash: purging.purge,
    a.MarkCheckpoint: marks.mark,
    a.WriteTombstone: trash.write_tombstone,
    a.TakeApproval: approvals.take,
    a.AnswerRefresh: refreshes.answer_refresh,
    a.CopyCheckpoint: copying.copy,
    a.MendCheckpoint: mending.mend,
    a.MoveOutCheckpoint: moving_out.move_out,
    a.BringBackCheckpoint: moving_out.bring_back,
    a.ReadAgain: scrubbing.read_again,
    a.AnswerRequest: leftovers.answer_and_sweep,
    a.HandleRequest: requests.handle,
    a.HandleQuestRequest: quest_requests.handle,
    a.SetBallast: ballast.set_size,
}
