"""`plan --out FILE` and `apply FILE`: a plan that a person saw, done as it was seen or not at all.

A saved plan is hostile input: decoded into plain records, compared with a new plan, and never carried out
itself. It is held against the world twice: before anything is written, and again under the realm's lock.
"""

from pathlib import Path

import msgspec

from reconciler.app.planning.look import View, look, world_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed
from reconciler.app.surroundings.place import Options, about_the_root
from reconciler.desired.windows import WindowClosed
from reconciler.plan.changes import Awaiting, Plan
from reconciler.plan.review.narrowing import picked
from reconciler.plan.review.saved import (
    KIND,
    SCHEMA_VERSION,
    SavedPlan,
    Stale,
    conditions_of,
    saved_changes,
    stale_objects,
    still_planned,
    with_digest,
)
from state.amounts import count, counts, size
from state.layout import Layout
from state.store.connection import open_reader

MAX_BYTES = 256 * 1024 * 1024
_MOST_NAMED = 20
_AT_ONCE = 500


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What must be right before the rest is looked at."""

    schema_version: int
    kind: str | None = None
    ref: str | None = None
    """Set in what `plan --json` prints, which is another document."""


def save_plan(file: Path, view: View, environment: Environment, options: Options) -> SavedPlan:
    """Write the plan of a view and return it.

    Raises:
        Failed: the file cannot be written.
    """
    from state.atomic import write_json

    saved = with_digest(
        SavedPlan(
            realm=view.plan.realm,
            realm_uid=view.facts.store.realm_uid,
            root=view.plan.root,
            commit=view.commit.id,
            commit_name=view.commit.name,
            host=options.host,
            settings=options.settings,
            made_at=view.seen_at,
            made_by=f"{environment.user}@{environment.host}",
            changes=saved_changes(view.plan),
            preconditions=conditions_of(world_of(view), view.plan.changes),
            awaited=_awaited(view.plan.awaiting),
        )
    )
    try:
        write_json(file.absolute(), saved)
    except OSError as error:
        raise Failed(f"{file}: cannot be written: {error.strerror}") from error
    return saved


def _awaited(awaiting: Awaiting | None) -> str | None:
    if awaiting is None:
        return None
    what = counts(checkpoint=awaiting.checkpoints, **{"optimizer state": awaiting.demoted})
    return f"{what or 'what it would destroy'}, {size(awaiting.size_bytes)}"


def read_plan(file: Path) -> SavedPlan:
    """Return a saved plan that is whole and of this version.

    Raises:
        Failed: the file is missing, too large, no saved plan, of another version, or was changed since.
    """
    content = _content(file)
    again = "make it anew: reconcile plan --out FILE"
    try:
        _check_head(file, msgspec.json.decode(content, type=_Head), again)
        saved = msgspec.json.decode(content, type=SavedPlan)
        is_whole = with_digest(saved).digest == saved.digest
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise Failed(f"{file}: no saved plan that this version can read ({error}); {again}") from error
    if not is_whole:
        raise Failed(f"{file}: it was changed since it was written: its digest does not fit; {again}")
    return saved


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)  # a device says that it is empty, and never ends
    except OSError as error:
        raise Failed(f"{file}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise Failed(f"{file}: more than {MAX_BYTES >> 20} MiB; this is no saved plan")
    return content


def _check_head(file: Path, head: _Head, again: str) -> None:
    if head.kind != KIND:
        what = "what `plan --json` prints" if head.ref is not None else "no saved plan"
        raise Failed(f"{file}: this is {what}; {again}")
    if head.schema_version != SCHEMA_VERSION:
        is_newer = head.schema_version > SCHEMA_VERSION
        todo = "update this software" if is_newer else again
        age = "a newer" if is_newer else "an older"
        raise Failed(f"{file}: of {age} version ({head.schema_version}; expected {SCHEMA_VERSION}); {todo}")


def check_before(
    environment: Environment, options: Options, file: Path, saved: SavedPlan, *, any_time: bool = False
) -> None:
    """Refuse a saved plan that cannot be done, before the lock is taken and anything is written.

    With `any_time` the realm's change windows do not count.

    Raises:
        Failed: it is of another realm.
        Blocked: it is stale, or its commit waits for a change window.
        SourceError, SpecMistakesError: the specs cannot be read.
    """
    from reconciler.app.planning.change_windows import view_in_force

    options = about_the_root(environment, options)
    view = look(environment, options)
    following = view.following
    if following is not None and following.branch != view.commit.branch:
        view = look(environment, options, ref=f"refs/heads/{following.branch}")
    before = None if any_time else view_in_force(environment, options, view)
    if before is not None and not _stale(before, saved):
        return  # the commit in force asks for just this, too
    pick(view, file, saved)
    if view.window is not None and before is not None:
        again = f"At once: reconcile apply --any-time {file}; once it is open: reconcile apply {file}"
        raise Blocked(f"{file}: nothing of it was done: {view.window.message}\n{again}")


def pick(view: View, file: Path, saved: SavedPlan) -> Plan:
    """Return of a new plan just what the saved one holds.

    Raises:
        Failed: it is of another realm.
        Blocked: something that it is about is not any more as it was; names each.
    """
    _check_realm(view, file, saved)
    stale = _stale(view, saved)
    if stale:
        named = [f"  {one.subject}: {one.text}" for one in stale[:_MOST_NAMED]]
        named += [f"  and {len(stale) - _MOST_NAMED} more"] if len(stale) > _MOST_NAMED else []
        moved = f"of {saved.commit_name}, made at {saved.made_at}; now {view.commit.name} is followed"
        raise Blocked(
            f"{file} is stale, and nothing of it was done ({moved})\n" + "\n".join(named) + "\n"
            f"Look again: reconcile plan --out {file}"
        )
    return picked(view.plan, frozenset(one.id for one in still_planned(saved, view.plan).values()))


def _stale(view: View, saved: SavedPlan) -> tuple[Stale, ...]:
    return stale_objects(saved, view.plan, world_of(view), done_since(view.layout, saved))


def _check_realm(view: View, file: Path, saved: SavedPlan) -> None:
    here = (view.plan.realm, view.facts.store.realm_uid)
    if (saved.realm, saved.realm_uid) != here:
        its = f"realm {saved.realm} at {saved.root} (uid {saved.realm_uid})"
        ours = f"{here[0]} at {view.layout.root} (uid {here[1]})"
        raise Failed(f"{file}: a plan of {its}, and this is {ours}; nothing was done")


def done_since(layout: Layout, saved: SavedPlan) -> frozenset[str]:
    """Return which changes of a saved plan were done since it was made, as the journal says."""
    if not layout.store.exists():
        return frozenset()
    ids, found = [one.id for one in saved.changes], set[str]()
    with open_reader(layout.store) as store:
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT id FROM actions WHERE state = 'done' AND begun_at >= ? AND id IN ({marks})"  # noqa: S608 - question marks only
            found.update(str(row[0]) for row in store.execute(query, (saved.made_at, *some)))
    return frozenset(found)


def told(saved: SavedPlan, file: Path, window: WindowClosed | None) -> str:
    """Return what was written, in a line or two; while a change window is closed with the way around it."""
    if not saved.changes:
        waits = (
            f"; {saved.awaited} wait for an approval, with which to save it again" if saved.awaited else ""
        )
        return f"Saved to {file}: nothing is in it that apply could do{waits}."
    waits = f"\n{saved.awaited} wait for an approval, and are not in it." if saved.awaited else ""
    what = count(len(saved.changes), "change")
    when = f" from {window.opens_at}, when the change window opens" if window is not None else ""
    return f"Saved {what} to {file}; do just these{when}:  reconcile apply {file}{waits}"
