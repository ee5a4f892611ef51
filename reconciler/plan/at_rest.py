"""A campaign at rest: what else of a plan comes before any of its folders may move. Pure."""

from reconciler.plan.actions import (
    Action,
    ActivateCampaign,
    CloseRun,
    DeactivateCampaign,
    MarkJob,
    RecordCheckpoint,
    RegisterCampaign,
    SetAsideCheckpoint,
)
from reconciler.plan.draft import Draft
from state.store.rows import CampaignRow

_BEFORE_IT_MOVES: tuple[type[Action], ...] = (
    *(CloseRun, RecordCheckpoint, SetAsideCheckpoint, MarkJob, RegisterCampaign),
    *(ActivateCampaign, DeactivateCampaign),
)


def needs_at_rest(draft: Draft, row: CampaignRow) -> tuple[str, ...]:
    """Return the changes of this plan without which nothing of the campaign may move."""
    changes = (change for change in draft.changes if isinstance(change.action, _BEFORE_IT_MOVES))
    return tuple(change.id for change in changes if _is_about(change.action, row.name))


def _is_about(action: Action, campaign: str) -> bool:
    names = (getattr(action, "campaign", None), getattr(action, "previous", None))
    return campaign in names
