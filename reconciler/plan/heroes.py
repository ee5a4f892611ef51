"""Heroes: what would keep each from being trained, and what its spec says that its model contradicts."""

from reconciler.plan.draft import Draft
from reconciler.plan.hero_checks import hero_problems, hero_warnings
from reconciler.plan.world import World


def plan_heroes(world: World, draft: Draft) -> None:
    """Name the launch blockers of every hero, those without a campaign too."""
    for hero_id, source in world.desired.heroes.items():
        hero = source.spec
        draft.settle(f"hero/{hero_id}")
        draft.warnings.extend(hero_warnings(world, hero))
        for problem in hero_problems(world, hero):
            draft.block(
                f"hero/{hero_id}",
                code=problem.code,
                message=problem.message,
                cause=problem.cause,
                hint=problem.hint,
            )
