"""Places that may hold copies and that nobody could look into when the store was made again.

What lies there alone is in no row, so nobody knows what is the only one of its kind, or the best. Nothing is
deleted until each place was seen, or the specs name it no more.
"""

from reconciler.plan.draft import Draft
from reconciler.plan.older_store import take_out_deletions, words_on_held
from reconciler.plan.world import World

AGAIN = (
    "mount what is away; or, if it is gone for good, take it out of the specs and list what only lay there "
    "under acknowledged_losses; then end apply, and: reconcile doctor --rebuild, which looks there again"
)


def plan_unseen_places(world: World, draft: Draft) -> None:
    """Name the places, and take out of the plan whatever would delete."""
    if not (places := world.facts.store.unseen_places):
        return
    num_held = take_out_deletions(draft)
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    draft.block(
        "store",
        code="places-unseen",
        message="the store was made again while copies may have lain where nobody could look: "
        f"{places[0]}{more}; so nothing is deleted{words_on_held(num_held)}",
        cause=f"{world.facts.disk.root}/realm.db",
        hint=AGAIN,
    )
