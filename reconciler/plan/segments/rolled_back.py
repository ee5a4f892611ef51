"""What follows a rollback, told by the plan that makes it: what goes aside, what is trained again. Pure."""

from collections.abc import Iterator

from reconciler.observed.records import FoundCheckpoint
from reconciler.plan.review.losses import seconds_beyond
from reconciler.plan.segments.rollbacks import usable
from reconciler.plan.world import World
from state.amounts import count, duration
from state.store.rows import CampaignRow

_MOST = 3


def told_after_rollback(world: World, row: CampaignRow, parent: FoundCheckpoint | None) -> str:
    """Return in words what a rollback to a checkpoint (None: to the first weights) brings with it."""
    step = parent.step if parent is not None else 0
    later = [one for one in usable(world, row) if one.step > step]
    lighter = _its_optimizer(world, parent)
    if not later:
        return lighter
    which = f"@{later[0].step}" if len(later) == 1 else f"@{later[0].step} to @{later[-1].step}"
    aside = f"{count(len(later), 'checkpoint')} ({which}) {'goes' if len(later) == 1 else 'go'} aside"
    when = "the launch after it" if world.active == row.name else "its next launch"
    again = f"{when} makes {count(later[-1].step - step, 'update')} again from step {step}"
    return f"; {aside}, and {again}{_what(parent, later[-1])}{_how_long(world, row, step)}{lighter}"


def _its_optimizer(world: World, parent: FoundCheckpoint | None) -> str:
    """Say where the optimizer's state is of one that keeps its weights only, if it can be had back."""
    digest = parent.manifest.digest if parent is not None else None
    stones = (one for one in world.facts.in_trash if one.keeps == digest and one.state == "trashed")
    stone = next(stones, None) if digest is not None else None
    if stone is None:
        return ""
    return (
        "; its optimizer state lies in the trash, and it begins without: reconcile undelete "
        f"{stone.thing} before that takes it back"
    )


def _what(parent: FoundCheckpoint | None, newest: FoundCheckpoint) -> str:
    """Name the quests that were learnt in between."""
    quests = sorted(set(_learnt_between(parent, newest)))
    more = f" and {len(quests) - _MOST} more" if len(quests) > _MOST else ""
    many = "" if len(quests) == 1 else "s"
    return f", of quest{many} {', '.join(quests[:_MOST])}{more}" if quests else ""


def _learnt_between(parent: FoundCheckpoint | None, newest: FoundCheckpoint) -> Iterator[str]:
    before = {(one.quest_id, one.digest): one for one in parent.manifest.cursor} if parent is not None else {}
    for one in newest.manifest.cursor:
        if before.get((one.quest_id, one.digest)) != one:
            yield one.quest_id.partition("+")[0]


def _how_long(world: World, row: CampaignRow, step: int) -> str:
    runs = (run for run in world.facts.runs_of(row.uid) if run.segment == row.segment)
    seconds = sum(seconds_beyond(run, step, world.now) for run in runs)
    return f" ({duration(seconds)} the first time)" if seconds else ""
