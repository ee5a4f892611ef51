"""`make_plan`: the whole plan from desired state, facts and the time. The same inputs give the same bytes.

Read the list of planners for the order in which apply acts: first the books are brought up to date with what
happened, then what should not go on stops or pauses, then the campaigns and the queue become what the specs
say (which may take long, or fail), then a trainer gets its further orders or is started, and last something
goes: what is copied of a campaign is read before that, so that damage found there holds it. One that has no
occasion to say anything is not even imported.
"""

from collections.abc import Callable
from importlib import import_module

import msgspec

from reconciler.desired.desired import Desired
from reconciler.observed.facts import Facts
from reconciler.plan import occasions
from reconciler.plan.campaigns.exchanges import warn_of_kept_names
from reconciler.plan.campaigns.misnamed import without_misnamed
from reconciler.plan.changes import Blocked, Plan
from reconciler.plan.draft import Draft
from reconciler.plan.root import (
    block_copied_root,
    block_misplaced_root,
    block_newer_rows,
    block_other_realm,
    block_reserved_heroes,
    block_vanished_root,
    name_other_place,
)
from reconciler.plan.suspensions import hold_back
from reconciler.plan.world import World


class Planner(msgspec.Struct, frozen=True):
    """One planner, by name."""

    module: str
    """Below this package."""
    name: str
    occasion: Callable[[World], bool]
    """May it have something to say in a world in which nothing is planned yet?"""

    def plan(self, world: World, draft: Draft) -> None:
        """Let it add to the draft."""
        getattr(import_module(f"reconciler.plan.{self.module}"), self.name)(world, draft)


PLANNERS = (
    Planner("suspensions", "plan_suspension", occasions.the_realm_is_suspended),
    Planner("costs.ballast", "plan_let_go", occasions.a_ballast_is_kept),
    Planner("campaigns.renames", "plan_renames", occasions.campaigns_are_renamed),
    Planner("runs.endings", "plan_ended_runs", occasions.a_run_is_open),
    Planner("checkpoints.ledger", "plan_checkpoints", occasions.checkpoints_are_known),
    Planner("copies.mending", "plan_mends", occasions.copies_may_mend),
    Planner("trash.undeletes", "plan_undeletes", occasions.somebody_asks),
    Planner("trash.undeletes", "plan_wanted_again", occasions.something_was_dropped),
    Planner("campaigns.overruled", "plan_forgotten", occasions.something_was_dropped),
    Planner("queue.jobs", "plan_progress", occasions.jobs_are_open),
    Planner("runs.lost_ends", "plan_lost_ends", occasions.checkpoints_were_lost),
    Planner("runs.requests", "plan_requests", occasions.somebody_asks),
    Planner("checkpoints.saves", "plan_saves", occasions.somebody_asks),
    Planner("source", "plan_refreshes", occasions.somebody_asks),
    Planner("runs.endings", "plan_stops", occasions.a_run_is_open),
    Planner("segments.beginnings", "plan_segments", occasions.histories_may_part),
    Planner("campaigns.registry", "plan_campaigns", occasions.always),
    Planner("copies.moving_back", "plan_moves_back", occasions.something_was_moved_out),
    Planner("campaigns.archive", "plan_restores", occasions.campaigns_may_move),
    Planner("campaigns.starts", "plan_starts", occasions.campaigns_begin_with_another),
    Planner("campaigns.registry", "plan_activation", occasions.always),
    Planner("campaigns.archive", "plan_archives", occasions.campaigns_may_move),
    Planner("configs.heroes", "plan_heroes", occasions.always),
    Planner("configs.idle", "plan_idle_settings", occasions.always),
    Planner("runs.orders", "plan_urgent_orders", occasions.a_run_is_open),
    Planner("queue.datasets", "plan_datasets", occasions.there_are_datasets),
    Planner("queue.inbox", "plan_inbox", occasions.the_inbox_holds_something),
    Planner("queue.quests", "plan_queue", occasions.the_queue_holds_something),
    Planner("queue.lineage", "plan_lineage", occasions.a_sidecar_is_no_evidence),
    Planner("runs.orders", "plan_orders", occasions.a_run_is_open),
    Planner("configs.effective", "plan_effective", occasions.a_run_is_open),
    Planner("configs.unexamined", "plan_unexamined", occasions.skills_are_examined),
    Planner("queue.held_out", "plan_held_out", occasions.always),
    Planner("runs.schedule_over", "plan_schedule", occasions.the_rate_falls),
    Planner("runs.launches", "plan_launch", occasions.always),
    Planner("keeping.milestones", "plan_milestones", occasions.checkpoints_are_marked),
    Planner("keeping.marks", "plan_marks", occasions.checkpoints_are_marked),
    Planner("campaigns.records", "plan_records", occasions.always),
    Planner("campaigns.status_files", "plan_status_files", occasions.files_may_differ),
    Planner("copies.exports", "plan_exports", occasions.somebody_asks),
    Planner("trash.drops", "plan_drops", occasions.drops_may_follow),
    Planner("campaigns.cleanup", "plan_cleanups", occasions.campaigns_may_go),
    Planner("campaigns.deletions", "plan_deletions", occasions.campaigns_may_go),
    Planner("copies.moving_out", "plan_moves_out", occasions.the_archive_is_elsewhere),
    Planner("trash.purges", "plan_purges", occasions.something_was_dropped),
    Planner("trash.contents", "plan_tombstones", occasions.something_was_dropped),
    Planner("trash.unrecorded", "plan_lost_stones", occasions.the_trash_holds_folders),
    Planner("in_the_way", "plan_obstacles", occasions.something_stands_in_the_way),
    Planner("orphans", "plan_orphans", occasions.something_is_unexplained),
    Planner("review.guard", "plan_guard", occasions.somebody_asks),
    Planner("older_store", "plan_older_store", occasions.the_store_is_an_older_copy),
    Planner("unseen_places", "plan_unseen_places", occasions.a_place_was_not_seen),
    Planner("source", "plan_source_trouble", occasions.the_source_is_in_trouble),
    Planner("queue.folders", "plan_queue_folders", occasions.always),
    Planner("copies.second_copies", "plan_second_copies", occasions.copies_are_wanted),
    Planner("copies.standing_copies", "plan_standing_copies", occasions.something_was_moved_out),
    Planner("copies.read_first", "plan_copies_first", occasions.copies_are_wanted),
    Planner("checkpoints.scrubs", "plan_scrub", occasions.checkpoints_are_read_again),
    Planner("campaigns.renames", "plan_after_renames", occasions.campaigns_are_renamed),
    Planner("costs.ballast", "plan_ballast", occasions.a_ballast_is_kept),
)


def _finish_first(world: World, draft: Draft) -> bool:
    """Finish what a kill left in two places, if there is such a thing; all else is planned after that."""
    if not occasions.a_full_form_waits(world):
        return False
    from reconciler.plan.trash.demotions import plan_unfinished_demotions  # seldom needed

    is_found = plan_unfinished_demotions(world, draft)
    if is_found and occasions.the_store_is_an_older_copy(world):
        from reconciler.plan.older_store import name_older_store

        name_older_store(world, draft)
    return is_found


_STOPS = (
    block_misplaced_root,
    block_vanished_root,
    block_other_realm,
    block_copied_root,
    block_newer_rows,
    block_reserved_heroes,
    _finish_first,
)
"""What comes before the planners: where one of these has something to say, they are not asked."""


def make_plan(
    desired: Desired, facts: Facts, *, specs_commit: str, now: str, right: frozenset[str] = frozenset()
) -> Plan:
    """Return everything that would bring the world to what the specs say, in the order of doing it.

    `right`: campaigns whose campaign.json and training_status.json are known to say what they should; without
    it the plan is the same, and takes longer.
    """
    world = World(desired=desired, facts=facts, specs_commit=specs_commit, now=now, right=right)
    draft = Draft()
    world = _with_judgements(without_misnamed(world, draft))
    warn_of_kept_names(world, draft)
    name_other_place(world, draft)
    if not any(block(world, draft) for block in _STOPS):
        for planner in PLANNERS:
            if draft.changes or planner.occasion(world):
                planner.plan(world, draft)
                hold_back(world, draft)
    if facts.store.last_failures:
        from reconciler.plan.retries.setbacks import plan_setbacks  # seldom needed

        plan_setbacks(world, draft)
    return Plan(
        realm=desired.realm.spec.id,
        root=facts.disk.root,
        specs_commit=specs_commit,
        changes=tuple(draft.changes),
        blocked=tuple(sorted(set(draft.blocked), key=_in_order)),
        warnings=tuple(draft.warnings),
        unchanged=draft.unchanged,
        awaiting=draft.awaiting,
        afterwards=tuple(draft.afterwards),
        kept=tuple(draft.kept),
        unasked=tuple(draft.unasked),
    )


def _with_judgements(world: World) -> World:
    """Return the world with what rows are judged by, where a skill is to make some."""
    if not any(quest.skill is not None for quest in world.desired.quests):
        return world
    from reconciler.plan.configs.judging import with_judgements  # knows how configs are resolved

    return with_judgements(world)


def _in_order(item: Blocked) -> tuple[bool, str, str, str]:
    """Return the place of what is in the way: what is about the whole realm comes first."""
    return item.subject != "realm", item.subject, item.code, item.message
