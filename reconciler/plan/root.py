"""The realm's root: where it must not lie, whose it must not be. Nothing is planned for such a one."""

from reconciler.observed.machine_records import DiskFacts
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import moment
from state.ids import RESERVED_HEROES, recorded_folder

ELSEWHERE = "choose a place outside: --root, REALM_ROOT or realm.yaml: root"

REMOUNT = "mount it for writing (if it became read-only by itself, the kernel's log says why: dmesg)"
"""What to do about a file system that is mounted read-only."""

VANISHED = "root-vanished"

REFUSED = ("root-of-another-realm", "root-is-a-copy", VANISHED)
"""The codes of a root that apply refuses for what it is, or is not any more."""


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


def unwritable_root(disk: DiskFacts) -> tuple[str, str] | None:
    """Say that the root cannot be written, and what to do; None when it can."""
    if disk.writable:
        return None
    if disk.is_read_only:
        return f"{disk.root} lies on a file system that is mounted read-only", REMOUNT
    return f"{disk.root} cannot be written", "give this user write permission there"


def block_misplaced_root(world: World, draft: Draft) -> bool:
    """Name a root that must not be used, if it must not."""
    message = misplaced_root(world.facts.disk)
    if message is not None:
        where = world.where("realm", "root")
        draft.block("root", code="root-misplaced", message=message, cause=where, hint=ELSEWHERE)
    return message is not None


def vanished_root(root: str, since: str) -> str:
    """Say that a root was in use, and nothing is there."""
    return f"the root {root} was in use here since {moment(since)}, and nothing is there"


VANISHED_HINT = (
    "mount its disk; or name where it was moved: --root DIR; "
    "or, where it is gone for good, begin anew: reconcile apply --new-root"
)


def block_vanished_root(world: World, draft: Draft) -> bool:
    """Name a root that was in use and is not there, if it is so: a new one would begin everything again."""
    root, use = world.facts.disk.root, world.facts.root_use
    if use is None or not use.is_gone:
        return False
    message, where = vanished_root(root, use.since), world.where("realm", "root")
    draft.block("root", code=VANISHED, message=message, cause=where, hint=VANISHED_HINT)
    return True


def name_other_place(world: World, draft: Draft) -> None:
    """Name the place that realm.yaml says by now, if the realm lies at another one: it stays there."""
    root, use = world.facts.disk.root, world.facts.root_use
    said = world.desired.realm.spec.root
    if use is None or use.is_gone or not use.is_home or said is None or _is_place(root, said):
        return
    draft.block(
        "root",
        code="root-elsewhere",
        message=f"the realm lies at {root} since {moment(use.since)}, not at {said}: it stays there",
        cause=world.where("realm", "root"),
        hint=f"to move it, end apply and training (reconcile stop) and then: mv {root} {said}; to leave it, "
        f"write root: {root}; to begin another realm there: reconcile apply --new-root",
    )


def _is_place(root: str, said: str) -> bool:
    """Is the root where realm.yaml says? Whose folder ~ is, is not known here."""
    plain = "/".join(part for part in said.split("/") if part)  # a slash more says nothing
    return root.endswith(plain.removeprefix("~")) if said.startswith("~") else root == f"/{plain}"


def other_realm(root: str, known: str | None, wanted: str) -> str | None:
    """Say that a root is of another realm than the specs'; None: it is of this one, or new."""
    if known in (None, wanted):
        return None
    return f"the root {root} belongs to realm {known}, not {wanted}"


def other_realm_hint(store: str, known: str) -> str:
    """Return the ways out of that; `store`: its file, `known`: the realm that it is of."""
    return (
        f"write id: {known} again; or give another --root; "
        "or begin another realm: reconcile apply --new-root; "
        f"or, if {store} is not the store that was made here, put that one back"
    )


def block_other_realm(world: World, draft: Draft) -> bool:
    """Name a root that was made for another realm, if it was."""
    root, spec = world.facts.disk.root, world.desired.realm.spec
    known = world.facts.store.realm_id
    message = other_realm(root, known, spec.id)
    if message is not None:
        hint = other_realm_hint(f"{root}/realm.db", known or "")
        draft.block(
            "root", code="root-of-another-realm", message=message, cause=world.where("realm", "id"), hint=hint
        )
    return message is not None


def copied_root(root: str, place: str) -> str:
    """Say that a root is a copy of one that lies there still."""
    return (
        f"the root {root} is a copy of {place}, which is there still: each would take the other's trainers, "
        "and its copies elsewhere, for its own"
    )


def copied_root_hint(root: str, place: str) -> str:
    """Return the ways out of that."""
    return f"go on in the first: --root {place}; or move that away before, if {root} is to go on in its stead"


def block_copied_root(world: World, draft: Draft) -> bool:
    """Name a root that is a copy of another one, if it shows."""
    root, place = world.facts.disk.root, world.facts.copied_from
    if place is not None:
        hint = copied_root_hint(root, place)
        draft.block("root", code="root-is-a-copy", message=copied_root(root, place), cause=root, hint=hint)
    return place is not None


def block_newer_rows(world: World, draft: Draft) -> bool:
    """Name a file of the store's rows that newer software wrote, if there is one: apply refuses it."""
    newer = world.facts.newer_rows
    if newer is not None:
        draft.block(
            "root",
            code="newer-rows",
            message=f"{newer}: apply does nothing here, since it would write that file anew",
            cause="control/rows",
            hint="upgrade this software; or move the file away: it is made again, without what it says more",
        )
    return newer is not None


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
