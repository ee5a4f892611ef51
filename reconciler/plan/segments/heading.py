"""What a campaign's run is to train: the living history, or a release that branches off from it. Pure."""

import msgspec

from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.draft import Draft
from reconciler.plan.queue import jobs
from reconciler.plan.queue.jobs import PendingJob
from reconciler.plan.segments.releases import open_branch, stand_of
from reconciler.plan.world import LiveRun, World
from state.amounts import count
from state.contract.goals import Goals
from state.store.rows import SegmentRow


class Heading(msgspec.Struct, frozen=True):
    """Where a run goes on from, what it trains, and how far."""

    branch: SegmentRow | None
    """None: the living history."""
    stand: FoundCheckpoint | None
    work: tuple[PendingJob, ...]
    done: frozenset[str]
    """Jobs that are learnt there; a trainer passes over them in its orders."""
    goals: Goals

    @property
    def number(self) -> int | None:
        """Return the segment of a release; None of the living history."""
        return self.branch.number if self.branch is not None else None

    @property
    def text(self) -> str:
        """Return what is trained, in a few words."""
        more = f" and {len(self.work) - 1} more" if len(self.work) > 1 else ""
        quests = f"quest {self.work[0].quest_id}{more}" if self.work else "no quest"
        if self.branch is None:
            return quests
        parent = f"{self.branch.parent_segment}:{self.branch.parent_step}"
        return f"release of {parent}, {count(self.branch.updates or 0, 'update')} of {quests}"


def heading_of(world: World, draft: Draft, campaign: str) -> Heading:
    """Return what the next run of a campaign is for: a release that has rows left comes first."""
    row = world.facts.campaign_row(campaign)
    branch = open_branch(world, row) if row is not None else None
    if branch is not None:
        found = of_branch(world, draft, campaign, branch)
        if found.work:
            return found
    return _of_trunk(world, draft, campaign)


def heading_of_run(world: World, draft: Draft, live: LiveRun) -> Heading:
    """Return what a living run is for."""
    segments = world.facts.segments_of(live.row.campaign_uid)
    found = (one for one in segments if one.number == live.row.segment and one.kind == "decay")
    branch = next(found, None)
    if branch is None:
        return _of_trunk(world, draft, live.campaign)
    return of_branch(world, draft, live.campaign, branch)


def _of_trunk(world: World, draft: Draft, campaign: str) -> Heading:
    return Heading(
        branch=None,
        stand=world.newest_checkpoint(campaign),
        work=jobs.pending(world, draft, campaign),
        done=frozenset(jobs.learnt_uids(world, draft, campaign)),
        goals=world.goals(campaign),
    )


def of_branch(world: World, draft: Draft, campaign: str, branch: SegmentRow) -> Heading:
    """Return what a branch trains: the rows that come next where it stands, whoever else has learnt them."""
    stand = stand_of(world, branch)
    done = learnt_at(world, campaign, stand)
    work = tuple(job for job in jobs.pending(world, draft, campaign, again=True) if job.uid not in done)
    return Heading(branch, stand, work, done, Goals(updates=branch.last_step))


def learnt_at(world: World, campaign: str, stand: FoundCheckpoint | None) -> frozenset[str]:
    """Return the jobs that a checkpoint has learnt to the end."""
    cursors = stand.manifest.cursor if stand is not None else ()
    known = {(one.quest_id, one.digest): one.epochs_done for one in cursors}
    of_it = world.facts.jobs_of(world.uid(campaign))
    return frozenset(job.uid for job in of_it if known.get((job.order_id, job.digest), 0) >= job.epochs)
