"""A trainer that lives and says nothing, or waits, or is not understood: named, never ended on suspicion."""

from collections.abc import Sequence
from datetime import datetime

from reconciler.plan.draft import Draft
from reconciler.plan.world import LiveRun, World
from state.contract.patience import LEAST_LONG_SECONDS
from state.contract.status import RunStatus

LEAST_SECONDS = 60.0
LEAST_QUIET_SECONDS = 600.0
"""In phases that say nothing while they last: a large model is loaded, measured, or written to disk."""
_BEATING = frozenset({"training", "paused"})
_UPDATES, _SAVES = 10, 2


def name_silent(world: World, draft: Draft) -> None:
    """Name every trainer whose process lives while its files say nothing, or nothing that is understood."""
    for live in world.live_runs():
        if live.seen is not None and live.seen.problems:
            _block_not_understood(draft, live, live.seen.problems)
        elif live.seen is not None and live.seen.status is not None and live.seen.status.waiting_for:
            _block_waiting(draft, live, live.seen.status.waiting_for)
        elif live.seen is not None and live.seen.unreachable:
            _block_unreachable(draft, live, _silent_since(live, world.now))
        elif live.seen is not None and (said_at := _silent_since(live, world.now)) is not None:
            _block_silent(draft, live, said_at)


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
        cause=_folder(live),
        hint=f"bring the software here to that version; or {_again(live)}: "
        "it saves, and goes on with the trainer of this version",
    )


def _block_waiting(draft: Draft, live: LiveRun, what: str) -> None:
    draft.block(
        f"campaign/{live.campaign}",
        code="trainer-waits",
        message=f"its trainer waits, nothing that was learnt is lost: {what}",
        cause=f"{_folder(live)}/status.json",
        hint="make room on that disk; reconcile get trash says what the trash still holds",
    )


def _block_silent(draft: Draft, live: LiveRun, said_at: str) -> None:
    pid = live.seen.process.pid if live.seen and live.seen.process else 0
    draft.block(
        f"campaign/{live.campaign}",
        code="trainer-silent",
        message=f"its trainer lives (pid {pid}, run {_run(live)}) and has said nothing since {said_at}",
        cause=f"{_folder(live)}/status.json",
        hint=f"see reconcile logs {live.campaign}; if it hangs: {_again(live)}",
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
        cause=f"{_folder(live)}/process.json",
        hint="run reconcile apply where it was started, or on the host; "
        f"to have it here: reconcile stop {live.campaign}, then reconcile resume {live.campaign}",
    )


def _run(live: LiveRun) -> str:
    return f"g{live.row.generation}-a{live.row.attempt}"


def _folder(live: LiveRun) -> str:
    """Return the folder of the run, below the root."""
    return f"campaigns/{live.folder_name}/runs/{_run(live)}"


def _again(live: LiveRun) -> str:
    """Return the commands that end the trainer and start another."""
    return f"reconcile stop {live.campaign}, then reconcile resume {live.campaign}"
