"""Heroes and skills: what would keep a hero from being trained, and what a spec says that has no effect."""

from collections.abc import Iterator

from reconciler.plan.configs.hero_checks import hero_problems, hero_warnings
from reconciler.plan.draft import Draft
from reconciler.plan.world import World

_AT_REST = ("archived", "deleted")


def _orphan_warnings(world: World) -> Iterator[str]:
    """Yield the heroes of campaigns whose spec is gone; renaming one is how that happens unawares."""
    rows = (row for row in world.facts.store.campaigns if row.status not in _AT_REST)
    known = [row.name.partition("/")[0] for row in rows]
    new = sorted(set(world.desired.heroes) - set(known))
    for hero in sorted(set(known) - set(world.desired.heroes)):
        num_campaigns = known.count(hero)
        kept = "campaign keeps" if num_campaigns == 1 else "campaigns keep"
        text = f"hero/{hero} has no spec any more; its {num_campaigns} {kept} all that was learnt"
        if new:
            text += (
                f"; if {' or '.join(new)} is its new name: say was: {hero}/<id> in the spec of each campaign"
            )
        yield f"{text}; else bring specs/heroes/{hero}.yaml and specs/campaigns/{hero}/ back to go on with it"


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
    draft.warnings.extend(_orphan_warnings(world))
