"""A second process looks at remembered folders from the last one on, while this one begins with the first.

Of a thousand campaigns every file of every checkpoint is looked at by each plan, which is most of its time;
two cores halve it. The answers are marks in shared memory, one for each folder: whoever comes to one without
a mark looks itself, so a second process that is slow, or is killed, costs nothing but what it did not do. It
only looks: it never touches what it was forked with, and ends where the two meet, or when this one is gone.
"""

import contextlib
import gc
import mmap
import os
from collections.abc import Callable, Sequence
from typing import Self

FEWEST_FOLDERS = 200
"""Of fewer, a fork takes longer than it saves."""
_UNKNOWN, _UNTOUCHED, _TOUCHED, _TAKEN = range(4)
_OWN_THREADS = "/proc/self/task"


class SecondLook:
    """The marks, by folder; and the process that makes some of them, to which this one is `parent`."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._places = {folder: place for place, folder in enumerate(folders)}
        self._marks = mmap.mmap(-1, max(1, len(folders)))
        self._process: int | None = None

    @classmethod
    def begin(cls, folders: Sequence[str], is_untouched: Callable[[str], bool]) -> Self:
        """Start a process that asks `is_untouched` of each folder, the last one first."""
        look, parent = cls(folders), os.getpid()
        look._process = os.fork()
        if look._process == 0:
            try:
                look._look(is_untouched, parent)
            finally:
                os._exit(0)  # whatever happened: what this process was forked with is not its own
        return look

    def _look(self, is_untouched: Callable[[str], bool], parent: int) -> None:
        gc.disable()
        for place in reversed(range(len(self._folders))):
            if self._marks[place] != _UNKNOWN or os.getppid() != parent:
                return
            self._marks[place] = _UNTOUCHED if is_untouched(self._folders[place]) else _TOUCHED

    def is_untouched(self, folder: str) -> bool | None:
        """Return what the other process found; None: it has not come so far, and the caller looks itself."""
        place = self._places.get(folder)
        if place is None:
            return None
        mark = self._marks[place]
        if mark == _UNKNOWN:
            self._marks[place] = _TAKEN  # whoever comes from the other side ends here
            return None
        return mark == _UNTOUCHED

    def end(self) -> None:
        """Let the other process end with the folder that it looks at, and wait for that."""
        self._marks[:] = bytes([_TAKEN]) * len(self._marks)
        if self._process:
            with contextlib.suppress(ChildProcessError):  # whoever started us may want no news of children
                os.waitpid(self._process, 0)
        self._process = None


def may_fork() -> bool:
    """Is there a second core, and no second thread that might hold what a forked process would wait for?"""
    try:
        return len(os.sched_getaffinity(0)) > 1 and len(os.listdir(_OWN_THREADS)) == 1  # noqa: PTH208 - names
    except OSError:
        return False
