"""What protects comes before what destroys: of each campaign that loses something, copies are made first.

Making a copy reads the checkpoint whole: damage that is found so holds what would still go of its campaign.
The planners of copies come late, since they ask what goes; other campaigns' drops wait for no copy.
"""

from reconciler.plan.actions import CopyCheckpoint
from reconciler.plan.changes import Change
from reconciler.plan.draft import Draft
from reconciler.plan.world import World


def plan_copies_first(_world: World, draft: Draft) -> None:
    """Bring the copies of campaigns that lose something before the first change that takes it."""
    losing = {_campaign_uid(change) for change in draft.changes if change.action.destroys}
    copied = {copy.campaign_uid for copy in draft.actions(CopyCheckpoint)} & losing
    if not copied:
        return
    takes = (change.action.destroys and _campaign_uid(change) in copied for change in draft.changes)
    first = list(takes).index(True)
    before, behind = draft.changes[:first], draft.changes[first:]
    copies = [change for change in behind if _is_copy_of(change, copied)]
    others = [change for change in behind if not _is_copy_of(change, copied)]
    draft.replace([*before, *copies, *others])


def _campaign_uid(change: Change) -> str | None:
    uid: str | None = getattr(change.action, "campaign_uid", None)
    return uid


def _is_copy_of(change: Change, campaigns: set[str]) -> bool:
    return isinstance(change.action, CopyCheckpoint) and change.action.campaign_uid in campaigns
