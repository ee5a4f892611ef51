"""`doctor --rebuild`: of store and files, the one that is whole makes the other again."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from reconciler.act.launcher import LocalLauncher
from reconciler.act.office import enter_office
from reconciler.act.tools import Tools
from reconciler.app.planning.in_force import layout_of
from reconciler.app.rebuilding.catching_up import catch_up
from reconciler.app.rebuilding.derived import write_derived
from reconciler.app.rebuilding.named_places import places_in_specs
from reconciler.app.rebuilding.rebuild import remake_store
from reconciler.app.rebuilding.store_state import state_of_store
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed
from reconciler.app.surroundings.place import Options
from reconciler.observed.disk import observe_disk
from reconciler.plan.root import misplaced_root
from state.inside import stay_inside
from state.layout import Layout
from state.lock import hold_lock, read_epoch

LOST = (
    "requests that were not answered and approvals are gone: ask again",
    "grace and waiting times count from the last moment that is known, so they may be longer, never shorter",
    "the journal of actions begins anew; what sagas and events hold stays",
)


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What was made again from what."""

    schema_version: int = 1
    root: str
    made: Literal["store", "files"]
    why: str
    num_rows: Mapping[str, int] = {}
    """Of a store that was made: rows by table."""
    from_folders: tuple[str, ...] = ()
    """Campaigns that only their folder told of."""
    set_aside: str | None = None
    """Where the old store lies now."""
    problems: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    """Places outside the root that could not be looked into, each with why; nothing is deleted meanwhile."""


def rebuild(environment: Environment, options: Options) -> Rebuilt:
    """Make the store from the files where it is not whole, else the files from the store.

    Raises:
        Blocked: nothing was ever applied to this root, or it lies where none may.
        Failed: the epoch's mirror is damaged.
        LockHeld: a reconciler is at work there.
        StoreDamaged, OSError: what was made does not read back; the disk is full or failing.
        StoreTooNew: a newer version wrote the store, or a file of its rows.
        SourceError, SpecMistakesError: nothing says where the root is.
    """
    layout = layout_of(environment, options)
    _check_root(layout)
    _check_epoch(layout)
    with hold_lock(layout.lock, command="reconcile doctor --rebuild", since=environment.now()):
        condition, why = state_of_store(layout)
        if condition == "none":
            raise Blocked(f"{layout.root} has no store and never had one: reconcile apply makes it")
        if condition == "whole":
            return _made_files(environment, options, layout)
        return _made_store(environment, options, layout, why, is_older=condition == "older")


def _check_root(layout: Layout) -> None:
    stay_inside(layout.root)
    if not layout.root.is_dir():
        raise Blocked(f"{layout.root} is not there: nothing was ever applied to it")
    if (problem := misplaced_root(observe_disk(layout.root))) is not None:
        raise Blocked(
            f"{problem}; nothing was made there: run this on the machine that has it on a disk of its own"
        )


def _check_epoch(layout: Layout) -> None:
    """Refuse where the epoch's mirror is damaged: nobody knows then which store was written last."""
    try:
        read_epoch(layout.epoch)
    except ValueError as error:
        raise Failed(str(error)) from error


def _made_store(
    environment: Environment, options: Options, layout: Layout, why: str, *, is_older: bool
) -> Rebuilt:
    named = places_in_specs(environment, options, layout)
    made = remake_store(layout, environment.now(), named, is_older=is_older)
    return Rebuilt(
        root=str(layout.root),
        made="store",
        why=why,
        num_rows=made.num_rows,
        from_folders=made.from_folders,
        set_aside=made.set_aside,
        problems=made.problems,
        lost=(*made.lost, *LOST),
        unseen=made.unseen,
    )


def _made_files(environment: Environment, options: Options, layout: Layout) -> Rebuilt:
    """Write what is derived from a whole store again; places that it could not see yet are asked first."""
    writer = enter_office(layout, environment.now())
    try:
        tools = Tools(
            layout=layout,
            writer=writer,
            launcher=LocalLauncher(),
            now=environment.now,
            boot=environment.boot,
        )
        found = catch_up(layout, writer, lambda: places_in_specs(environment, options, layout))
        problems = write_derived(tools)
    finally:
        writer.close()
    return Rebuilt(
        root=str(layout.root),
        made="files",
        why="the store is whole: what is derived from it was written again",
        problems=problems,
        lost=found.words,
        unseen=found.unseen,
    )
