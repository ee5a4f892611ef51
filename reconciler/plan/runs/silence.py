"""A trainer that lives and says nothing, or waits, or is not understood: named, not ended on suspicion.

One that hangs is ended by its own watchdog. Where even that is long due, the process is frozen: a signal
stopped it, or it stands in a call that lets no other thread run. It is ended as by a stop (`plan_stops`). The
silence is counted by a clock that stands while the machine sleeps.
"""

from collections.abc import Sequence
from datetime import datetime

from reconciler.plan.draft import Draft
from reconciler.plan.world import LiveRun, World
from state.amounts import duration
from state.contract.patience import LEAST_LONG_SECONDS, patience_seconds
from state.contract.status import RunStatus

LEAST_SECONDS = 60.0
LEAST_QUIET_SECONDS = 600.0
"""In phases that say nothing while they last: a large model is loaded, measured, or written to disk."""
_BEATING = frozenset({"training", "paused"})
_UPDATES, _SAVES = 10, 2
FROZEN_SECONDS = 600.0
"""So long after it was due, and two saves, a watchdog that has not ended its run cannot do it any more."""


def name_silent(world: World, draft: Draft) -> None:
    """Name every trainer whose process lives while its files say nothing, or nothing that is understood."""
    for live in world.live_runs():
        if live.seen is not None and live.seen.problems:
            _block_not_understood(draft, live, live.seen.problems)
        elif live.seen is not None and live.seen.status is not None and live.seen.status.waiting_for:
            _block_waiting(draft, live, live.seen.status.waiting_for)
        elif live.seen is not None and live.seen.unreachable:
            _block_unreachable(draft, live, _silent_since(live, world.now))
        elif frozen_since(world, live) is not None:
            continue  # it is ended
        elif live.seen is not None and (said_at := _silent_since(live, world.now)) is not None:
            _block_silent(world, draft, live, said_at)


def frozen_since(world: World, live: LiveRun) -> str | None:
    """Return the last word of a trainer that nobody but the reconciler can end; None: it is not frozen."""
    seen, patience = live.seen, frozen_after_seconds(world, live)
    if patience is None or seen is None or seen.status is None:
        return None
    age, awake = seconds_between(seen.status.updated_at, world.now), _awake_seconds(world, live)
    is_over = age is not None and awake is not None and min(age, awake) > patience
    return seen.status.updated_at if is_over else None


def frozen_after_seconds(world: World, live: LiveRun) -> float | None:
    """Return after how long a silence a trainer is ended; None: never, a person decides."""
    seen = live.seen
    if seen is None or seen.status is None or seen.problems or seen.unreachable or live.is_moving:
        return None
    if world.stays_as_it_is(live.campaign) or world.hold(live.campaign) is not None:
        return None  # what comes after it is not known, or a person wants it to stand
    patience = patience_seconds(seen.status)
    if patience is None or _awake_seconds(world, live) is None:
        return None
    return patience + FROZEN_SECONDS + _SAVES * (seen.status.save_seconds or 0.0)


def _awake_seconds(world: World, live: LiveRun) -> float | None:
    """Return for how long of its silence the machine was awake; None: no clock tells."""
    seen, boot = live.seen, world.facts.boot
    if seen is None or seen.status is None or seen.process is None or boot is None:
        return None
    said_at = seen.status.awake_seconds
    if said_at is None or boot.awake_seconds is None or boot.boot_id != seen.process.boot_id:
        return None
    return boot.awake_seconds - said_at


def is_silent(status: RunStatus, now: str) -> bool:
    """Is this heartbeat too old for a living process? One from the future is not: a clock was set back."""
    age = seconds_between(status.updated_at, now)
    return age is not None and age > stale_seconds(status)


def stale_seconds(status: RunStatus) -> float:
    """Return the age at which a heartbeat is too old: a minute or more, ten updates and two saves.

    A quest's first update, with the reading of its rows, has its watchdog's limit.
    """
    if status.phase == "training" and (status.update_seconds is None or status.quest_update == 0):
        return LEAST_LONG_SECONDS  # as its own watchdog waits: nothing tells how long a first update takes
    least = LEAST_SECONDS if status.phase in _BEATING else LEAST_QUIET_SECONDS
    return least + _UPDATES * (status.update_seconds or 0.0) + _SAVES * (status.save_seconds or 0.0)


def seconds_between(earlier: str, later: str) -> float | None:
    """Return the seconds between two moments, 0 where a clock was set back; None for what is no time."""
    try:
        return max(0.0, (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds())
    except (ValueError, TypeError):
        return None


def _silent_since(live: LiveRun, now: str) -> str | None:
    """Return when the trainer said something last, if that is too long ago."""
    seen = live.seen
    if seen is None or seen.process is None:
        return None
    if seen.status is not None:
        return seen.status.updated_at if is_silent(seen.status, now) else None
    age = seconds_between(seen.process.claimed_at, now)
    return seen.process.claimed_at if age is not None and age > LEAST_QUIET_SECONDS else None


def _block_not_understood(draft: Draft, live: LiveRun, problems: Sequence[str]) -> None:
    more = f"; and {len(problems) - 1} more of its files" if len(problems) > 1 else ""
    draft.block(
        f"campaign/{live.campaign}",
        code="trainer-not-understood",
        message=f"its trainer lives, and what it says cannot be read: {problems[0]}{more}",
        cause=folder_of(live),
        hint=f"bring the software here to that version; or {_again(live)}: "
        "it saves, and goes on with the trainer of this version",
    )


def _block_waiting(draft: Draft, live: LiveRun, what: str) -> None:
    draft.block(
        f"campaign/{live.campaign}",
        code="trainer-waits",
        message=f"its trainer waits, nothing that was learnt is lost: {what}",
        cause=f"{folder_of(live)}/status.json",
        hint="make room on that disk; reconcile get trash says what the trash still holds",
    )


def _block_silent(world: World, draft: Draft, live: LiveRun, said_at: str) -> None:
    pid = live.seen.process.pid if live.seen and live.seen.process else 0
    after = frozen_after_seconds(world, live)
    what = "if it hangs"
    if after is not None:
        what = f"it is ended and launched again after {duration(after)} of silence; sooner, if it hangs"
    draft.block(
        f"campaign/{live.campaign}",
        code="trainer-silent",
        message=f"its trainer lives (pid {pid}, run {_run(live)}) and has said nothing since {said_at}",
        cause=f"{folder_of(live)}/status.json",
        hint=f"see reconcile logs {live.campaign}; {what}: {_again(live)}",
    )


def _block_unreachable(draft: Draft, live: LiveRun, silent_since: str | None) -> None:
    process = live.seen.process if live.seen else None
    pid = process.pid if process else 0
    silent = f" and has said nothing since {silent_since}" if silent_since else ""
    draft.block(
        f"campaign/{live.campaign}",
        code="unreachable",
        message="its trainer lives in another container or PID namespace "
        f"(run {_run(live)}, pid {pid} there){silent}: "
        "it heeds pause, stop and new orders, but no signal from here reaches it",
        cause=f"{folder_of(live)}/process.json",
        hint="run reconcile apply where it was started, or on the host; "
        f"to have it here: reconcile stop {live.campaign}, then reconcile resume {live.campaign}",
    )


def _run(live: LiveRun) -> str:
    return f"g{live.row.generation}-a{live.row.attempt}"


def folder_of(live: LiveRun) -> str:
    """Return the folder of the run, below the root."""
    return f"campaigns/{live.folder_name}/runs/{_run(live)}"


def _again(live: LiveRun) -> str:
    """Return the commands that end the trainer and start another."""
    return f"reconcile stop {live.campaign}, then reconcile resume {live.campaign}"
