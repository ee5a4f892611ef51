"""Content that cannot be brought in: tried again later and later, and in the end given up by name.

Rows that a skill made and that were refused are no bad luck: the same command makes the same rows.
"""

import msgspec

from reconciler.plan.actions import GenerateQuest, SnapshotFile, TakeInboxFile
from reconciler.plan.changes import FETCH_BACKOFF, FETCH_GIVEN_UP, Blocked, change_id
from reconciler.plan.draft import Draft
from reconciler.plan.retries.retry import Verdict, judge_moments, policy_of
from reconciler.plan.world import World
from state.store.journal_rows import REFUSED, FailedAction

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

    Another command, count or file is another fetch, as are rows that are judged by something else; `resume`
    forgives what failed before it.
    """
    failed = world.facts.failed_action(change_id(fetch))
    if failed is None:
        return False
    row = world.facts.campaign_row(campaign)
    forgiven_at = world.forgiven_at(row) if row else None
    policy = policy_of(world.desired.realm.spec)
    if failed.is_refusal:
        policy = msgspec.structs.replace(policy, attempts=1)
    verdict = judge_moments(failed.failed_at, policy, forgiven_at, world.now, fetch.source_key)
    if not verdict.ready:
        draft.blocked.append(_blocked(failed, fetch.quest_id, verdict, campaign, cause))
    return not verdict.ready


def _blocked(failed: FailedAction, quest_id: str, verdict: Verdict, campaign: str, cause: str) -> Blocked:
    resume = f"reconcile resume {campaign}"
    if failed.is_refusal:
        code, message = FETCH_GIVEN_UP, failed.outcome.removeprefix(REFUSED)
        ways = "change what it names in the specs, or the quest's seed, and it goes on by itself"
        hint = f"{ways}; or mend the skill's source, then {resume}"
    elif verdict.given_up:
        code, hint = FETCH_GIVEN_UP, f"mend it, then {resume}"
        message = (
            f"its content cannot be brought in, given up after {verdict.failures} tries: {failed.outcome}"
        )
    else:
        code, hint = FETCH_BACKOFF, f"to try at once: {resume}"
        when = f"tried again at {verdict.not_before} after failure {verdict.failures}"
        message = f"its content cannot be brought in, {when}: {failed.outcome}"
    return Blocked(
        subject=f"quest/{quest_id}",
        code=code,
        message=message,
        cause=cause,
        hint=hint,
        until=None if verdict.given_up else verdict.not_before,
    )
