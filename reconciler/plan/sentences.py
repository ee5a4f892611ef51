"""One sentence for each action: what a person reads in the plan, and again while it is done."""

from collections.abc import Callable
from typing import Any, NamedTuple

from reconciler.plan import actions as a
from reconciler.plan.actions.base import name_of
from reconciler.plan.changes import Change
from state.amounts import count, duration, size
from state.ids import damaged_folder, which_of


class Sentence(NamedTuple):
    """The parts of a plan line that the action alone decides."""

    symbol: str
    """+ create, - remove, ~ change in place, -/+ replace, . forget, → move."""
    verb: str
    subject: str
    what: str
    """What will happen, when the verb does not say it all."""


def sentence_of(action: a.AnyAction) -> Sentence:
    """Return the sentence of an action."""
    return _SENTENCES[type(action)](action)


def failure_of(change: Change) -> str:
    """Return how a change failed when it was last tried, `purge failed once at ...`; empty: it did not."""
    return f"{sentence_of(change.action).verb} {change.setback.text}" if change.setback is not None else ""


def _run(action: a.RunAction) -> str:
    return f"run {action.campaign} {action.key.folder}"


def _leaving(action: a.StopRun) -> str:
    if action.silent_since is None:
        return "saves at its next update, then leaves"
    return f"saves if it wakes, is killed after {action.grace_seconds:g} s; launched again then"


def _launch(action: a.LaunchRun) -> Sentence:
    quests, config = count(len(action.job_uids), "quest"), action.config_hash.removeprefix("sha256:")[:8]
    what = f"{quests} on {action.device}, config {config}"
    what += f", segment {action.segment}" if action.segment is not None else ""
    return Sentence("+", "launch", action.campaign, what)


def _begin_segment(action: a.BeginSegment) -> Sentence:
    if action.kind == "decay":
        falls = f"while the rate falls to {action.final_ratio:g} of it"
        updates = count(action.updates or 0, "update")
        what = f"a release of step {action.parent_step}: {updates} {falls}, as segment {action.number}"
        return Sentence("+", "branch off", action.campaign, what)
    rate = f", rates x {action.rate_factor:g}" if action.rate_factor != 1.0 else ""
    what = f"to step {action.parent_step} as segment {action.number}{rate}; later checkpoints stay, aside"
    return Sentence("→", "rewind", action.campaign, what)


def _close(action: a.CloseRun) -> Sentence:
    ends = {
        "finished": "everything ordered is learnt",
        "goal_reached": "the goal is reached",
        "stopped": "it saved and left",
        "failed": f"it failed ({action.failure_class or 'unknown'})",
        "lost": "its process is gone",
        "never_started": "no trainer claimed it",
    }
    return Sentence("~", "close", _run(action), ends[action.end])


def _mark(action: a.MarkJob) -> Sentence:
    loss = f", loss {action.final_loss:.3f}" if action.final_loss is not None else ""
    what = (
        f"{action.status} at step {action.final_step}{loss}"
        if action.final_step is not None
        else action.status
    )
    return Sentence("~", "mark", f"quest {action.quest_id}", what)


def _request(action: a.HandleRequest) -> Sentence:
    return Sentence("~", action.kind, action.campaign, "")


def _trash(action: a.TrashCheckpoint) -> Sentence:
    return Sentence(
        "-",
        "drop",
        f"checkpoint {name_of(action)}",
        f"{size(action.size_bytes)} to the trash for {duration(action.grace_seconds)}",
    )


def _demote(action: a.DemoteCheckpoint) -> Sentence:
    return Sentence(
        "~",
        "demote",
        f"checkpoint {name_of(action)}",
        f"to its weights, the {size(action.size_bytes)} of optimizer state to the trash for "
        f"{duration(action.grace_seconds)}",
    )


def _take_over(action: a.TakeOverCheckpoint) -> Sentence:
    subject = f"checkpoint {action.source}@{which_of(action.segment, action.step)}"
    return Sentence("+", "take over", subject, f"as step {action.step} of {action.campaign}")


def _mark_checkpoint(action: a.MarkCheckpoint) -> Sentence:
    words = ["pinned"] if action.marks.pinned else []
    words += [f"tagged {tag}" for tag in action.marks.tags]
    words += [f"stood for milestone {step:,}" for step in action.marks.stood_for]
    return Sentence("~", "mark", f"checkpoint {name_of(action)}", ", ".join(words))


def _purge(action: a.PurgeTrash) -> Sentence:
    what = f"{size(action.size_bytes)} of the trash, for good"
    return Sentence("-", "purge", _dropped(action), what)


def _dropped(action: a.PurgeTrash | a.WriteTombstone | a.ForgetUndelete | a.CallOffDeletion) -> str:
    """Return what lies in the trash, in words: a whole campaign has a negative number."""
    if action.sequence < 0:
        return f"campaign {action.campaign}"
    return f"checkpoint {name_of(action)}"


def _read_again(action: a.ReadAgain) -> Sentence:
    pace = f" at {size(action.rate_bytes)}/s" if action.rate_bytes else ""
    return Sentence(
        "~", "scrub", count(action.num_left, "checkpoint"), f"{size(action.left_bytes)} read again{pace}"
    )


def _delete(action: a.DeleteCampaign) -> Sentence:
    what = (
        f"{count(action.checkpoints, 'checkpoint')}, {size(action.size_bytes)}, all of it to the trash for "
    )
    return Sentence("-", "delete", f"campaign {action.campaign}", what + duration(action.grace_seconds))


def _ballast(action: a.SetBallast) -> Sentence:
    if not action.size_bytes:
        return Sentence("-", "let go", "ballast", f"{size(action.was_bytes)} become free")
    was = f", {size(action.was_bytes)} before" if action.was_bytes else ""
    return Sentence("~" if was else "+", "make", "ballast", f"{size(action.size_bytes)}{was}")


_SENTENCES: dict[type[a.Action], Callable[[Any], Sentence]] = {
    a.RegisterCampaign: lambda x: Sentence("+", "create", f"campaign {x.campaign}", ""),
    a.RenameCampaign: lambda x: Sentence("→", "rename", f"campaign {x.campaign}", f"was {x.previous}"),
    a.WriteCampaignRecord: lambda x: Sentence("~", "write", f"campaign.json of {x.campaign}", ""),
    a.ActivateCampaign: lambda x: Sentence("→", "activate", x.campaign, ""),
    a.DeactivateCampaign: lambda x: Sentence("~", "deactivate", x.campaign, ""),
    a.WriteStatusFiles: lambda x: Sentence("~", "write", f"status files of {x.campaign}", ""),
    a.TakeOverCheckpoint: _take_over,
    a.ImportCheckpoint: lambda x: Sentence(
        "+", "import", x.source, f"{size(x.size_bytes)} as step {x.step:,} of {x.campaign}"
    ),
    a.ArchiveCampaign: lambda x: Sentence("→", "archive", x.campaign, "with its final metrics"),
    a.RestoreCampaign: lambda x: Sentence("→", "restore", x.campaign, "paused"),
    a.WritePointer: lambda x: Sentence("~", "write", "active pointer and link", x.campaign or "no campaign"),
    a.SnapshotFile: lambda x: Sentence("+", "take in", f"quest {x.quest_id}", ""),
    a.SnapshotHeldOut: lambda x: Sentence("+", "take in", f"held-out {x.name}", f"for {x.campaign}"),
    a.TakeInboxFile: lambda x: Sentence("→", "take in", f"inbox {x.name}", f"as quest {x.quest_id}"),
    a.GenerateQuest: lambda x: Sentence("+", "generate", f"quest {x.quest_id}", ""),
    a.WriteQueueFolders: lambda _: Sentence("~", "write", "folders of queue/", ""),
    a.EnqueueJob: lambda x: Sentence("+", "enqueue", f"quest {x.quest_id}", ""),
    a.UpdateJob: lambda x: Sentence("~", "change", f"quest {x.quest_id}", ""),
    a.DequeueJob: lambda x: Sentence(".", "dequeue", f"quest {x.quest_id}", ""),
    a.MarkJob: _mark,
    a.DemoteCheckpoint: _demote,
    a.SetBallast: _ballast,
    a.BeginSegment: _begin_segment,
    a.LaunchRun: _launch,
    a.ConfirmRun: lambda x: Sentence("~", "confirm", _run(x), f"pid {x.pid}"),
    a.ReopenRun: lambda x: Sentence("~", "reopen", _run(x), f"pid {x.pid}"),
    a.GiveOrders: lambda x: Sentence("~", "order", _run(x), ""),
    a.StopRun: lambda x: Sentence("~", "stop", _run(x), _leaving(x)),
    a.CloseRun: _close,
    a.RecordCheckpoint: lambda x: Sentence("+", "record", f"checkpoint {x.campaign}@{x.which}", ""),
    a.SetAsideCheckpoint: lambda x: Sentence(
        "→", "set aside", f"checkpoint {x.campaign}@{x.which}", damaged_folder(x.step, x.digest)
    ),
    a.TrashCheckpoint: _trash,
    a.DeleteCampaign: _delete,
    a.RestoreCheckpoint: lambda x: Sentence(
        "+",
        "take back",
        f"{'checkpoint' if '@' in x.checkpoint else 'campaign'} {x.checkpoint}",
        f"from {x.sources[0]}" if x.sources else "out of the trash",
    ),
    a.CallOffDeletion: lambda x: Sentence("~", "call off", f"deletion of {_dropped(x)}", "it comes back"),
    a.ForgetUndelete: lambda x: Sentence(".", "forget", f"undelete of {_dropped(x)}", x.overrules),
    a.PurgeTrash: _purge,
    a.MarkCheckpoint: _mark_checkpoint,
    a.WriteTombstone: lambda x: Sentence("~", "write", f"tombstone of {_dropped(x)}", ""),
    a.TakeApproval: lambda x: Sentence("~", "approve" if x.sequences else "decline", "approval", x.what),
    a.AnswerRefresh: lambda x: Sentence("~", "answer", "source", x.answer),
    a.CopyCheckpoint: lambda x: Sentence(
        "+",
        x.kind,
        f"checkpoint {name_of(x)}",
        f"{size(x.size_bytes)} to {x.to}",
    ),
    a.MoveOutCheckpoint: lambda x: Sentence(
        "→",
        "move out",
        f"checkpoint {x.campaign}@{which_of(x.segment, x.step)}",
        f"{size(x.size_bytes)} to the trash for {duration(x.grace_seconds)}; it lies in {x.copies[0]}",
    ),
    a.BringBackCheckpoint: lambda x: Sentence(
        "→",
        "bring back",
        f"checkpoint {x.campaign}@{which_of(x.segment, x.step)}",
        f"{size(x.size_bytes)} from {x.sources[0] if x.sources else 'the trash'}",
    ),
    a.MendCheckpoint: lambda x: Sentence(
        "+",
        "mend",
        f"checkpoint {name_of(x)}",
        f"{size(x.size_bytes)} from {x.sources[0]}",
    ),
    a.ReadAgain: _read_again,
    a.AnswerRequest: lambda x: Sentence("~", "answer", x.what, x.answer),
    a.HandleRequest: _request,
    a.HandleQuestRequest: lambda x: Sentence("~", x.kind, f"quest {x.quest_id}", ""),
}
