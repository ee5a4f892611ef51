"""The realm's root: where it must not lie, and what must not lie in it. Nothing is planned for such a one."""

from reconciler.observed.records import DiskFacts
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.ids import RESERVED_HEROES, recorded_folder

ELSEWHERE = "choose a place outside: --root, REALM_ROOT or realm.yaml: root"


def misplaced_root(disk: DiskFacts) -> str | None:
    """Say why the root must not lie where it does; None when it may."""
    if disk.work_tree is not None:
        return f"the root {disk.root} lies inside the git work tree {disk.work_tree}"
    if disk.is_network:
        return (
            f"the root {disk.root} lies on a network file system ({disk.file_system}), "
            "where locks and renames promise less"
        )
    return None


def block_misplaced_root(world: World, draft: Draft) -> bool:
    """Name a root that must not be used, if it must not."""
    message = misplaced_root(world.facts.disk)
    if message is not None:
        where = world.where("realm", "root")
        draft.block("root", code="root-misplaced", message=message, cause=where, hint=ELSEWHERE)
    return message is not None


def block_reserved_heroes(world: World, draft: Draft) -> bool:
    """Name the campaigns that an older version let lie where the realm keeps something else."""
    rows = [row for row in world.facts.store.campaigns if row.name.partition("/")[0] in RESERVED_HEROES]
    for row in rows:
        hero = row.name.partition("/")[0]
        why = f'no hero can be called "{hero}": {RESERVED_HEROES[hero]}'
        draft.block(
            f"campaign/{row.name}",
            code="reserved-hero",
            message=f"nothing is done under this root: {why}",
            cause=recorded_folder(row.name, archived=row.status == "archived"),
            hint="keep its files, rename the hero in the specs, and begin another root: --root DIR",
        )
    return bool(rows)
