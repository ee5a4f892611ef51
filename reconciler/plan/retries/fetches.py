"""Content that cannot be brought in: tried again later and later, and in the end given up by name."""

from reconciler.plan.actions import GenerateQuest, SnapshotFile, TakeInboxFile
from reconciler.plan.changes import FETCH_BACKOFF, FETCH_GIVEN_UP, change_id
from reconciler.plan.draft import Draft
from reconciler.plan.retries.retry import Verdict, judge_moments, policy_of
from reconciler.plan.world import World

FETCHES = (SnapshotFile, GenerateQuest, TakeInboxFile)
"""The actions whose failures for good are counted here, so that nobody else need slow down for them."""


def is_held_back(
    world: World,
    draft: Draft,
    fetch: SnapshotFile | GenerateQuest | TakeInboxFile,
    campaign: str,
    cause: str,
) -> bool:
    """Say when a fetch that failed is tried again, or that it is given up, if so.

    Another command, count or file is another fetch, and `resume` forgives what failed before it.
    """
    failed = world.facts.failed_action(change_id(fetch))
    if failed is None:
        return False
    row = world.facts.campaign_row(campaign)
    forgiven_at = world.forgiven_at(row) if row else None
    policy = policy_of(world.desired.realm.spec)
    verdict = judge_moments(failed.failed_at, policy, forgiven_at, world.now, failed.id)
    if not verdict.ready:
        _block(draft, fetch.quest_id, verdict, failed.outcome, campaign, cause)
    return not verdict.ready


def _block(draft: Draft, quest_id: str, verdict: Verdict, outcome: str, campaign: str, cause: str) -> None:
    if verdict.given_up:
        code, when, hint = FETCH_GIVEN_UP, f"given up after {verdict.failures} tries", "mend it, then"
    else:
        when = f"tried again at {verdict.not_before} after failure {verdict.failures}"
        code, hint = FETCH_BACKOFF, "to try at once:"
    draft.block(
        f"quest/{quest_id}",
        code=code,
        message=f"its content cannot be brought in, {when}: {outcome}",
        cause=cause,
        hint=f"{hint} reconcile resume {campaign}",
        until=None if verdict.given_up else verdict.not_before,
    )
