"""Claim a run before anything else: one process per run folder, one trainer per realm.

Called by `python -m trainer run` before torch is imported, so that whoever comes second leaves within
milliseconds and without a trace. The claim is a file that is created once and never replaced; the lock
is the kernel's and ends with the process.
"""

import fcntl
import os
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from state.atomic import create_file, ensure_folder
from state.contract.process import COOKIE_VARIABLE, ProcessIdentity, folder_id
from state.run_hold import hold, pid_namespace
from trainer.engine.clock import now_text

_START_TICKS_FIELD = 22
_FIELDS_BEFORE_STATE = 2


class AlreadyClaimedError(Exception):
    """Another process claimed this run; nothing was changed."""


class LockBusyError(Exception):
    """Another trainer is alive under this realm's root."""


def claim_run(process_file: Path) -> ProcessIdentity:
    """Make this process the one that the run belongs to.

    Raises:
        AlreadyClaimedError: the run had its process already.
    """
    # Held before it is claimed: whoever is claimed is held, wherever it is seen from.
    if not hold(process_file.parent):
        raise AlreadyClaimedError(f"{process_file}: this run was claimed already")
    identity = msgspec.structs.replace(own_identity(), folder_id=folder_id(process_file.parent.stat()))
    if not create_file(process_file, msgspec.json.encode(identity) + b"\n"):
        raise AlreadyClaimedError(f"{process_file}: this run was claimed already")
    return identity


def own_identity() -> ProcessIdentity:
    """Return what tells this process from every other one, before and after it."""
    return ProcessIdentity(
        pid=os.getpid(),
        boot_id=Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip(),
        start_ticks=start_ticks(Path("/proc/self/stat").read_text(encoding="utf-8")),
        cookie=os.environ.get(COOKIE_VARIABLE, ""),
        claimed_at=now_text(),
        pid_namespace=pid_namespace(),
    )


def start_ticks(stat_line: str) -> int:
    """Return field 22 of /proc/<pid>/stat (proc(5)); the name in field 2 may hold spaces and brackets."""
    after_name = stat_line.rpartition(")")[2].split()
    return int(after_name[_START_TICKS_FIELD - _FIELDS_BEFORE_STATE - 1])


def held_lock(path: Path) -> AbstractContextManager[object]:
    """Take the kernel's lock on the file; it is given back by the context or by the end of the process.

    Raises:
        LockBusyError: another process holds it.
    """
    ensure_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    file = os.fdopen(descriptor, "rb+")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise LockBusyError(f"another trainer holds the lock {path}") from None
    return file
