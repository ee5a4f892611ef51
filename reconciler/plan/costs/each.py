"""What each change of a plan costs: its share of what the plan costs in all. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.plan import actions as a
from reconciler.plan.changes import Change
from reconciler.plan.costs.disk import Cost, cost_of
from reconciler.plan.costs.memory import RunMemory
from reconciler.plan.costs.records import ChangeCost
from reconciler.plan.costs.training import TrainingCost, Work, training_of_each
from reconciler.plan.world import World


def costs_of_each(
    world: World, changes: Sequence[Change], works: Sequence[Work], memory: Iterable[RunMemory] = ()
) -> dict[str, ChangeCost]:
    """Return what changes cost, by their id; those that cost nothing that counts are left out.

    `works`: what there is to train then; `memory`: what the runs need that are started.
    """
    training = training_of_each(world, changes, works)
    trained = {work.job_uid: cost for work, cost in zip(works, training, strict=bool(training))}
    return dict(_each(world, changes, trained, {one.campaign: one for one in memory}))


def _each(
    world: World,
    changes: Iterable[Change],
    trained: Mapping[str, TrainingCost],
    needs: Mapping[str, RunMemory],
) -> Iterator[tuple[str, ChangeCost]]:
    for change in changes:
        action = change.action
        training = trained.get(action.job_uid) if isinstance(action, a.EnqueueJob | a.UpdateJob) else None
        need = needs.get(action.campaign) if isinstance(action, a.LaunchRun) else None
        cost = ChangeCost(training=training, disk=_disk(world, change, training), memory=need)
        if cost != ChangeCost():
            yield change.id, cost


def _disk(world: World, change: Change, training: TrainingCost | None) -> Cost | None:
    """Return what a change writes and frees; what a run saves is a cost of the contents that it trains."""
    if isinstance(change.action, a.LaunchRun):
        return None
    found = cost_of(world.facts, (change,), training.saves_bytes if training is not None else None)
    counts = found.adds_bytes or found.unknown or found.frees_now_bytes or found.frees_later_bytes
    return found if counts else None
