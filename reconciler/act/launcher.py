"""Start a trainer as a process of its own: it outlives the reconciler, and is reaped while that lives."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from state.failpoints import reach
from state.inside import open_file


class Exited(NamedTuple):
    """A child that has left."""

    pid: int
    exit_code: int
    """Negative: minus the number of the signal that ended it."""


class Launcher(Protocol):
    """Starts trainers somewhere."""

    def spawn(self, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> int:
        """Start the command and return its process id; it writes both its outputs to the log."""
        ...

    def reap(self) -> tuple[Exited, ...]:
        """Return the children that have left since the last call."""
        ...


class LocalLauncher:
    """Starts trainers on this machine, each as the leader of its own session."""

    def __init__(self) -> None:
        self._children: list[int] = []

    def spawn(self, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> int:
        """Start the command and return its process id.

        Raises:
            OSError: the program or the folder is not there, or no process can be made.
        """
        import subprocess  # only a launch needs it, and it is slow to import

        reach("process.spawn")
        descriptor = open_file(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            process = subprocess.Popen(
                argv,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        # The handle is let go on purpose: it would complain about a child that outlives us.
        process.returncode = 0
        self._children.append(process.pid)
        reach("process.spawned")
        return process.pid

    def reap(self) -> tuple[Exited, ...]:
        """Return the children that have left since the last call, so that none stays a zombie."""
        left = tuple(found for pid in self._children if (found := _wait(pid)) is not None)
        gone = {child.pid for child in left}
        self._children = [pid for pid in self._children if pid not in gone]
        return left


def _wait(pid: int) -> Exited | None:
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # someone else in this process waited for it
        return Exited(pid, 0)
    return Exited(pid, os.waitstatus_to_exitcode(status)) if found else None
