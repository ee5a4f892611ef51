"""Is the store an older copy of itself that somebody put back? Then what happened since is not in it.

Each writer raises the epoch, in the store and in a file beside it: an older copy shows by its lower epoch.
Who takes office in one writes that down in it, until the store is made again from the files.
"""

import apsw

from state.store.tables import get_meta, put_meta

_KEY = "older_copy"


def why_older(connection: apsw.Connection, mirrored_epoch: int) -> str | None:
    """Say how it shows that a later writer than the store knows was in office; None: none was."""
    return older_by_epoch(int(get_meta(connection, "epoch") or 0), mirrored_epoch)


def older_by_epoch(epoch: int, mirrored_epoch: int) -> str | None:
    """Return the same, of the store's epoch and the one beside it."""
    return f"its epoch is {epoch}, the last one was {mirrored_epoch}" if epoch < mirrored_epoch else None


def older_copy_of(connection: apsw.Connection) -> str | None:
    """Return what was written down when the store was found to be an older copy; None: it is none."""
    return get_meta(connection, _KEY)


def mark_older(connection: apsw.Connection, why: str) -> None:
    """Write down that it is one, and how that showed."""
    put_meta(connection, _KEY, why)
