"""`pause`, `resume`, `stop`: what a person asks of the loop, left in the store with who and why."""

import time
from contextlib import closing

import msgspec

from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, TimedOut
from reconciler.app.surroundings.ground import campaign_in, store_of
from reconciler.app.surroundings.lock_holder import holder_of
from reconciler.app.surroundings.place import Options
from reconciler.app.surroundings.realm_store import check_no_copy
from reconciler.observed.checkpoints import observe_checkpoints
from reconciler.observed.disk import observe_disk
from reconciler.observed.runs import RunCache, observe_runs
from reconciler.observed.stat_cache import StatCache
from reconciler.plan.root import misplaced_root
from state.layout import CampaignLayout, Layout
from state.store.connection import open_reader, open_writer
from state.store.refreshes import is_mistaken
from state.store.requests import ask, find
from state.store.row_files import refuse_newer_rows
from state.store.rows import NO_REASON, RequestKind, RequestRow
from state.store.troubles import in_words

POLL_SECONDS = 0.1


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was left, and what has come of it."""

    schema_version: int = 1
    id: int
    kind: RequestKind
    campaign: str
    asked_by: str
    why: str
    asked_at: str
    is_reconciler_running: bool
    """When none is, the next apply handles it."""
    handled_at: str | None = None
    result: str | None = None
    found_mistakes: bool = False
    """Of a look at the source: what it found has to be mended before it can be in force."""


def request(
    environment: Environment, options: Options, kind: RequestKind, campaign: str | None, why: str | None
) -> tuple[Layout, Asked]:
    """Leave a request for the campaign, or for the active one, and wake the loop.

    Raises:
        NotFound: nothing was applied, or there is no such campaign.
        Failed: the store cannot be written.
    """
    layout = layout_of(environment, options)
    name = campaign_in(store_of(layout), campaign)
    return layout, leave_request(environment, layout, kind, name, why)


def leave_request(
    environment: Environment,
    layout: Layout,
    kind: RequestKind,
    about: str,
    why: str | None,
    *,
    quest: str | None = None,
    approves_json: str | None = None,
    details_json: str | None = None,
) -> Asked:
    """Leave a request about a campaign, or about a checkpoint, and wake the loop.

    Raises:
        Failed: the store cannot be written, lies where nobody may, or is that of a copy of another root.
        StoreTooNew: newer software wrote a file of rows, so that no apply would answer.
    """
    check_no_copy(layout)
    refuse_newer_rows(layout.row_files)
    if (problem := misplaced_root(observe_disk(layout.root))) is not None:
        raise Failed(
            f"{problem}; nothing was left there: ask on the machine that has it on a disk of its own"
        )
    by, at = f"{environment.user}@{environment.host}", environment.now()
    reason = why or NO_REASON
    details = {"quest": quest, "approves_json": approves_json, "details_json": details_json}
    number = _leave(layout, kind=kind, campaign=about, by=by, why=reason, at=at, **details)
    _wake(layout)
    return Asked(
        id=number,
        kind=kind,
        campaign=about,
        asked_by=by,
        why=reason,
        asked_at=at,
        is_reconciler_running=holder_of(layout.lock) is not None,
    )


def wait_for(layout: Layout, asked: Asked, timeout_seconds: float, *, has_mistakes: bool = False) -> Asked:
    """Return the request once it, and no other, was handled and its trainer has paused or left.

    `has_mistakes`: the specs checked out have some, so that no apply could start.

    Raises:
        Blocked: no reconciler is running that could handle it.
        TimedOut: nobody handled it in time (it stays in the store), or its trainer did not follow in time.
    """
    deadline = time.monotonic() + timeout_seconds
    _check_someone_handles(layout, asked, has_mistakes=has_mistakes)
    handled = _wait_until_handled(layout, asked, deadline, timeout_seconds)
    cache: RunCache = StatCache()
    while (done_now := _obeyed(layout, handled, cache)) is None:
        if time.monotonic() >= deadline:
            done = "paused" if asked.kind == "pause" else "left"
            raise TimedOut(
                f"request {asked.id} ({asked.kind} {asked.campaign}) was handled, but the trainer has not "
                f"{done} within {timeout_seconds:g} s; see reconcile status"
            )
        time.sleep(POLL_SECONDS)
    return msgspec.structs.replace(handled, result=done_now or handled.result)


def _check_someone_handles(layout: Layout, asked: Asked, *, has_mistakes: bool) -> None:
    if holder_of(layout.lock) is not None:
        return
    row = _look(layout, asked.id)
    if row is None or row.handled_at is None:
        first = "mend the specs (reconcile validate), then " if has_mistakes else ""
        raise Blocked(
            f"no reconciler is running, so nobody to wait for: request {asked.id} ({asked.kind} "
            f"{asked.campaign}) stays in the store; {first}`reconcile apply --once` handles it"
        )


def _obeyed(layout: Layout, asked: Asked, cache: RunCache) -> str | None:
    """Return how it is when the campaign's trainer does what was asked, None before that; one gone does.

    Only a pause and a stop are about a trainer; of the others the result of handling them says all.
    """
    if asked.kind not in ("pause", "stop"):
        return ""
    places = _places(layout, asked.campaign)
    runs = observe_runs(places, layout.root, cache=cache).runs
    said = [run.status for run in runs if run.alive]
    if asked.kind == "stop":
        return None if said else f"{asked.campaign} is stopped{_saved(layout, places)}"
    if any(status is None or status.phase != "paused" for status in said):
        return None
    loaded = "; its trainer waits with the model loaded" if said else ""
    return f"{asked.campaign} is paused{_saved(layout, places)}{loaded}"


def _places(layout: Layout, campaign: str) -> CampaignLayout:
    row = next((row for row in store_of(layout).campaigns if row.name == campaign), None)
    return layout.campaign(campaign) if row is None else layout.home_of(row)


def _saved(layout: Layout, places: CampaignLayout) -> str:
    """Return at which step a campaign that rests was saved."""
    complete = observe_checkpoints(places.checkpoints, layout.root).complete
    return f" at step {complete[-1].step:,}, saved" if complete else ", nothing saved yet"


def _wait_until_handled(layout: Layout, asked: Asked, deadline: float, timeout_seconds: float) -> Asked:
    while True:
        row = _look(layout, asked.id)
        if row is not None and row.handled_at is not None:
            done = {"handled_at": row.handled_at, "result": row.result}
            return msgspec.structs.replace(asked, **done, found_mistakes=is_mistaken(row))
        if time.monotonic() >= deadline:
            nobody = "" if holder_of(layout.lock) else "; no reconciler is running: reconcile apply"
            raise TimedOut(
                f"request {asked.id} ({asked.kind} {asked.campaign}) was not handled within "
                f"{timeout_seconds:g} s; it stays in the store{nobody}"
            )
        time.sleep(POLL_SECONDS)


def _leave(
    layout: Layout, *, kind: RequestKind, campaign: str, by: str, why: str, at: str, **about: str | None
) -> int:
    import apsw

    try:
        with closing(open_writer(layout.store)) as connection:
            return ask(connection, kind=kind, campaign=campaign, by=by, why=why, at=at, **about)
    except apsw.Error as error:
        raise Failed(in_words(error, layout.store)) from error
    except PermissionError as error:
        raise Failed(f"{layout.store}: cannot be written ({error}); ask whom the realm belongs to") from error


def _wake(layout: Layout) -> None:
    """Touch the file that the loop watches; without one the interval does it."""
    try:
        layout.wake.touch(mode=0o600)
    except OSError:
        return  # the request is in the store all the same; the next look finds it


def _look(layout: Layout, number: int) -> RequestRow | None:
    with open_reader(layout.store) as connection:
        return find(connection, number)
