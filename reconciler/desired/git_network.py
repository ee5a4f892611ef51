"""git over the network: the few calls that talk to another repository. No question is asked, no hook runs.

Only the transports of git itself are allowed (`ext::` and helpers of other names are not); a password that is
not known is an error instead of a question.
"""

import os
import selectors
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from reconciler.desired.git_process import SourceError

PROTOCOLS = "file:git:http:https:ssh"
_SETTINGS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"),
    *("-c", "protocol.ext.allow=never", "-c", "submodule.recurse=false"),
)

_REMOTE = "remote:"
"""Before each line that a hook of the other side has said."""
_MOST_WORDS = 20
_MOST_BYTES = 2**24
_LOOK_SECONDS = 1.0


class Patience(NamedTuple):
    """How long git may take."""

    silent_seconds: float = 60.0
    """Without a word of progress."""
    longest_seconds: float = 6 * 3600.0
    """In all: a first fetch over a slow line is long, and what is broken off begins anew."""


PATIENCE = Patience()


def run_over_network(
    repository: Path, *arguments: str, patience: Patience = PATIENCE
) -> "subprocess.CompletedProcess[bytes]":
    """Run git and return what it said, whatever its exit status; of more than 16 MiB, the last.

    Raises:
        SourceError: there is no git, or it waits for the other side in vain.
    """
    command = ["git", "--no-pager", "-C", str(repository), *_SETTINGS, *arguments]
    try:
        process = subprocess.Popen(
            command, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise SourceError(f"{repository}: git is not installed; install it") from error
    with process:
        try:
            said, errors = _heard(process, patience)
        except TimeoutError as error:
            raise SourceError(f"{repository}: git {arguments[0]} {error}") from error
        finally:
            _end(process)
        return subprocess.CompletedProcess(command, process.wait(), said, errors)


def _heard(process: "subprocess.Popen[bytes]", patience: Patience) -> tuple[bytes, bytes]:
    """Return what git said, when it has ended.

    Raises:
        TimeoutError: it was silent for too long, or took too long.
    """
    said = {pipe.fileno(): bytearray() for pipe in (process.stdout, process.stderr) if pipe is not None}
    begun = heard = time.monotonic()
    with selectors.DefaultSelector() as pipes:
        for pipe in said:
            pipes.register(pipe, selectors.EVENT_READ)
        while pipes.get_map():
            ready = pipes.select(min(_LOOK_SECONDS, patience.silent_seconds))
            if not ready and process.poll() is not None:
                break  # what ssh leaves behind for the next call holds the pipe
            heard = time.monotonic() if ready else heard
            _check_patience(
                patience, time.monotonic() - heard, time.monotonic() - begun, spoke=any(said.values())
            )
            for key, _ in ready:
                if part := os.read(key.fd, _MOST_BYTES):
                    said[key.fd] = (said[key.fd] + part)[-_MOST_BYTES:]
                else:
                    pipes.unregister(key.fd)
    out, errors = said.values()
    return bytes(out), bytes(errors)


def _check_patience(patience: Patience, silent: float, took: float, *, spoke: bool) -> None:
    if silent >= patience.silent_seconds:
        words = "heard nothing more" if spoke else "got no answer"
        raise TimeoutError(f"{words} from the other side in {patience.silent_seconds:g} s")
    if took >= patience.longest_seconds:
        raise TimeoutError(f"took more than {patience.longest_seconds / 3600:g} h")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End git with what it has started, unless it ended by itself."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def last_line(said: bytes) -> str:
    """Return the line in which git says why it failed; escaped, for it may come from the other side."""
    lines = said.decode("utf-8", "replace").strip().splitlines() or ["it gave no reason"]
    return _printable(next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1]))


def why_refused(done: "subprocess.CompletedProcess[bytes]") -> str:
    """Return why a `push --porcelain` of one ref failed: git's reason, below it the other side's words."""
    told = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.startswith("!\t")]
    reason = _printable(told[0].rpartition("\t")[2]) if told else last_line(done.stderr)
    said = [_printable(line).rstrip() for line in done.stderr.decode("utf-8", "replace").splitlines()]
    words = [line for line in said if line.startswith(_REMOTE) and line != _REMOTE]
    more = [f"{_REMOTE} ... and {len(words) - _MOST_WORDS} more lines"] if len(words) > _MOST_WORDS else []
    return "\n  ".join([reason, *words[:_MOST_WORDS], *more])


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else " " for char in line)


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in ("GIT_SSH", "GIT_SSH_COMMAND")
    }
    quiet = {
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "SSH_ASKPASS_REQUIRE": "force",
        "LC_ALL": "C",
    }
    return kept | quiet
