"""git over the network: the few calls that talk to another repository. No question is asked, no hook runs.

Only the transports of git itself are allowed (`ext::` and helpers of other names are not); a password that is
not known is an error instead of a question.
"""

import os
import subprocess
from pathlib import Path

from reconciler.desired.git_process import SourceError

PROTOCOLS = "file:git:http:https:ssh"
_SETTINGS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"),
    *("-c", "protocol.ext.allow=never", "-c", "submodule.recurse=false"),
)

_REMOTE = "remote:"
"""Before each line that a hook of the other side has said."""
_MOST_WORDS = 20


def run_over_network(
    repository: Path, *arguments: str, timeout_seconds: float = 60.0
) -> "subprocess.CompletedProcess[bytes]":
    """Run git and return what it said, whatever its exit status.

    Raises:
        SourceError: there is no git, or no answer in time.
    """
    command = ["git", "--no-pager", "-C", str(repository), *_SETTINGS, *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, check=False, env=_environment(), stdin=subprocess.DEVNULL,
            timeout=timeout_seconds,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise SourceError(f"{repository}: git is not installed; install it") from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            f"{repository}: git {arguments[0]} got no answer from the other side in {timeout_seconds:g} s"
        ) from error


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
