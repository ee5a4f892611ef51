"""`doctor`: checks only. Each says what it looked at, how it is, and how to mend it; nothing is changed."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from reconciler.app.checking.store_copies import late_copies
from reconciler.app.looking.trash_items import trash
from reconciler.app.planning.comparing import compare
from reconciler.app.planning.in_force import layout_of, look_in_force
from reconciler.app.planning.look import View, world_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.lock_holder import holder_of
from reconciler.app.surroundings.place import Options
from reconciler.app.surroundings.realm_store import (
    check_store_is_there,
    newest_copy,
    why_older_or_anothers,
)
from reconciler.desired.git_process import SourceError, run
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.observed.disk import observe_disk
from reconciler.observed.gpus import observe_gpus
from reconciler.observed.records import DiskFacts
from reconciler.plan.changes import Change
from reconciler.plan.orphans import orphan_lines
from reconciler.plan.root import REFUSED, unwritable_root
from reconciler.plan.sentences import failure_of
from reconciler.plan.trash.contents import num_in_trash
from state.amounts import counts, size
from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import StoreDamaged, open_reader
from state.store.older_copy import last_written
from state.store.row_files import refuse_newer_rows
from state.store.rows import CampaignRow, StoreView
from state.store.schema import StoreTooNew
from state.store.view import read_view

LEAST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 5_000_000_000
NEEDED = ("apsw", "blake3", "click", "git", "jsonschema", "msgspec", "pydantic", "rfc8785", "watchfiles")
TRAINER = ("torch", "transformers", "safetensors")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warn", "fail"]
    sentence: str
    mend: str | None = None
    """What to do about it."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    checks: tuple[Check, ...]

    @property
    def is_well(self) -> bool:
        """Did nothing fail?"""
        return all(check.state != "fail" for check in self.checks)


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


def _ok(name: str, sentence: str) -> Check:
    return Check(name=name, state="ok", sentence=sentence)


def _warn(name: str, sentence: str, mend: str) -> Check:
    return Check(name=name, state="warn", sentence=sentence, mend=mend)


def _fail(name: str, sentence: str, mend: str) -> Check:
    return Check(name=name, state="fail", sentence=sentence, mend=mend)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < LEAST_PYTHON:
        return _fail("python", f"Python {version}", "use Python 3.11 or newer")
    if sys.platform != "linux":
        return _warn("python", f"Python {version} on {sys.platform}", "apply needs Linux; plan works here")
    return _ok("python", f"Python {version}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _missing(names: tuple[str, ...]) -> list[str]:
    from importlib.util import find_spec

    return [name for name in names if find_spec(name) is None]


def _packages() -> Check:
    missing = _missing((*NEEDED, "ruamel.yaml"))
    if missing:
        return _fail("packages", f"not installed: {', '.join(missing)}", "pip install realm-reconciler")
    return _ok("packages", f"all {len(NEEDED) + 1} are installed")


def _trainer() -> Check:
    missing = _missing(TRAINER)
    if missing:
        return _warn(
            "trainer",
            f"not installed: {', '.join(missing)}; plan works, training does not",
            "pip install 'realm-reconciler[train]'",
        )
    return _ok("trainer", "torch, transformers and safetensors are installed")


def _git(environment: Environment) -> Check:
    try:
        said = run(environment.cwd, "version").stdout.decode("utf-8", "replace").strip()
    except SourceError as error:
        return _fail("git", str(error), "install git")
    return _ok("git", said)


def _gpus() -> Check:
    seen = observe_gpus()
    if not seen.gpus:
        return _ok("gpu", f"none: {seen.note}; the CPU is the device")
    parts = [
        f"cuda:{gpu.index} {gpu.name}, "
        f"{size((gpu.memory_total_bytes or 0) - (gpu.memory_used_bytes or 0))} of "
        f"{size(gpu.memory_total_bytes or 0)} free"
        for gpu in seen.gpus
    ]
    return _ok("gpu", "; ".join(parts))


def _specs(environment: Environment, options: Options) -> tuple[View | None, Check]:
    try:
        view = look_in_force(environment, options)
    except SpecMistakesError as error:
        return None, _fail("specs", error.summary, "reconcile validate --ref HEAD shows each")
    except SourceError as error:
        return None, _fail("specs", str(error), "reconcile init DIR makes a repository that works")
    except (StoreDamaged, StoreTooNew) as error:
        return None, _warn("specs", f"cannot be compared with the realm: {error}", "mend the store first")
    if view.complaint:
        return view, _fail(
            "specs", view.complaint, "mend and commit them; the ones before stay in force until then"
        )
    if view.uncommitted:
        names = ", ".join(view.uncommitted[:5])
        return view, _warn("specs", f"{view.commit.name}; not committed: {names}", "commit it to apply it")
    return view, _ok("specs", f"{view.commit.name}, no mistakes")


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
        yield _store(layout)
        yield _lock(layout)


def _root(layout: Layout, disk: DiskFacts) -> Check:
    where = str(layout.root)
    if disk.work_tree is not None:
        return _fail("root", f"{where} lies in the git work tree {disk.work_tree}", "give a --root outside")
    if disk.is_network:
        return _fail(
            "root", f"{where} lies on a network file system ({disk.file_system})", "use a local disk"
        )
    if disk.problems:
        return _fail("root", "; ".join(disk.problems), "make it readable for this user")
    if (refused := unwritable_root(disk)) is not None:
        return _fail("root", *refused)
    if not disk.exists:
        return _ok("root", f"{where} is not there yet; apply creates it")
    return _ok("root", f"{where} on {disk.file_system or 'an unknown file system'}")


def _refused_root(view: View | None) -> Iterator[Check]:
    """Name a root that is gone, of another realm, or a copy of another one: apply refuses it."""
    for item in view.plan.blocked if view is not None else ():
        if item.code in REFUSED:
            yield _fail("root", item.message, item.hint)


def _disk_space(disk: DiskFacts) -> Check:
    if disk.free_bytes is None:
        return _warn("disk", "the free space cannot be told", "look at the disk")
    text = f"{size(disk.free_bytes)} free"
    if disk.free_bytes < LEAST_FREE_BYTES:
        return _warn("disk", text, f"make room: below {size(LEAST_FREE_BYTES)} a save may fail")
    return _ok("disk", text)


def _store(layout: Layout) -> Check:
    import apsw

    try:
        refuse_newer_rows(layout.row_files)
        check_store_is_there(layout)
        epoch = read_epoch(layout.epoch)
        last = last_written(epoch, layout.written, layout.witness)  # before the store: it is written first
        with open_reader(layout.store) as connection:
            problems = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            store = read_view(connection)
            why = store.older_copy or why_older_or_anothers(layout, connection, last)
            late = late_copies(layout, connection) if problems == ["ok"] else None
    except FileNotFoundError:
        return _ok("store", "none yet; the first apply makes it")
    except StoreTooNew as error:
        return _fail("store", str(error), "go on with the version that wrote it, or with a newer one")
    except (StoreDamaged, apsw.Error) as error:
        return _fail("store", str(error), _how_to_restore(layout))
    if problems != ["ok"]:
        return _fail("store", f"damaged: {'; '.join(problems)}", _how_to_restore(layout))
    return _whole_store(layout, store, why, late)


def _whole_store(layout: Layout, store: StoreView, why_older: str | None, late: str | None) -> Check:
    if why_older is not None:
        return _warn(
            "store",
            f"an older copy that was put back ({why_older}): it does not know what happened since",
            "reconcile doctor --rebuild makes it again from the files beside it, which know more",
        )
    states = ", ".join(sorted({job.status for job in store.jobs}))
    jobs = _count(len(store.jobs), "job") + (f" ({states})" if states else "")
    text = f"whole; epoch {store.epoch}, {_count(len(store.runs), 'run')}, {jobs}"
    if late is not None:
        mend = f"apply makes one a day, and says why not: look at the room and the rights of {layout.backups}"
        return _warn("store", f"{text}; {late}", mend)
    return _ok("store", text)


def _how_to_restore(layout: Layout) -> str:
    return f"reconcile doctor --rebuild makes it again from the files beside it{newest_copy(layout)}"


def _lock(layout: Layout) -> Check:
    holder = holder_of(layout.lock)
    if holder is None:
        return _ok("lock", "free: no reconciler is running")
    return _ok("lock", f"held by pid {holder.pid} on {holder.host} since {holder.since}: {holder.command}")


def _view_checks(view: View) -> Iterator[Check]:
    yield from _branch(view)
    yield _queue(view)
    yield _blocked(view)
    yield _trash(view)
    yield _orphans(view)
    yield from _checkpoints(view)


def _trash(view: View) -> Check:
    """Say how full the trash is, and what lies there that nobody dropped."""
    facts, items = view.facts, trash(view)
    if facts.trash.problem is not None:
        return _fail("trash", facts.trash.problem, "make it a folder that this user can read")
    num_campaigns, num_checkpoints, num_optimizers = num_in_trash(facts)
    numbers = {"campaign": num_campaigns, "checkpoint": num_checkpoints, "optimizer state": num_optimizers}
    things = counts(**numbers) or "nothing of ours"
    text = f"{things}, {size(facts.trash_bytes)}"
    if vanished := [item for item in items if item.state == "vanished"]:
        told = f"{text}; {vanished[0].id} is not there any more: {vanished[0].reason}"
        return _warn("trash", told, "nothing to mend: it cannot be taken back; its ledger row stays")
    if strange := [item for item in items if item.state == "foreign"]:
        told = f"{text}; {_count(len(strange), 'thing')} not ours, such as {strange[0].path}"
        return _warn("trash", told, "look at it and move it away: it is never deleted")
    return _ok("trash", text if facts.in_trash else "empty")


def _orphans(view: View) -> Check:
    """Name what no spec explains: campaigns without one, folders beside them, processes on a GPU."""
    found = list(orphan_lines(world_of(view)))
    found += [text for text in view.plan.warnings if " has no spec any more; " in text]
    if not found:
        return _ok("orphans", "nothing that no spec explains")
    more = f"; and {len(found) - 1:,} more (reconcile plan names each)" if len(found) > 1 else ""
    return _warn(
        "orphans", f"{found[0]}{more}", "give it its spec back, or move it away; it is left as it is"
    )


def _branch(view: View) -> Iterator[Check]:
    """Say how it is with the branch that apply follows, once it follows one."""
    followed = compare(view)
    if followed is None:
        return
    if followed.commit is not None:
        yield _ok("branch", f"apply follows {followed.branch}@{followed.commit[:7]}")
        return
    applied = view.facts.store.applied_commit or "COMMIT"
    yield _fail(
        "branch",
        f"apply follows {followed.branch}, which is not there any more in {followed.repository}",
        f"bring it back: git branch {followed.branch} {applied[:12]}; or follow another: write its name as "
        f'"branch" into {view.layout.source}',
    )


def _queue(view: View) -> Check:
    bad = [name for name, seen in sorted(view.facts.quest_files.items()) if seen.findings]
    if bad:
        found = view.facts.quest_files[bad[0]]
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        return _fail("queue", f"quest {bad[0]}: {found.findings[0]}{more}", "mend the file, or the quest")
    total = len(view.desired.quests)
    return _ok("queue", f"{_count(total, 'quest')}, {len(view.facts.quest_files)} of them files")


def _blocked(view: View) -> Check:
    if view.plan.setbacks and not view.plan.in_the_way:
        return _failing(view.plan.setbacks)
    real = view.plan.in_the_way or view.plan.tried_again
    if not real and view.window is not None:
        return _ok("plan", f"{_count(len(view.plan.changes), 'change')}; {view.window.text}")
    if not real:
        changes, num_waiting = _count(len(view.plan.changes), "change"), len(view.plan.waits)
        if num_waiting:
            whose = "its" if num_waiting == 1 else "their"
            return _ok("plan", f"{changes}; {num_waiting} waiting for {whose} turn, nothing else in the way")
        return _ok("plan", f"{changes}, nothing in the way")
    first = real[0]
    more = f" and {len(real) - 1} more" if len(real) > 1 else ""
    return _warn("plan", f"{first.subject}: {first.message}{more}", first.hint)


def _failing(changes: Sequence[Change]) -> Check:
    """Say that apply tries again what failed when it was last tried."""
    first = changes[0]
    more = f" and {len(changes) - 1} more that failed" if len(changes) > 1 else ""
    hint = first.setback.hint if first.setback is not None else ""
    return _warn("plan", f"{first.subject}: {failure_of(first)}{more}", hint)


def _checkpoints(view: View) -> Iterator[Check]:
    """Verify the contents of the newest checkpoint of each campaign, file by file."""
    from reconciler.observed.checkpoints import verify_contents

    for row in view.facts.store.campaigns:
        yield from _damaged(view, row)
        complete = view.facts.campaigns[row.name].checkpoints.complete
        if not complete:
            continue
        newest = complete[-1]
        name = f"{row.name}@{newest.step}"
        problems = verify_contents(Path(newest.path), newest.manifest)
        if problems:
            mend = f"reconcile scrub {name} mends it from another copy where there is one; nothing is deleted"
            yield _fail("checkpoint", f"{name} is damaged: {problems[0]}", mend)
        else:
            yield _ok("checkpoint", f"{name}: all {len(newest.manifest.files)} files have the right digest")


def _damaged(view: View, row: CampaignRow) -> Iterator[Check]:
    """Name the checkpoints that were found damaged earlier and were not saved again since."""
    in_force = {ledger.which: ledger for ledger in view.facts.ledger_of(row.uid)}
    for which, ledger in in_force.items():
        if ledger.damage is not None:
            name = f"{row.name}@{which}"
            mend = f"reconcile explain {name} says what mends it; nothing of it is deleted"
            yield _fail("checkpoint", f"{name} is damaged: {ledger.damage}", mend)
