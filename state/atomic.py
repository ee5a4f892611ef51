"""Files and folders that are either there, whole, or not there: after a kill, a full disk, a power cut.

The order is always the same: write under a temporary name on the same file system, fsync the content,
rename, fsync the folder. A failed fsync is never retried on the same file: the next try writes a new one.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from state.failpoints import reach
from state.layout import STAGING_PREFIX

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_AT_FDCWD, _RENAME_NOREPLACE = -100, 1


def ensure_folder(folder: Path) -> None:
    """Create the folder and its parents, each made durable in its own parent."""
    if folder.is_dir():
        return
    ensure_folder(folder.parent)
    reach("folder.create")
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    reach("folder.fsync")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with _named(folder):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: bytes, staging_folder: Path | None = None) -> None:
    """Replace the file's content as one step; afterwards it is durable.

    `staging_folder`, on the same file system, takes the unfinished file where nothing strange may ever be
    seen beside the finished one, such as in a published checkpoint.
    """
    temporary = (staging_folder or path.parent) / f"{STAGING_PREFIX}{path.name}.{os.getpid()}"
    try:
        _write_new(temporary, content)
        reach("file.rename")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    reach("file.done")


def write_json(path: Path, record: Any) -> None:
    """Replace the file by the record as indented JSON, as one step."""
    write_file(path, msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")


def create_file(path: Path, content: bytes) -> bool:
    """Create the file whole unless it exists; say whether this call created it."""
    temporary = path.with_name(f"{STAGING_PREFIX}{path.name}.{os.getpid()}")
    try:
        _write_new(temporary, content)
        reach("file.link")
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    reach("file.done")
    return True


def append_line(path: Path, line: bytes) -> None:
    """Append one line with a single write; a torn last line from an earlier crash is closed first.

    It outlives the process, and a power cut only after `sync_file`.
    """
    reach("line.append")
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        content = (b"\n" if torn else b"") + line + b"\n"
        with _named(path):
            if os.write(descriptor, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the content of a file that someone else wrote durable."""
    reach("file.fsync")
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with _named(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish_folder(staging: Path, final: Path) -> None:
    """Give a finished folder its real name; its files must be synced already.

    Raises:
        FileExistsError: something has that name; it is left untouched.
    """
    sync_folder(staging)
    reach("folder.rename")
    rename_noreplace(staging, final)
    sync_folder(final.parent)
    reach("folder.done")


def publish_file(staging: Path, final: Path) -> None:
    """Give a finished and synced file its real name.

    Raises:
        FileExistsError: something has that name; it is left untouched.
    """
    reach("file.rename")
    rename_noreplace(staging, final)
    sync_folder(final.parent)
    reach("file.done")


def move_folder(source: Path, target: Path) -> None:
    """Give a folder another name beside it, durably.

    Raises:
        FileExistsError: something has that name; both are left untouched.
    """
    reach("folder.move")
    rename_noreplace(source, target)
    sync_folder(target.parent)
    reach("folder.moved")


def rename_noreplace(source: Path, target: Path) -> None:
    """Rename, refusing to replace anything (renameat2(2); where the file system lacks it, checked first).

    Raises:
        FileExistsError: the target exists.
    """
    import ctypes  # slow to load, and most commands rename nothing

    libc = ctypes.CDLL(None, use_errno=True)
    outcome = libc.renameat2(
        _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE
    )
    if outcome == 0:
        return
    number = ctypes.get_errno()
    if number not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(number, os.strerror(number), str(target))
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def replace_link(link: Path, target: str) -> None:
    """Point the symbolic link at the target as one step."""
    temporary = link.with_name(f"{STAGING_PREFIX}{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    reach("link.create")
    temporary.symlink_to(target)
    reach("link.rename")
    temporary.replace(link)
    sync_folder(link.parent)
    reach("link.done")


def remove_entry(path: Path) -> None:
    """Remove a derived file or a link, durably; nothing there is fine."""
    reach("entry.remove")
    try:
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)
    reach("entry.removed")


def freeze(folder: Path) -> None:
    """Take away write permission from every file of a published folder."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink():
            path.chmod(stat.S_IRUSR)


def remove_staging(folder: Path) -> None:
    """Remove unfinished work (only ever a staging name) from a folder; nobody may be writing there."""
    for path in sorted(folder.glob(f"{STAGING_PREFIX}*")):
        reach("staging.remove")
        if path.is_dir() and not path.is_symlink():
            import shutil  # slow to import, and seldom needed

            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write_new(path: Path, content: bytes) -> None:
    reach("file.create")
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE
    )
    with _named(path), os.fdopen(descriptor, "wb") as file:
        reach("file.write")
        file.write(content)
        file.flush()
        reach("file.fsync")
        os.fsync(file.fileno())


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error of the system that names no file name this one: people must know which disk is full."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
