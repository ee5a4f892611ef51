"""Trainers of an older version: their claim does not say in which PID namespace they have their number.

They hold no lock on their run's folder either. Where /proc does not show one, nobody says that it is gone as
long as somebody holds the realm's one lock of trainers: it may be that one, in another container.
"""

import os
from contextlib import suppress
from pathlib import Path

from reconciler.observed.elsewhere import Whereabouts, found_by_cookie
from reconciler.observed.processes import PROC
from state.contract.process import REVOKED_COOKIE, ProcessIdentity
from state.run_hold import is_held


def is_of_older_version(claim: ProcessIdentity) -> bool:
    """Was this claim made by a trainer that neither names its namespace nor holds its folder?"""
    return claim.pid_namespace is None and claim.cookie != REVOKED_COOKIE


def older_whereabouts(
    claim: ProcessIdentity, folder: Path, lock: Path, proc: Path = PROC
) -> Whereabouts | None:
    """Return where a trainer of an older version may live that is not seen under its number; None: nowhere.

    Only to be asked of the one run that is open: the lock may be any run's.

    Raises:
        OSError: nobody knows: the lock cannot be opened now.
    """
    if not is_of_older_version(claim):
        return None
    with suppress(FileNotFoundError):  # the run's folder has moved since, or there never was a trainer
        if claim.works_in(folder.stat()) and _is_file_held(lock):
            return found_by_cookie(claim, proc)
    return None


def _is_file_held(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return is_held(descriptor)
    finally:
        os.close(descriptor)
