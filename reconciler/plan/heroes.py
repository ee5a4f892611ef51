"""Heroes and skills: what would keep a hero from being trained, and what a spec says that has no effect."""

from reconciler.plan.draft import Draft
from reconciler.plan.hero_checks import hero_problems, hero_warnings, skill_warnings
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
    for skill in world.desired.skills.values():
        draft.warnings.extend(skill_warnings(world, skill.spec))
