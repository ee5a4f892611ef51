"""What has the place of a campaign that was deleted: where, and what it is. Nothing deletes it. Pure."""

from reconciler.plan.world import World
from state.amounts import counts
from state.ids import recorded_folder


def taken_places(world: World, campaign: str) -> tuple[str, ...]:
    """Return the places of a campaign, at home and in the archive, where something lies."""
    state, folder = world.seen(campaign).home, world.folder_name(campaign)
    sides = {"home": (False,), "moved": (True,), "both": (False, True)}.get(state, ())
    return tuple(str(recorded_folder(folder, archived=side)) for side in sides)


def what_lies_there(world: World, campaign: str) -> str:
    """Return `campaigns/pip/campaign-001 is a folder with 2 checkpoints and 1 run`."""
    seen, places = world.seen(campaign), taken_places(world, campaign)
    where = " and ".join(places)
    if seen.checkpoints.problem is not None:
        return f"{where} is something else: {world.below_root(seen.checkpoints.problem)}"
    held = counts(checkpoint=len(seen.checkpoints.complete), run=len(seen.runs))
    also = [one.name for one in seen.checkpoints.foreign[:1]]
    told = " and ".join(filter(None, [held, *(f"{name}, which is no checkpoint" for name in also)]))
    is_what = "are folders" if len(places) > 1 else "is a folder"
    return f"{where} {is_what}{f' with {told}' if told else ''}"
