"""Whether a run's trainer lives where this process has no number for it: in another PID namespace.

There it is not in /proc, or under another number. What cannot be seen is not dead: the lock on its run's
folder tells, and its cookie tells its number here, where it has one.
"""

from pathlib import Path

import msgspec

from reconciler.observed.processes import PROC, find_by_cookie, identity_of
from state.contract.process import ProcessIdentity
from state.run_hold import is_held, pid_namespace


def lives_elsewhere(identity: ProcessIdentity, folder: int, proc: Path = PROC) -> bool:
    """Does a process with a number of another namespace hold its run's folder, open as this descriptor?"""
    return is_of_elsewhere(identity, proc) and is_held(folder)


def is_of_elsewhere(identity: ProcessIdentity, proc: Path = PROC) -> bool:
    """Is the number in this claim not one of the numbers here?"""
    here = pid_namespace(proc)
    return identity.pid_namespace is not None and here is not None and identity.pid_namespace != here


def seen_here(identity: ProcessIdentity, proc: Path = PROC) -> ProcessIdentity | None:
    """Return a process of another namespace under its number of here; None where it has none."""
    pid = find_by_cookie(identity.cookie, proc)
    seen = identity_of(pid, proc) if pid is not None else None
    if seen is None or seen.start_ticks != identity.start_ticks:
        return None
    return msgspec.structs.replace(identity, pid=seen.pid, pid_namespace=pid_namespace(proc))
