"""A run's folder is held by its trainer, with the kernel's lock, as long as it lives.

A process in another PID namespace (another container of this machine) has another number here, or none. The
lock is seen from each of them, and nobody can hold it for the dead.
"""

import fcntl
import os
from pathlib import Path

PROC = Path("/proc")


def pid_namespace(proc: Path = PROC) -> str | None:
    """Return the namespace in which this process has its number; None where the kernel does not tell."""
    try:
        return str((proc / "self/ns/pid").readlink())
    except OSError:
        return None


def hold(folder: Path) -> bool:
    """Hold a run's folder until this process ends; False when another one does.

    The open folder is never closed on purpose: only the end of the process may give it back.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def is_held(folder: int) -> bool:
    """Does another process hold this open folder, or file? By this descriptor it is not held afterwards."""
    try:
        fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(folder, fcntl.LOCK_UN)
    return False
