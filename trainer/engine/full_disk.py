"""A disk that is full: how it is known, and room set aside for the words that must be written then."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from state.atomic import PRIVATE_FILE
from state.failpoints import reach
from state.layout import STAGING_PREFIX
from state.writing import write_all

_SET_ASIDE_BYTES = 16 * 1024
"""For a record with a path of the system's greatest length, and a sentence beside it."""
_FLAGS = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_full(error: BaseException | None) -> bool:
    """Does this say that a disk, or what we may use of it, is full?"""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class Reserve:
    """Room for one small file: a file beside it with its blocks, which is written over and renamed.

    Where a file system writes over nothing in place, it may help nothing. A killed run's is removed with all
    unfinished work.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._aside = place.with_name(f"{STAGING_PREFIX}{place.name}.reserve")
        self._is_held = False

    def hold(self) -> None:
        """Set the room aside, unless it is; without any, the next time will do."""
        if self._is_held:
            return
        try:
            reach("reserve.hold")
            descriptor = os.open(self._aside, _FLAGS | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
            try:
                write_all(descriptor, b" " * _SET_ASIDE_BYTES)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.give_up()
            if not is_full(error):
                raise
            return
        self._is_held = True

    def write(self, content: bytes) -> bool:
        """Replace the file's content as one step, in the room that was set aside; say whether it could be."""
        if not self._is_held or len(content) > _SET_ASIDE_BYTES:
            return False
        self._is_held = False
        try:
            self._write_over(content)
        except FileNotFoundError:
            return False  # somebody removed what was set aside: as if there had been none
        except OSError as error:
            if not is_full(error):
                raise
            return False
        return True

    def give_up(self) -> None:
        """Free the room."""
        self._is_held = False
        with suppress(FileNotFoundError):
            self._aside.unlink()

    def _write_over(self, content: bytes) -> None:
        reach("reserve.write")
        descriptor = os.open(self._aside, _FLAGS)
        try:
            write_all(descriptor, content)
            os.ftruncate(descriptor, len(content))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._aside.replace(self._place)
