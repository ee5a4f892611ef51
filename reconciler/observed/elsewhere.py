"""Where a run's trainer lives, seen from here: perhaps in another PID namespace (another container).

There /proc does not show it, or under another number; and a container that sees the host's /proc is shown the
host's numbers, not its own. What cannot be seen is not dead: the lock on its run's folder tells, and its
cookie tells its number in this /proc. Signals need its number in this process's own namespace.
"""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec

from reconciler.observed.processes import PROC, find_by_cookie, identity_of, is_alive, is_ending
from state.contract.process import REVOKED_COOKIE, ProcessIdentity
from state.run_hold import is_held, pid_namespace


class Whereabouts(NamedTuple):
    """What is known here of the process that claimed a run."""

    process: ProcessIdentity
    """By its number of here, where it has one."""
    alive: bool
    unreachable: bool = False
    """It lives, and has no number here that a signal could be sent to."""


def whereabouts(claim: ProcessIdentity, folder: int, proc: Path = PROC) -> Whereabouts:
    """Return whether who claimed the run of this open folder lives, and under which number of here."""
    if not claim.works_in(os.fstat(folder)):
        return Whereabouts(claim, alive=False)
    if is_alive(claim, proc):
        return _shown_as(claim, claim.pid, proc)
    if claim.cookie == REVOKED_COOKIE or not is_held(folder):
        return Whereabouts(claim, alive=False)
    if is_ending(claim, proc):
        return Whereabouts(claim, alive=True)
    found = found_by_cookie(claim, proc)
    if found.unreachable and not is_held(folder):  # it ended between these looks
        return Whereabouts(claim, alive=False)
    return found


def found_by_cookie(claim: ProcessIdentity, proc: Path = PROC) -> Whereabouts:
    """Return where a process is that is known to live, under whatever number."""
    return _shown_as(claim, _shown(claim, proc), proc)


def _shown_as(claim: ProcessIdentity, shown: int | None, proc: Path) -> Whereabouts:
    number = number_here(shown, proc) if shown is not None else None
    if number is None:
        return Whereabouts(claim, alive=True, unreachable=True)
    namespace = pid_namespace(proc) if claim.pid_namespace is not None else None
    return Whereabouts(msgspec.structs.replace(claim, pid=number, pid_namespace=namespace), alive=True)


def whereabouts_in(claim: ProcessIdentity, folder: Path, proc: Path = PROC) -> Whereabouts:
    """Return the same of the run in the folder at this path.

    Raises:
        OSError: it is not there, or cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return whereabouts(claim, descriptor, proc)
    finally:
        os.close(descriptor)


def number_here(shown: int, proc: Path = PROC) -> int | None:
    """Return the number, in this process's own namespace, of what /proc shows under this one.

    None: it has none, as far as can be told. Where /proc shows the numbers of another namespace, only what is
    in this very one is known to have a number here (`NSpid` in proc(5)).
    """
    if _shows_numbers_of_here(proc):
        return shown
    here = pid_namespace(proc)
    try:
        namespace = str((proc / str(shown) / "ns/pid").readlink())
        status = (proc / str(shown) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return int(numbers[-1]) if numbers and here is not None and namespace == here else None


def _shows_numbers_of_here(proc: Path) -> bool:
    try:
        return str((proc / "self").readlink()) == str(os.getpid())
    except OSError:  # this process has no number there
        return False


def _shown(claim: ProcessIdentity, proc: Path) -> int | None:
    """Return the number under which /proc shows the process; None where it does not, or not to us."""
    pid = find_by_cookie(claim.cookie, proc)
    seen = identity_of(pid, proc) if pid is not None else None
    return seen.pid if seen is not None and seen.start_ticks == claim.start_ticks else None
