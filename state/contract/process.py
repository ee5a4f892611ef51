"""`process.json`: who claimed the run. Created by the trainer before anything else, never replaced."""

import os

import msgspec

from state.contract.numbers import Count


class ProcessIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """A process that cannot be confused with a later one of the same number."""

    schema_version: int = 1
    pid: Count
    boot_id: str
    start_ticks: Count
    """Field 22 of /proc/<pid>/stat: clock ticks between boot and start."""
    cookie: str
    """Also in the process's environment as REALM_RUN_COOKIE."""
    claimed_at: str
    pid_namespace: str | None = None
    """In which it has that number (/proc/self/ns/pid); None: it cannot tell, or is of an older version."""
    folder_id: str | None = None
    """Of the run's folder that it works in: in a copy of the root the same claim is nobody's."""

    def works_in(self, folder: os.stat_result) -> bool:
        """Is this the folder in which the process claimed its run?"""
        return self.folder_id in (None, folder_id(folder))


def folder_id(status: os.stat_result) -> str:
    """Return what a folder keeps when it is renamed and a copy of it does not have."""
    return f"{status.st_dev}:{status.st_ino}"


COOKIE_VARIABLE = "REALM_RUN_COOKIE"
REVOKED_COOKIE = "revoked"
"""In a process file that the reconciler made itself: this run was given up before a trainer claimed it."""
EXIT_ALREADY_CLAIMED = 75
"""Exit code of a trainer that found its run claimed; it changed nothing."""
