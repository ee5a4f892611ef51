"""Files and folders that are either there, whole, or not there: after a kill, a full disk, a power cut.

The order is always the same: write under a temporary name on the same file system, fsync the content,
rename, fsync the folder. A failed fsync is never retried on the same file: the next try writes a new one.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from state.failpoints import reach
from state.inside import InTheWay, open_file, opened, refuse_other
from state.layout import STAGING_PREFIX
from state.writing import write_all

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_RENAME_NOREPLACE = 1


def ensure_folder(folder: Path) -> None:
    """Create the folder and its parents, each made durable in its own parent.

    Raises:
        InTheWay: a part of the path is no folder, or below the root a link.
    """
    try:
        with opened(folder):
            return
    except FileNotFoundError:
        ensure_folder(folder.parent)
    reach("folder.create")
    with opened(folder.parent) as parent:
        try:
            os.mkdir(folder.name, PRIVATE_FOLDER, dir_fd=parent)
        except FileExistsError:
            pass
        except OSError as error:
            error.filename = str(folder)  # not its last part alone
            raise
        _sync(parent, folder.parent)


def make_staging(place: Path, *, may_exist: bool = False) -> None:
    """Make a private folder for unfinished work, which becomes durable when it is published.

    Raises:
        FileExistsError: something has that name.
        InTheWay: a part of the way is no folder, or below the root a link.
    """
    reach("folder.create")
    with opened(place.parent) as folder, _named(place), suppress(*[FileExistsError] if may_exist else []):
        os.mkdir(place.name, PRIVATE_FOLDER, dir_fd=folder)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    with opened(folder) as descriptor:
        _sync(descriptor, folder)


def _sync(descriptor: int, folder: Path) -> None:
    reach("folder.fsync")
    with _named(folder):
        os.fsync(descriptor)


def write_file(path: Path, content: bytes, staging_folder: Path | None = None) -> None:
    """Replace the file's content as one step; afterwards it is durable.

    `staging_folder`, on the same file system, takes the unfinished file where nothing strange may ever be
    seen beside the finished one, such as in a published checkpoint.

    Raises:
        InTheWay: what has this name is no plain file.
    """
    with opened(path.parent) as folder, opened(staging_folder or path.parent) as staging:
        refuse_other(path, folder, "a plain file")
        temporary = _temporary(path)
        try:
            _write_new(temporary, staging, path, content)
            reach("file.rename")
            with _named(path):
                os.replace(temporary, path.name, src_dir_fd=staging, dst_dir_fd=folder)
        except BaseException:
            _discard(temporary, staging)
            raise
        _sync(folder, path.parent)
    reach("file.done")


def write_json(path: Path, record: Any) -> None:
    """Replace the file by the record as indented JSON, as one step."""
    write_file(path, msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")


def create_file(path: Path, content: bytes) -> bool:
    """Create the file whole unless it exists; say whether this call created it."""
    temporary = _temporary(path)
    with opened(path.parent) as folder:
        try:
            _write_new(temporary, folder, path, content)
            reach("file.link")
            with _named(path):
                os.link(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except FileExistsError:
            return False
        finally:
            _discard(temporary, folder)
        _sync(folder, path.parent)
    reach("file.done")
    return True


def append_line(path: Path, line: bytes) -> None:
    """Append one line with a single write; a torn last line from an earlier crash is closed first.

    It outlives the process, and a power cut only after `sync_file`.

    Raises:
        InTheWay: what has this name is no plain file.
    """
    reach("line.append")
    descriptor = open_file(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
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
    descriptor = open_file(path)
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
    """Give a folder another name, durably, so that the old one does not come back; both on one file system.

    Raises:
        FileExistsError: something has that name; both are left untouched.
        InTheWay: the source is no folder, or a link is on the way to one of them.
    """
    with opened(source.parent) as folder:
        refuse_other(source, folder, "a folder")
    _move(source, target)


def move_file(source: Path, target: Path) -> None:
    """The same for a plain file.

    Raises:
        FileExistsError: something has that name; both are left untouched.
        InTheWay: the source is no plain file, or a link is on the way to one of them.
    """
    with opened(source.parent) as folder:
        refuse_other(source, folder, "a plain file")
    _move(source, target)


def _move(source: Path, target: Path) -> None:
    reach("folder.move")
    rename_noreplace(source, target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)
    reach("folder.moved")


def rename_noreplace(source: Path, target: Path) -> None:
    """Rename, refusing to replace anything (renameat2(2); where the file system lacks it, checked first).

    Raises:
        FileExistsError: the target exists.
        InTheWay: a link is on the way to one of them.
    """
    with opened(source.parent) as giving, opened(target.parent) as taking:
        number = renameat2(giving, source.name, taking, target.name)
        if number == 0:
            return
        if number not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(number, os.strerror(number), str(target))
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        os.rename(source.name, target.name, src_dir_fd=giving, dst_dir_fd=taking)


def renameat2(giving: int, source: str, taking: int, target: str) -> int:
    """Rename from one open folder to another, over nothing (renameat2(2)); return 0 or the error's number."""
    import ctypes  # slow to load, and most commands rename nothing

    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(source), os.fsencode(target)
    while libc.renameat2(giving, names[0], taking, names[1], _RENAME_NOREPLACE) != 0:
        if (number := ctypes.get_errno()) != errno.EINTR:
            return number
    return 0


def sync_everything(folder: Path) -> None:
    """Make durable whatever anyone has written to the file system of this folder."""
    reach("filesystem.sync")
    with opened(folder) as descriptor, _named(folder):
        syncfs(descriptor)


def syncfs(descriptor: int) -> None:
    """Call syncfs(2).

    Raises:
        OSError: something could not be written.
    """
    import ctypes  # slow to load, and needed only after a kill or a failure

    libc = ctypes.CDLL(None, use_errno=True)
    while libc.syncfs(descriptor) != 0:
        if (number := ctypes.get_errno()) != errno.EINTR:
            raise OSError(number, os.strerror(number))


def replace_link(link: Path, target: str) -> None:
    """Point the symbolic link at the target as one step.

    Raises:
        InTheWay: a folder has its name.
    """
    temporary = _temporary(link)
    with opened(link.parent) as folder:
        _discard(temporary, folder)
        reach("link.create")
        with _named(link):
            os.symlink(target, temporary, dir_fd=folder)
        reach("link.rename")
        try:
            os.replace(temporary, link.name, src_dir_fd=folder, dst_dir_fd=folder)
        except IsADirectoryError as error:
            _discard(temporary, folder)
            raise InTheWay(str(link), "a folder", "a symbolic link") from error
        _sync(folder, link.parent)
    reach("link.done")


def remove_entry(path: Path) -> None:
    """Remove a derived file or a link, durably; nothing there is fine.

    Raises:
        InTheWay: a folder has its name.
    """
    reach("entry.remove")
    try:
        with opened(path.parent) as folder:
            os.unlink(path.name, dir_fd=folder)
            _sync(folder, path.parent)
    except FileNotFoundError:
        return
    except IsADirectoryError as error:
        raise InTheWay(str(path), "a folder", "a file or a link") from error
    reach("entry.removed")


def freeze(folder: Path) -> None:
    """Take away write permission from every plain file of a folder that is published next.

    Raises:
        InTheWay: a link is on the way.
    """
    with opened(folder) as descriptor:
        for name in sorted(os.listdir(descriptor)):  # noqa: PTH208 - pathlib knows no descriptors
            if stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                os.chmod(name, stat.S_IRUSR, dir_fd=descriptor)


def remove_staging(folder: Path) -> None:
    """Remove unfinished work (only ever a staging name) from a folder; nobody may be writing there."""
    try:
        with opened(folder) as descriptor:
            for name in sorted(os.listdir(descriptor)):  # noqa: PTH208 - pathlib knows no descriptors
                if name.startswith(STAGING_PREFIX):
                    reach("staging.remove")
                    _remove_whole(name, descriptor)
    except FileNotFoundError:
        return


def remove_staged(place: Path) -> None:
    """Remove one folder of unfinished work, by its staging name; nothing there is fine."""
    if not place.name.startswith(STAGING_PREFIX):
        raise ValueError(f"{place} has no staging name")
    with suppress(FileNotFoundError), opened(place.parent) as folder:
        reach("staging.remove")
        _remove_whole(place.name, folder)


def _remove_whole(name: str, folder: int) -> None:
    """Remove a file, a link, or a folder with all that is in it."""
    import shutil  # slow to import, and seldom needed

    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        shutil.rmtree(name, dir_fd=folder)
    else:
        _discard(name, folder)


def _temporary(path: Path) -> str:
    return f"{STAGING_PREFIX}{path.name}.{os.getpid()}"


def _discard(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _write_new(name: str, folder: int, path: Path, content: bytes) -> None:
    """Write an unfinished file into an open folder; errors name the file that it is to become."""
    reach("file.create")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with _named(path):
        descriptor = os.open(name, flags, PRIVATE_FILE, dir_fd=folder)
        try:
            write_all(descriptor, content)
            reach("file.fsync")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error of the system name this file by its whole path: people must know which disk is full."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
