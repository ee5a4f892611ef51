"""A checkpoint of the active campaign that has no results of its skills, since asking took too long."""

from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.contract.examination import CutShort


def plan_unexamined(world: World, draft: Draft) -> None:
    """Warn where the newest run of the active campaign could not end its last examination in time."""
    source = world.desired.campaigns.get(world.active) if world.active is not None else None
    if source is None:
        return
    runs = world.seen(source.name).runs
    newest = max(runs, key=lambda run: (run.generation, run.attempt), default=None)
    cut = newest.status.cut_short if newest is not None and newest.status is not None else None
    if cut is not None and cut.skill in source.spec.skills_focus:
        draft.warnings.append(f"campaign/{source.name}: {_in_words(world, cut)}")


def _in_words(world: World, cut: CutShort) -> str:
    where = world.where(f"skill/{cut.skill}", "evaluation", "max_minutes")
    return (
        f"no skill was examined at step {cut.step:,}: the answers to {cut.skill} level {cut.level} were not "
        f"there after {cut.max_minutes:g} min ({where}); allow more, or ask for fewer problems "
        "(samples_per_level) or shorter answers (max_new_tokens)"
    )
