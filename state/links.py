"""A second name or copy of a frozen file, as cheap as the file system allows; durable once it returns."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from state.atomic import PRIVATE_FILE
from state.copies import copy_hashed
from state.failpoints import reach
from state.inside import open_file, opened

FICLONE = 0x40049409
"""ioctl_ficlone(2): share the blocks of another file until one of them is written to."""

How = Literal["reflink", "hard link", "copy"]
_CANNOT_CLONE = (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM)
_CANNOT_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)


def take_over_file(source: Path, target: Path) -> How:
    """Give the file's content to a new name: by reflink, else by hard link, else by copying it.

    A hard link is a snapshot only of a file that is durable and never written to again, as what is published.

    Raises:
        FileExistsError: the target is there already.
        InTheWay: the source is no plain file, or below the root a link is on the way to one of them.
        OSError: the disk is full or failing.
    """
    reach("file.link")
    return _cloned(source, target) or _linked(source, target) or _copied(source, target)


def _cloned(source: Path, target: Path) -> How | None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(open_file(source), "rb") as given, opened(target.parent) as folder:
        made = os.open(target.name, flags, PRIVATE_FILE, dir_fd=folder)
        try:
            fcntl.ioctl(made, FICLONE, given.fileno())
        except OSError as error:
            os.unlink(target.name, dir_fd=folder)
            if error.errno in _CANNOT_CLONE:
                return None
            raise
        else:
            os.fsync(made)
        finally:
            os.close(made)
    return "reflink"


def _linked(source: Path, target: Path) -> How | None:
    with opened(source.parent) as giving, opened(target.parent) as taking:
        try:
            os.link(source.name, target.name, src_dir_fd=giving, dst_dir_fd=taking, follow_symlinks=False)
        except OSError as error:
            if error.errno in _CANNOT_LINK:
                return None
            raise
    return "hard link"


def _copied(source: Path, target: Path) -> How:
    try:
        copy_hashed(open_file(source), target)
    except FileExistsError:
        raise
    except BaseException:
        with suppress(FileNotFoundError), opened(target.parent) as folder:
            os.unlink(target.name, dir_fd=folder)
        raise
    return "copy"
