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
    told = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
    return "".join(char if char.isprintable() else " " for char in told)


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
