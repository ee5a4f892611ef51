"""The realm's root: where it must not lie. Apply refuses such a root, so nothing is planned for it."""

from reconciler.observed.records import DiskFacts
from reconciler.plan.draft import Draft
from reconciler.plan.world import World

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
