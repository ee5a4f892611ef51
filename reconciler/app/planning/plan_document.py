"""The plan as a document of its own: what `plan` prints as text, and hands out as JSON.

Versioned and complete: a reader needs nothing else to know what would be done, why, and at which commit.
A reader ignores keys that it does not know and refuses a `schema_version` above its own.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from reconciler.app.data.planned_queue import PlannedQueue, planned_queue, works_of
from reconciler.app.planning.comparing import Followed, compare
from reconciler.app.planning.look import View, world_of
from reconciler.app.surroundings.lock_holder import holder_of
from reconciler.desired.windows import WindowClosed
from reconciler.plan.actions import AnyAction, BeginSegment, StopRun, TakeOverCheckpoint
from reconciler.plan.changes import Awaiting, Blocked, Change, Setback, Source
from reconciler.plan.costs.disk import Cost, cost_of
from reconciler.plan.costs.memory import RunMemory, memory_of
from reconciler.plan.costs.records import ChangeCost, Forecast
from reconciler.plan.costs.training import TrainingCost, Work, training_cost
from reconciler.plan.keeping.kept_at_goal import AtGoal, at_goal
from reconciler.plan.keeping.to_come import ToCome, to_come
from reconciler.plan.world import World
from state.lock import Holder


class PlannedChange(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that apply would do."""

    id: str
    """Hash of the action with all its inputs: the same change has the same id in every plan."""
    symbol: str
    """+ create, - remove, ~ change in place, -/+ replace, . forget, → move."""
    verb: str
    thing: str
    """What it is done to, in words."""
    what: str
    """What will happen, when the verb does not say it all."""
    subject: str
    """What it is about, for example campaign/tiny-adamw/campaign-001; explain takes it."""
    reason: str
    cause: str
    """The line of a spec, or the fact, that made it necessary."""
    source: Source
    """edit, drift, progress, rules (of retention, the trash), or request (a command, a file in the inbox)."""
    risk: str
    needs: tuple[str, ...]
    """Ids of changes of this plan that must have succeeded before."""
    needs_one_of: tuple[str, ...] = ()
    """Ids of changes of this plan of which one must have succeeded before; empty: none."""
    setback: Setback | None = None
    """How it failed when it was last tried; null: it was not, or has succeeded since."""
    action: AnyAction
    cost: ChangeCost | None = None
    """What it adds to the cost of the plan; null: nothing that counts."""
    otherwise: tuple[str, ...] = ()
    """Of BASE..HEAD: what the base does otherwise with the same thing, as in `epochs 2 instead of 1`."""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan would destroy and does not, until a person approves exactly this."""

    digest: str
    checkpoints: int
    """Gone whole."""
    size_bytes: int
    gpu_hours: float
    """Of training beyond the newest checkpoint that stays."""
    why: str
    changes: tuple[PlannedChange, ...]
    demoted: int = 0
    """Others, that would keep their weights only."""
    demoted_bytes: int = 0
    """Of their optimizer state; part of `size_bytes`."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What retention keeps of one campaign: now, and when its goal of updates is reached."""

    campaign: str
    cause: str
    num_kept: int
    kept_bytes: int
    num_dropped: int
    """By this plan, or once a person has approved it."""
    dropped_bytes: int
    at_goal: AtGoal | None = None
    """Computed for the active campaign and for those that this plan drops something of."""


class PlanBase(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan of BASE..HEAD was compared with."""

    ref: str
    commit: str
    commit_name: str
    num_planned_anyway: int
    """Changes that the base would make, too; they are no part of `changes`."""
    no_longer: tuple[PlannedChange, ...]
    """Changes that only the base would make, of things that the other does nothing with."""
    training: TrainingCost | None = None
    """Of all that the active campaign has to train without what is shown."""


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that apply would do at one commit, and what it was planned from."""

    schema_version: int = 1
    realm: str
    root: str
    root_exists: bool
    seen_at: str
    seen_on: str | None = None
    """The machine where facts in a file were seen, at `seen_at`; null: what is here was looked at."""
    ref: str
    """What was asked for: HEAD, a branch, a commit."""
    commit: str
    commit_name: str
    """For people: branch and short id."""
    branch: str | None
    is_worktree: bool
    """Planned from the files of the work tree, committed or not."""
    followed: Followed | None
    """What apply follows; null before the first apply, which begins to follow the branch checked out."""
    reconciler: Holder | None
    """The apply that runs now and will do it by itself; null when none runs."""
    window: WindowClosed | None = None
    """The commit waits for a change window; null: it does not."""
    uncommitted: tuple[str, ...]
    """Spec files that differ from the commit; they are not applied."""
    digest: str
    """Of what would be done."""
    changes: tuple[PlannedChange, ...]
    awaiting: Approval | None
    """What waits for `reconcile approve`; no part of `changes`."""
    afterwards: tuple[PlannedChange, ...] = ()
    """What a later tick drops of the campaigns that this plan archives, and launches once the active one went
    back or has what it begins with, as it will be planned; no part of `changes`, but counted in the cost."""
    blocked: tuple[Blocked, ...]
    """What the specs ask for and cannot be done."""
    waits: tuple[Blocked, ...]
    """What has its turn later, by itself; what failed and is tried again in time, too."""
    warnings: tuple[str, ...]
    counts: dict[str, int]
    """How many changes each verb has, in order of appearance."""
    unchanged: int
    num_left_out: int = 0
    """Changes that --only and --exclude leave out; they are no part of `changes`."""
    retention: tuple[Kept, ...] = ()
    """Of each campaign that has rules."""
    to_come: ToCome | None = None
    """What time alone still brings, beside the changes."""
    cost: Cost | None = None
    memory: tuple[RunMemory, ...] = ()
    """Of each run that would be started; it blocks nothing."""
    training: TrainingCost | None = None
    """Of all that the active campaign is to train then; null where nothing is queued or launched, and where
    BASE..HEAD changes no release either."""
    forecast: Forecast | None = None
    """Of `plan --until`."""
    queue: PlannedQueue | None = None
    """What the active campaign has to train then; null where nothing is queued or launched."""
    base: PlanBase | None = None
    """Of BASE..HEAD; null where all that apply would do is shown."""

    @property
    def is_what_apply_follows(self) -> bool:
        """Would apply, run now, do just this?"""
        if self.is_worktree:
            return False
        if self.followed is None:
            return self.ref == "HEAD" and self.branch is not None
        return self.followed.is_this_repository and self.followed.commit == self.commit


def document_of(
    view: View,
    ref: str = "HEAD",
    anyway: Sequence[Change] = (),
    otherwise: TrainingCost | None = None,
) -> PlanDocument:
    """Return the plan of a view, made for a ref, as a document; `anyway` is done besides and not shown.

    `otherwise` is the cost that is told of a plan which itself queues and launches nothing.
    """
    plan = view.plan
    then, launches = _in_the_end(view)
    to_do = (*plan.changes, *launches)
    queue = planned_queue(then, to_do, view.known_data, anyway=[change.action for change in anyway])
    works = works_of(queue)
    training = training_cost(then, (*to_do, *anyway), works) if queue is not None else otherwise
    memory = memory_of(view.facts, to_do)
    costs = _costs_of_each(then, (*to_do, *plan.afterwards, *anyway), works, memory)
    changes = tuple(planned(change, costs.get(change.id)) for change in plan.changes)
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.verb] = counts.get(change.verb, 0) + 1
    return PlanDocument(
        realm=plan.realm,
        root=plan.root,
        root_exists=view.facts.disk.exists,
        seen_at=view.seen_at,
        seen_on=view.snapshot.machine if view.snapshot is not None else None,
        ref=ref,
        commit=view.commit.id,
        commit_name=view.commit.name,
        branch=view.commit.branch,
        is_worktree=view.is_worktree,
        followed=compare(view),
        reconciler=None if view.is_snapshot else holder_of(view.layout.lock),
        window=view.window,
        uncommitted=view.uncommitted,
        digest=plan.digest,
        changes=changes,
        awaiting=_awaiting(plan.awaiting),
        afterwards=tuple(planned(one, costs.get(one.id)) for one in (*plan.afterwards, *launches)),
        blocked=plan.in_the_way,
        waits=plan.waits,
        warnings=view.warnings,
        counts=counts,
        unchanged=plan.unchanged,
        num_left_out=len(plan.left_out),
        retention=_kept(view),
        cost=cost_of(view.facts, (*to_do, *plan.afterwards), training.saves_bytes if training else None),
        to_come=to_come(world_of(view), plan),
        memory=memory,
        training=training,
        queue=queue,
    )


def training_of(view: View) -> TrainingCost | None:
    """Return the cost of all that the active campaign has to train then, also where the plan adds nothing."""
    then, launches = _in_the_end(view)
    to_do = (*view.plan.changes, *launches)
    queue = planned_queue(then, to_do, view.known_data, always=True)
    return training_cost(then, to_do, works_of(queue))


def _costs_of_each(
    world: World, changes: Sequence[Change], works: Sequence[Work], memory: Sequence[RunMemory]
) -> dict[str, ChangeCost]:
    if not changes:
        return {}
    from reconciler.plan.costs.each import costs_of_each  # nothing to do is what most plans say

    return costs_of_each(world, changes, works, memory)


def _in_the_end(view: View) -> tuple[World, tuple[Change, ...]]:
    """Return the world in which training goes on, and what is launched there.

    Another than this one where the active campaign goes back, or takes over what it begins with.
    """
    world = world_of(view)
    if any(isinstance(change.action, TakeOverCheckpoint) for change in view.plan.changes):
        from reconciler.plan.runs.after_start import after_start  # seldom needed

        if (found := after_start(world, view.plan.changes)) is not None:
            return found
    if any(isinstance(change.action, BeginSegment | StopRun) for change in view.plan.changes):
        from reconciler.plan.runs.after_rollback import after_rollback  # seldom needed

        if (found := after_rollback(world, view.plan.changes)) is not None:
            return found
    return world, ()


def with_forecast(document: PlanDocument, view: View, seconds: float) -> PlanDocument:
    """Return the document with what comes in so many seconds."""
    from reconciler.plan.ahead.forecast import forecast

    world = world_of(view)
    queue = planned_queue(world, view.plan.changes, view.known_data, always=True)
    quests = queue.quests if queue is not None else ()
    named = [(one.quest, work) for one, work in zip(quests, works_of(queue), strict=True)]
    return msgspec.structs.replace(document, forecast=forecast(world, view.plan.changes, named, seconds))


def _kept(view: View) -> tuple[Kept, ...]:
    """Return what is kept now; what would be at the goal only where something trains, or is dropped."""
    retention = view.desired.retention
    world = world_of(view)
    found = []
    for one in view.plan.kept if retention else ():
        is_told = one.num_dropped > 0 or one.campaign == world.active
        row = view.facts.campaign_row(one.campaign) if is_told else None
        later = at_goal(world, retention.spec, row) if retention and row else None
        found.append(
            Kept(
                campaign=one.campaign,
                cause=one.cause,
                num_kept=one.num_kept,
                kept_bytes=one.kept_bytes,
                num_dropped=one.num_dropped,
                dropped_bytes=one.dropped_bytes,
                at_goal=later,
            )
        )
    return tuple(found)


def _awaiting(found: Awaiting | None) -> Approval | None:
    if found is None:
        return None
    return Approval(
        digest=found.digest,
        checkpoints=found.checkpoints,
        size_bytes=found.size_bytes,
        gpu_hours=found.gpu_hours,
        why=found.why,
        changes=tuple(planned(change) for change in found.changes),
        demoted=found.demoted,
        demoted_bytes=found.demoted_bytes,
    )


def planned(change: Change, cost: ChangeCost | None = None) -> PlannedChange:
    """Return a change as the document has it, with its sentence and its cost."""
    from reconciler.plan.sentences import sentence_of

    sentence = sentence_of(change.action)
    return PlannedChange(
        id=change.id,
        symbol=sentence.symbol,
        verb=sentence.verb,
        thing=sentence.subject,
        what=sentence.what,
        subject=change.subject,
        reason=change.reason,
        cause=change.cause,
        source=change.source,
        risk=change.risk.value,
        needs=change.needs,
        needs_one_of=change.needs_one_of,
        setback=change.setback,
        action=change.action,
        cost=cost,
    )


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    schema = msgspec.json.schema(PlanDocument)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plan: what `reconcile plan --json` prints",
        **schema,
    }
