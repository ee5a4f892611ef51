"""Every effect that the reconciler can have, as data. One planner makes each, one executor performs each."""

from reconciler.plan.actions.base import (
    Action,
)
from reconciler.plan.actions.campaigns import (
    ActivateCampaign,
    ArchiveCampaign,
    DeactivateCampaign,
    DeleteCampaign,
    ImportCheckpoint,
    RegisterCampaign,
    RenameCampaign,
    RestoreCampaign,
    TakeOverCheckpoint,
    WriteCampaignRecord,
    WritePointer,
    WriteStatusFiles,
)
from reconciler.plan.actions.checkpoints import (
    CallOffDeletion,
    DemoteCheckpoint,
    ForgetUndelete,
    MarkCheckpoint,
    PurgeTrash,
    RecordCheckpoint,
    RestoreCheckpoint,
    SetAsideCheckpoint,
    TrashCheckpoint,
    WriteTombstone,
)
from reconciler.plan.actions.copies import (
    AnswerRequest,
    BringBackCheckpoint,
    CopyCheckpoint,
    MendCheckpoint,
    MoveOutCheckpoint,
    Place,
    ReadAgain,
    Reading,
)
from reconciler.plan.actions.disk import (
    SetBallast,
)
from reconciler.plan.actions.quests import (
    DequeueJob,
    EnqueueJob,
    GenerateQuest,
    MarkJob,
    SnapshotFile,
    SnapshotHeldOut,
    TakeInboxFile,
    UpdateJob,
    WriteQueueFolders,
)
from reconciler.plan.actions.requests import (
    AnswerRefresh,
    HandleQuestRequest,
    HandleRequest,
    TakeApproval,
)
from reconciler.plan.actions.runs import (
    CloseRun,
    ConfirmRun,
    GiveOrders,
    LaunchRun,
    ReopenRun,
    RunAction,
    StopRun,
)
from reconciler.plan.actions.segments import (
    BeginSegment,
)

AnyAction = (
    RegisterCampaign
    | RenameCampaign
    | WriteCampaignRecord
    | WriteStatusFiles
    | TakeOverCheckpoint
    | ImportCheckpoint
    | ActivateCampaign
    | DeactivateCampaign
    | ArchiveCampaign
    | RestoreCampaign
    | WritePointer
    | SnapshotFile
    | SnapshotHeldOut
    | TakeInboxFile
    | GenerateQuest
    | WriteQueueFolders
    | EnqueueJob
    | UpdateJob
    | DequeueJob
    | MarkJob
    | BeginSegment
    | LaunchRun
    | ConfirmRun
    | ReopenRun
    | GiveOrders
    | StopRun
    | CloseRun
    | RecordCheckpoint
    | TrashCheckpoint
    | DemoteCheckpoint
    | DeleteCampaign
    | RestoreCheckpoint
    | CallOffDeletion
    | ForgetUndelete
    | PurgeTrash
    | WriteTombstone
    | MarkCheckpoint
    | SetAsideCheckpoint
    | TakeApproval
    | AnswerRefresh
    | ReadAgain
    | CopyCheckpoint
    | MoveOutCheckpoint
    | BringBackCheckpoint
    | MendCheckpoint
    | AnswerRequest
    | HandleRequest
    | HandleQuestRequest
    | SetBallast
)

__all__ = [
    "Action",
    "ActivateCampaign",
    "AnswerRefresh",
    "AnswerRequest",
    "AnyAction",
    "ArchiveCampaign",
    "BeginSegment",
    "BringBackCheckpoint",
    "CallOffDeletion",
    "CloseRun",
    "ConfirmRun",
    "CopyCheckpoint",
    "DeactivateCampaign",
    "DeleteCampaign",
    "DemoteCheckpoint",
    "DequeueJob",
    "EnqueueJob",
    "ForgetUndelete",
    "GenerateQuest",
    "GiveOrders",
    "HandleQuestRequest",
    "HandleRequest",
    "ImportCheckpoint",
    "LaunchRun",
    "MarkCheckpoint",
    "MarkJob",
    "MendCheckpoint",
    "MoveOutCheckpoint",
    "Place",
    "PurgeTrash",
    "ReadAgain",
    "Reading",
    "RecordCheckpoint",
    "RegisterCampaign",
    "RenameCampaign",
    "ReopenRun",
    "RestoreCampaign",
    "RestoreCheckpoint",
    "RunAction",
    "SetAsideCheckpoint",
    "SetBallast",
    "SnapshotFile",
    "SnapshotHeldOut",
    "StopRun",
    "TakeApproval",
    "TakeInboxFile",
    "TakeOverCheckpoint",
    "TrashCheckpoint",
    "UpdateJob",
    "WriteCampaignRecord",
    "WritePointer",
    "WriteQueueFolders",
    "WriteStatusFiles",
    "WriteTombstone",
]
