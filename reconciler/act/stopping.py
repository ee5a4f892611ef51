"""Stop a trainer: ask by orders and by signal, wait until it has saved and left, in the end kill it.

The signal goes through a pidfd that was checked to be this run's process, so a number that the kernel
gave to someone else is never hit.
"""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from reconciler.act.checkpoints import newest_to_resume
from reconciler.act.errors import Temporary
from reconciler.act.run_files import (
    exit_of,
    files_of,
    is_revoked,
    living,
    need_run,
    orders_of,
    revoke,
)
from reconciler.act.runs import end_run
from reconciler.act.status_files import write_status_files
from reconciler.act.tools import Tools
from reconciler.observed.elsewhere import number_here
from reconciler.observed.processes import find_by_cookie
from reconciler.plan.actions import CloseRun, RunAction, StopRun
from reconciler.plan.runs.endings import LEFT_NO_WORD
from state.atomic import write_json
from state.contract.files import ContractError, read
from state.contract.orders import Orders
from state.contract.status import RunStatus
from state.failpoints import reach
from state.ids import checkpoint_folder
from state.layout import RunLayout

_SLICE_SECONDS = 0.2
_KILL_SECONDS = 30.0
"""How long a killed process may take to be gone: it may hang in the disk's or the GPU's driver."""


def stop(action: StopRun, tools: Tools) -> str:
    """Make the run's trainer save and leave, and write down how it left.

    Raises:
        Temporary: a person asked the reconciler to leave meanwhile (the trainer goes on stopping), the
            process cannot be killed, or it was to stop because it was frozen and is not any more.
    """
    row, files = need_run(tools, action), files_of(tools, action)
    if row.state == "ended":
        write_status_files(tools, action.campaign_uid, action.campaign)
        return f"was over before: {row.end}"
    if (not files.process.exists() or is_revoked(files)) and revoke(tools, files):
        _end_unclaimed(tools, row.cookie)
        end_run(tools, files, row, _never_started(action))
        return "had not begun; it never will"
    _refuse_awake(action, files)
    _order_stop(files, action.why)
    was_killed = _signal_and_wait(action, tools, files, row.cookie)
    end = _end_of(action, tools, files, was_killed=was_killed)
    end_run(tools, files, row, end)
    return _told(end)


def _end_unclaimed(tools: Tools, cookie: str) -> None:
    """Kill what was started for a run that nobody can claim any more: it has nothing to save.

    Raises:
        Temporary: a process cannot be killed.
    """
    while (shown := find_by_cookie(cookie, tools.proc)) is not None:
        pid = number_here(shown, tools.proc)
        if pid is None:
            return  # of another PID namespace: it leaves by itself when it finds its run taken away
        pidfd = _pidfd(pid)
        if pidfd is None:
            continue
        try:
            if find_by_cookie(cookie, tools.proc) != shown:
                continue
            _send(pidfd, signal.SIGKILL)
            if not _wait(pidfd, _KILL_SECONDS, tools):
                raise Temporary("its process was killed and is still there: it hangs in the kernel")
        finally:
            os.close(pidfd)


def _refuse_awake(action: StopRun, files: RunLayout) -> None:
    """Leave a trainer alone that has spoken since it was found frozen, unless its stop has begun.

    Raises:
        Temporary: it has, or what it said last cannot be read.
    """
    if action.silent_since is None:
        return
    current = orders_of(files)
    if (current is None or current.stop is None) and _last_word_at(files) != action.silent_since:
        raise Temporary("its trainer has spoken since: it goes on")


def _last_word_at(files: RunLayout) -> str | None:
    try:
        return read(files.status, RunStatus).updated_at
    except (FileNotFoundError, ContractError):
        return None


def _order_stop(files: RunLayout, why: str) -> None:
    """Write the stop into the orders, once, so that it holds even where no signal arrives."""
    current = orders_of(files)
    if current is None:
        current = Orders(sequence=_sequence_taken_up(files), quests=())
    if current.stop is None:
        write_json(files.orders, msgspec.structs.replace(current, sequence=current.sequence + 1, stop=why))


def _sequence_taken_up(files: RunLayout) -> int:
    try:
        return read(files.status, RunStatus).orders_sequence
    except (FileNotFoundError, ContractError):
        return 0


def _signal_and_wait(action: StopRun, tools: Tools, files: RunLayout, cookie: str) -> bool:
    """Return True when the trainer had to be killed; afterwards it is gone.

    Raises:
        Temporary: the wait was broken off, or the process cannot be killed.
    """
    with _open_process(tools, files, cookie) as pidfd:
        if pidfd is None:
            _wait_unreachable(action, tools, files, cookie)
            return False
        _send(pidfd, signal.SIGTERM)
        _send(pidfd, signal.SIGCONT)  # one that somebody stopped with a signal saves as every other does
        if _wait(pidfd, action.grace_seconds, tools):
            return False
        _send(pidfd, signal.SIGKILL)
        if not _wait(pidfd, _KILL_SECONDS, tools):
            raise Temporary("its process was killed and is still there: it hangs in the kernel")
    return True


def _wait_unreachable(action: StopRun, tools: Tools, files: RunLayout, cookie: str) -> None:
    """Wait until a trainer that no signal reaches has left by its orders; at once where nobody lives.

    Raises:
        Temporary: it lives on, or the wait was broken off.
    """
    deadline = time.monotonic() + action.grace_seconds
    while living(tools, files, cookie) is not None:
        if tools.interrupted():
            raise Temporary("its trainer saves and leaves by itself; not waited for")
        if time.monotonic() > deadline:
            raise Temporary(
                f"its trainer was ordered to leave and has not within {action.grace_seconds:g} s: it lives "
                "in another PID namespace (another container), and nothing from here can kill it; it is "
                "stopped once it has left, or was killed there"
            )
        time.sleep(_SLICE_SECONDS)


@contextmanager
def _open_process(tools: Tools, files: RunLayout, cookie: str) -> Iterator[int | None]:
    """Yield a pidfd of exactly this run's process; None when it is gone."""
    found = living(tools, files, cookie)
    pidfd = None if found is None or found.pid is None else _pidfd(found.pid)
    try:
        # Asked again: from the moment that the pidfd is open, the number cannot pass to someone else unseen.
        same = pidfd is not None and living(tools, files, cookie) == found
        yield pidfd if same else None
    finally:
        if pidfd is not None:
            os.close(pidfd)


def _send(pidfd: int, number: signal.Signals) -> None:
    reach("process.signal")
    with suppress(ProcessLookupError):  # it left by itself just now
        signal.pidfd_send_signal(pidfd, number)
    reach("process.signalled")


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _wait(pidfd: int, seconds: float, tools: Tools) -> bool:
    """Say whether the process ended within the time.

    Raises:
        Temporary: a person asked the reconciler to leave.
    """
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        if poller.poll(max(0.0, min(_SLICE_SECONDS, left)) * 1000):
            return True
        if left <= 0:
            return False
        if tools.interrupted():
            raise Temporary("its trainer saves and leaves by itself; not waited for")


def _never_started(action: StopRun) -> CloseRun:
    return CloseRun(**_key(action), end="never_started", message=f"stopped before it began: {action.why}")


def _end_of(action: StopRun, tools: Tools, files: RunLayout, *, was_killed: bool) -> CloseRun:
    left = exit_of(files)
    saved = _saved_step(action, tools)
    if left is None:
        return _lost(action, saved, was_killed=was_killed)
    return CloseRun(
        **_key(action),
        end=left.reason,
        failure_class=left.failure_class,
        message=left.message,
        quest_id=left.quest_id,
        final_step=left.step,
        last_checkpoint_step=saved,
        ended_at=left.exited_at,
    )


def _saved_step(action: StopRun, tools: Tools) -> int | None:
    """Return the newest that this run saved by what lies there, whatever its exit file says."""
    newest = newest_to_resume(tools, action.campaign, action.campaign_uid)
    if newest is None:
        return None
    saved_by = (newest.manifest.generation, newest.manifest.attempt)
    return newest.step if saved_by == (action.generation, action.attempt) else None


def _lost(action: StopRun, saved: int | None, *, was_killed: bool) -> CloseRun:
    killed = f"did not leave within {action.grace_seconds:g} s and was killed"
    if is_frozen := action.silent_since is not None:
        killed = f"{action.why}; it {killed}"
    return CloseRun(
        **_key(action),
        end="lost",
        failure_class="stuck" if was_killed and is_frozen else None,
        message=killed if was_killed else LEFT_NO_WORD,
        final_step=saved,
        last_checkpoint_step=saved,
    )


def _key(action: StopRun) -> dict[str, Any]:
    return {name: getattr(action, name) for name in RunAction.__struct_fields__}


def _told(end: CloseRun) -> str:
    if end.end == "lost":
        return end.message
    saved = end.last_checkpoint_step
    return "saved nothing" if saved is None else f"saved {checkpoint_folder(saved)}"
