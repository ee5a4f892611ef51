"""`doctor`: checks only. Each says what it looked at, how it is, and how to mend it; nothing is changed."""

import sys
from collections.abc import Iterator, Sequence
from shlex import quote

from reconciler.app.checking.checkpoint_checks import check_checkpoints
from reconciler.app.checking.checks import Check, Diagnosis, fail, ok, warn
from reconciler.app.checking.store_checks import REBUILD, check_lock, check_row_files, check_store
from reconciler.app.looking.trash_items import trash
from reconciler.app.planning.comparing import compare
from reconciler.app.planning.in_force import layout_of, look_in_force
from reconciler.app.planning.look import View, world_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.place import Options
from reconciler.desired.git_process import SourceError, run
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.observed.disk import observe_disk
from reconciler.observed.gpus import observe_gpus
from reconciler.observed.machine_records import DiskFacts
from reconciler.plan.changes import Change
from reconciler.plan.orphans import orphan_lines
from reconciler.plan.root import REFUSED, unwritable_root
from reconciler.plan.sentences import failure_of
from reconciler.plan.trash.contents import num_in_trash
from state.amounts import count, counts, size
from state.layout import Layout
from state.store.connection import StoreDamaged
from state.store.schema import StoreTooNew

LEAST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 5_000_000_000
NEEDED = ("apsw", "blake3", "click", "git", "jsonschema", "msgspec", "pydantic", "rfc8785", "watchfiles")
_REBUILDS = "reconcile doctor --rebuild"
"""In the way out of what a rebuild mends."""
TRAINER = ("torch", "transformers", "safetensors")


def doctor(environment: Environment, options: Options) -> Diagnosis:
    """Return how everything is that training needs."""
    checks = [_python(), _packages(), _trainer(), _git(environment), _gpus()]
    view, specs = _specs(environment, options)
    checks.append(specs)
    layout = _layout(environment, options, view)
    if layout is not None:
        checks += _root_checks(layout, view)
    if view is not None:
        checks += _view_checks(view)
    return Diagnosis(checks=tuple(checks))


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < LEAST_PYTHON:
        return fail("python", f"Python {version}", "use Python 3.11 or newer")
    if sys.platform != "linux":
        return warn("python", f"Python {version} on {sys.platform}", "apply needs Linux; plan works here")
    return ok("python", f"Python {version}")


def _missing(names: tuple[str, ...]) -> list[str]:
    from importlib.util import find_spec

    return [name for name in names if find_spec(name) is None]


def _packages() -> Check:
    missing = _missing((*NEEDED, "ruamel.yaml"))
    if missing:
        return fail("packages", f"not installed: {', '.join(missing)}", "pip install realm-reconciler")
    return ok("packages", f"all {len(NEEDED) + 1} are installed")


def _trainer() -> Check:
    missing = _missing(TRAINER)
    if missing:
        return warn(
            "trainer",
            f"not installed: {', '.join(missing)}; plan works, training does not",
            "pip install 'realm-reconciler[train]'",
        )
    return ok("trainer", "torch, transformers and safetensors are installed")


def _git(environment: Environment) -> Check:
    try:
        said = run(environment.cwd, "version").stdout.decode("utf-8", "replace").strip()
    except SourceError as error:
        return fail("git", str(error), "install git")
    return ok("git", said)


def _gpus() -> Check:
    seen = observe_gpus()
    if not seen.gpus:
        return ok("gpu", f"none: {seen.note}; the CPU is the device")
    parts = [
        f"cuda:{gpu.index} {gpu.name}, "
        f"{size((gpu.memory_total_bytes or 0) - (gpu.memory_used_bytes or 0))} of "
        f"{size(gpu.memory_total_bytes or 0)} free"
        for gpu in seen.gpus
    ]
    return ok("gpu", "; ".join(parts))


def _specs(environment: Environment, options: Options) -> tuple[View | None, Check]:
    try:
        view = look_in_force(environment, options)
    except SpecMistakesError as error:
        return None, fail("specs", error.summary, "reconcile validate --ref HEAD shows each")
    except SourceError as error:
        return None, fail("specs", str(error), "reconcile init DIR makes a repository that works")
    except (StoreDamaged, StoreTooNew) as error:
        return None, warn("specs", f"cannot be compared with the realm: {error}", "mend the store first")
    if view.complaint:
        return view, fail(
            "specs", view.complaint, "mend and commit them; the ones before stay in force until then"
        )
    if view.uncommitted:
        names = ", ".join(view.uncommitted[:5])
        return view, warn("specs", f"{view.commit.name}; not committed: {names}", "commit it to apply it")
    return view, ok("specs", f"{view.commit.name}, no mistakes")


def _layout(environment: Environment, options: Options, view: View | None) -> Layout | None:
    if view is not None:
        return view.layout
    try:
        return layout_of(environment, options)
    except (SourceError, SpecMistakesError):
        return None


def _root_checks(layout: Layout, view: View | None) -> Iterator[Check]:
    disk, refused = observe_disk(layout.root), tuple(_refused_root(view))
    yield from refused or (_root(layout, disk),)
    yield _disk_space(disk)
    if disk.exists:
        store = check_store(layout)
        yield store
        if store.state != "fail" and store.fix != REBUILD:
            yield from check_row_files(layout)
        yield check_lock(layout)


def _root(layout: Layout, disk: DiskFacts) -> Check:
    where = str(layout.root)
    if disk.work_tree is not None:
        return fail("root", f"{where} lies in the git work tree {disk.work_tree}", "give a --root outside")
    if disk.is_network:
        return fail("root", f"{where} lies on a network file system ({disk.file_system})", "use a local disk")
    if disk.problems:
        return fail("root", "; ".join(disk.problems), "make it readable for this user")
    if (refused := unwritable_root(disk)) is not None:
        return fail("root", *refused)
    if not disk.exists:
        return ok("root", f"{where} is not there yet; apply creates it")
    return ok("root", f"{where} on {disk.file_system or 'an unknown file system'}")


def _refused_root(view: View | None) -> Iterator[Check]:
    """Name a root that is gone, of another realm, or a copy of another one: apply refuses it."""
    for item in view.plan.blocked if view is not None else ():
        if item.code in REFUSED:
            yield fail("root", item.message, item.hint)


def _disk_space(disk: DiskFacts) -> Check:
    if disk.free_bytes is None:
        return warn("disk", "the free space cannot be told", "look at the disk")
    text = f"{size(disk.free_bytes)} free"
    if disk.free_bytes < LEAST_FREE_BYTES:
        return warn("disk", text, f"make room: below {size(LEAST_FREE_BYTES)} a save may fail")
    return ok("disk", text)


def _view_checks(view: View) -> Iterator[Check]:
    yield from _branch(view)
    yield _queue(view)
    yield _blocked(view)
    yield _trash(view)
    yield _orphans(view)
    yield from check_checkpoints(view)


def _trash(view: View) -> Check:
    """Say how full the trash is, and what lies there that nobody dropped."""
    facts, items = view.facts, trash(view)
    if facts.trash.problem is not None:
        return fail("trash", facts.trash.problem, "make it a folder that this user can read")
    num_campaigns, num_checkpoints, num_optimizers = num_in_trash(facts)
    numbers = {"campaign": num_campaigns, "checkpoint": num_checkpoints, "optimizer state": num_optimizers}
    things = counts(**numbers) or "nothing of ours"
    text = f"{things}, {size(facts.trash_bytes)}"
    if vanished := [item for item in items if item.state == "vanished"]:
        told = f"{text}; {vanished[0].id} is not there any more: {vanished[0].reason}"
        return warn("trash", told, "nothing to mend: it cannot be taken back; its ledger row stays")
    if strange := [item for item in items if item.state == "foreign"]:
        told = f"{text}; {count(len(strange), 'thing')} not ours, such as {strange[0].path}"
        return warn("trash", told, "look at it and move it away: it is never deleted")
    return ok("trash", text if facts.in_trash else "empty")


def _orphans(view: View) -> Check:
    """Name what no spec explains: campaigns without one, folders beside them, processes on a GPU."""
    found = list(orphan_lines(world_of(view)))
    found += [text for text in view.plan.warnings if " has no spec any more; " in text]
    if not found:
        return ok("orphans", "nothing that no spec explains")
    more = f"; and {len(found) - 1:,} more (reconcile plan names each)" if len(found) > 1 else ""
    return warn("orphans", f"{found[0]}{more}", "give it its spec back, or move it away; it is left as it is")


def _branch(view: View) -> Iterator[Check]:
    """Say how it is with the branch that apply follows, once it follows one."""
    followed = compare(view)
    if followed is None:
        return
    if followed.commit is not None:
        yield ok("branch", f"apply follows {followed.branch}@{followed.commit[:7]}")
        return
    applied = view.facts.store.applied_commit or "COMMIT"
    yield fail(
        "branch",
        f"apply follows {followed.branch}, which is not there any more in {followed.repository}",
        f"bring it back: git branch {quote(followed.branch)} {applied[:12]}; "
        f'or follow another: write its name as "branch" into {view.layout.source}',
    )


def _queue(view: View) -> Check:
    bad = [name for name, seen in sorted(view.facts.quest_files.items()) if seen.findings]
    if bad:
        found = view.facts.quest_files[bad[0]]
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        return fail("queue", f"quest {bad[0]}: {found.findings[0]}{more}", "mend the file, or the quest")
    total = len(view.desired.quests)
    return ok("queue", f"{count(total, 'quest')}, {len(view.facts.quest_files)} of them files")


def _blocked(view: View) -> Check:
    if view.plan.setbacks and not view.plan.in_the_way:
        return _failing(view.plan.setbacks)
    real = view.plan.in_the_way or view.plan.tried_again
    if not real and view.window is not None:
        return ok("plan", f"{count(len(view.plan.changes), 'change')}; {view.window.text}")
    if not real:
        changes, num_waiting = count(len(view.plan.changes), "change"), len(view.plan.waits)
        if num_waiting:
            whose = "its" if num_waiting == 1 else "their"
            return ok("plan", f"{changes}; {num_waiting} waiting for {whose} turn, nothing else in the way")
        return ok("plan", f"{changes}, nothing in the way")
    first = real[0]
    more = f" and {len(real) - 1} more" if len(real) > 1 else ""
    is_for_rebuild = any(_REBUILDS in item.hint for item in real)
    return warn(
        "plan", f"{first.subject}: {first.message}{more}", first.hint, REBUILD if is_for_rebuild else None
    )


def _failing(changes: Sequence[Change]) -> Check:
    """Say that apply tries again what failed when it was last tried."""
    first = changes[0]
    more = f" and {len(changes) - 1} more that failed" if len(changes) > 1 else ""
    hint = first.setback.hint if first.setback is not None else ""
    return warn("plan", f"{first.subject}: {failure_of(first)}{more}", hint)
