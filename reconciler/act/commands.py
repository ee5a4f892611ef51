"""Run a skill's source: a command without a shell, bounded in time and output, that leaves nothing behind."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from reconciler.act.environment import child_environment
from reconciler.act.errors import Permanent, Temporary
from state.failpoints import reach

if TYPE_CHECKING:
    from subprocess import Popen

_POLL_SECONDS = 0.02
_MAX_SAID_BYTES = 2000


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How far a command may go."""

    seconds: float = 600.0
    file_bytes: int = 512 * 1024 * 1024
    """No file that it writes may grow beyond."""


def run_command(
    command: Sequence[str], *, cwd: Path, bounds: Bounds, interrupted: Callable[[], bool]
) -> None:
    """Run the command to its end; `python` as its first word is the interpreter that runs here.

    Whatever it started is killed when it ends or when we leave.

    Raises:
        Permanent: it cannot be started, failed, or took too long; with the last of what it said.
        Temporary: it was interrupted.
    """
    import resource
    import subprocess  # only this needs it, and it is slow to import

    argv = [sys.executable, *command[1:]] if command[0] == "python" else list(command)
    with tempfile.TemporaryFile() as said:
        reach("process.spawn")
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=child_environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise Permanent(
                f"{argv[0]}: there is no such program; correct the skill's source.command"
            ) from error
        try:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (bounds.file_bytes, bounds.file_bytes))
            reach("process.spawned")
            _wait(process, bounds, interrupted, said, command)
        finally:
            _kill_group(process.pid)
            process.wait()


def _wait(
    process: "Popen[bytes]",
    bounds: Bounds,
    interrupted: Callable[[], bool],
    said: IO[bytes],
    command: Sequence[str],
) -> None:
    deadline = time.monotonic() + bounds.seconds
    while process.poll() is None:
        if interrupted():
            raise Temporary("broken off while it ran, because of a request; it is run again")
        if time.monotonic() > deadline:
            raise Permanent(
                f"`{' '.join(command)}` took more than {bounds.seconds:g} s and was ended{_tail(said)}"
            )
        time.sleep(_POLL_SECONDS)
    if process.returncode != 0:
        raise Permanent(f"`{' '.join(command)}` failed with exit code {process.returncode}{_tail(said)}")


def _tail(said: IO[bytes]) -> str:
    """Return the last of what the command printed, for the message."""
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _MAX_SAID_BYTES))
    text = said.read().decode("utf-8", "replace").strip()
    return f"; it said: {text}" if text else "; it said nothing"


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
