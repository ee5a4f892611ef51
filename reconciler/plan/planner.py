"""`make_plan`: the whole plan from desired state, facts and the time. The same inputs give the same bytes.

Read the list of planners for the order in which apply acts: first the books are brought up to date with what
happened, then what should not go on stops or pauses, then the campaigns and the queue become what the specs
say (which may take long, or fail), and last a trainer gets its further orders or is started.
"""

from reconciler.desired.desired import Desired
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.archive import plan_archives, plan_restores
from reconciler.plan.campaigns.cleanup import plan_cleanups
from reconciler.plan.campaigns.deletions import plan_deletions
from reconciler.plan.campaigns.overruled import plan_forgotten
from reconciler.plan.campaigns.records import plan_records
from reconciler.plan.campaigns.registry import plan_activation, plan_campaigns
from reconciler.plan.campaigns.renames import block_misnamed, plan_after_renames, plan_renames
from reconciler.plan.campaigns.starts import plan_starts
from reconciler.plan.campaigns.status_files import plan_status_files
from reconciler.plan.changes import Plan
from reconciler.plan.checkpoints.ledger import plan_checkpoints
from reconciler.plan.checkpoints.saves import plan_saves
from reconciler.plan.checkpoints.scrubs import plan_scrub
from reconciler.plan.configs.effective import plan_effective
from reconciler.plan.configs.heroes import plan_heroes
from reconciler.plan.copies.exports import plan_exports
from reconciler.plan.copies.mending import plan_mends
from reconciler.plan.copies.second_copies import plan_second_copies
from reconciler.plan.costs.ballast import plan_ballast, plan_let_go
from reconciler.plan.draft import Draft
from reconciler.plan.in_the_way import plan_obstacles
from reconciler.plan.keeping.marks import plan_marks
from reconciler.plan.keeping.milestones import plan_milestones
from reconciler.plan.queue.datasets import plan_datasets
from reconciler.plan.queue.folders import plan_queue_folders
from reconciler.plan.queue.held_out import plan_held_out
from reconciler.plan.queue.inbox import plan_inbox
from reconciler.plan.queue.jobs import plan_progress
from reconciler.plan.queue.quests import plan_queue
from reconciler.plan.review.guard import plan_guard
from reconciler.plan.root import block_misplaced_root, block_reserved_heroes
from reconciler.plan.runs.endings import plan_ended_runs, plan_stops
from reconciler.plan.runs.launches import plan_launch
from reconciler.plan.runs.orders import plan_orders, plan_urgent_orders
from reconciler.plan.runs.requests import plan_requests
from reconciler.plan.segments.beginnings import plan_segments
from reconciler.plan.source import plan_refreshes, plan_source_trouble
from reconciler.plan.trash.contents import plan_tombstones
from reconciler.plan.trash.drops import plan_drops, plan_purges, plan_undeletes
from reconciler.plan.world import World

PLANNERS = (
    plan_let_go,
    plan_renames,
    plan_ended_runs,
    plan_checkpoints,
    plan_mends,
    plan_undeletes,
    plan_forgotten,
    plan_progress,
    plan_requests,
    plan_saves,
    plan_refreshes,
    plan_stops,
    plan_segments,
    plan_campaigns,
    plan_restores,
    plan_starts,
    plan_activation,
    plan_archives,
    plan_heroes,
    plan_urgent_orders,
    plan_datasets,
    plan_inbox,
    plan_queue,
    plan_orders,
    plan_effective,
    plan_held_out,
    plan_launch,
    plan_milestones,
    plan_marks,
    plan_records,
    plan_status_files,
    plan_drops,
    plan_cleanups,
    plan_deletions,
    plan_purges,
    plan_tombstones,
    plan_obstacles,
    plan_guard,
    plan_source_trouble,
    plan_queue_folders,
    plan_second_copies,
    plan_exports,
    plan_scrub,
    plan_after_renames,
    plan_ballast,
)

_STOPS = (block_misplaced_root, block_reserved_heroes, block_misnamed)
"""What is wrong with the root or its campaigns as a whole: then nothing is planned."""


def make_plan(
    desired: Desired, facts: Facts, *, specs_commit: str, now: str, right: frozenset[str] = frozenset()
) -> Plan:
    """Return everything that would bring the world to what the specs say, in the order of doing it.

    `right`: campaigns whose campaign.json and training_status.json are known to say what they should; without
    it the plan is the same, and takes longer.
    """
    world = World(desired=desired, facts=facts, specs_commit=specs_commit, now=now, right=right)
    draft = Draft()
    if not any(block(world, draft) for block in _STOPS):
        for planner in PLANNERS:
            planner(world, draft)
    return Plan(
        realm=desired.realm.spec.id,
        root=facts.disk.root,
        specs_commit=specs_commit,
        changes=tuple(draft.changes),
        blocked=tuple(sorted(set(draft.blocked), key=lambda item: (item.subject, item.code, item.message))),
        warnings=tuple(draft.warnings),
        unchanged=draft.unchanged,
        awaiting=draft.awaiting,
        afterwards=tuple(draft.afterwards),
        kept=tuple(draft.kept),
    )
