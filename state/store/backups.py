"""A copy of the store each day, whole or not there: made by SQLite itself, read back, then given its name.

`realm-<day>-e<epoch>.db`: the copies of later epochs are later, whatever the clock said. Of old ones at most
`KEPT` stay; what has another name is not ours and stays, too.
"""

import os
import re
from pathlib import Path

import apsw

from state.atomic import PRIVATE_FILE, ensure_folder, publish_file, remove_entry, remove_staging, sync_file
from state.failpoints import reach
from state.layout import STAGING_PREFIX
from state.store.connection import StoreDamaged
from state.store.tables import get_meta

KEPT = 7
_NAME = re.compile(r"realm-([0-9]{4}-[0-9]{2}-[0-9]{2})-e([0-9]+)\.db", re.ASCII)


def back_up(connection: apsw.Connection, folder: Path, day: str) -> Path | None:
    """Copy the store into the folder unless the day has a copy; return the copy that was made.

    Raises:
        StoreDamaged: the copy does not read back as the store.
        OSError, apsw.Error: the disk is full or failing; what was there is as it was.
    """
    if any(name.partition("-e")[0] == f"realm-{day}" for name in names_of(folder)):
        return None
    ensure_folder(folder)
    remove_staging(folder)  # of a try that was killed
    epoch = get_meta(connection, "epoch") or "0"
    final = folder / f"realm-{day}-e{epoch}.db"
    staging = folder / f"{STAGING_PREFIX}{final.name}"
    try:
        _copy(connection, staging, epoch)
        publish_file(staging, final)
    except BaseException:
        remove_staging(folder)  # on a full disk it must not wait there for the next try
        raise
    _remove_old(folder, final.name)
    return final


def _copy(connection: apsw.Connection, staging: Path, epoch: str) -> None:
    reach("backup.copy")
    connection.execute("VACUUM INTO ?", (str(staging),))
    staging.chmod(PRIVATE_FILE)
    sync_file(staging)
    _check(staging, epoch)


def day_of(name: str) -> str:
    """Return the day of a copy, as it is in its name."""
    return name.removeprefix("realm-").partition("-e")[0]


def names_of(folder: Path) -> list[str]:
    """Return the names of the copies, the oldest first."""
    try:
        names = [name for name in os.listdir(folder) if _NAME.fullmatch(name)]  # noqa: PTH208 - names, not paths
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(names, key=_order)


def epoch_of(name: str) -> int:
    """Return the epoch under which a copy was made."""
    return _order(name)[0]


def _order(name: str) -> tuple[int, str]:
    match = _NAME.fullmatch(name)
    assert match is not None  # noqa: S101 - only such names are sorted
    return int(match[2]), match[1]


def _check(copy: Path, epoch: str) -> None:
    """Read the copy back: every page, and whose it is."""
    connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found = str(connection.pragma("integrity_check"))
        whose = get_meta(connection, "epoch") or "0"
    finally:
        connection.close()
    if found != "ok" or whose != epoch:
        raise StoreDamaged(f"{copy} does not read back as the store: {found}, epoch {whose}")


def _remove_old(folder: Path, newest: str) -> None:
    old = [name for name in names_of(folder) if name != newest]
    for name in old[: max(0, len(old) - (KEPT - 1))]:
        remove_entry(folder / name)
