"""The mirror of a remote source: a bare repository below the root, which can be fetched again at any time.

Every branch is fetched to `refs/remotes/source/`. The one that is followed becomes `refs/heads/<branch>` only
when it goes on from where it was: a rewritten history waits for a person's word. Nothing of what is fetched
is checked out, and no hook, filter, submodule or helper program runs.
"""

import errno
import re
import subprocess
from pathlib import Path

import msgspec

from reconciler.desired.git_network import last_line, run_over_network
from reconciler.desired.git_process import SourceError, run
from state.atomic import ensure_folder
from state.failpoints import reach
from state.source_status import Code

_FETCHED = "refs/remotes/source/"
_FETCH = (
    "fetch",
    "--prune",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-auto-gc",
    "--progress",
)
_WITHOUT_ACCESS = (
    b"could not read Username",
    b"could not read Password",
    b"Authentication failed",
    b"Permission denied",
    b"Host key verification failed",
)
"""What git and ssh say when the other side answers and does not let us in."""
_OTHER_FORMAT = re.compile(rb"mismatched algorithms: client (\w+); server (\w+)")
"""What git says where the source names its objects by another hash than the mirror does."""
_NEW_OBJECTS = 2_000
"""So many loose objects are packed."""


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the source found."""

    commit: str | None
    """Of the followed branch, as it is in force now."""
    offered: str | None = None
    """What the source has instead."""
    code: Code | None = None
    message: str = ""


def fetch(mirror: Path, url: str, branch: str, accepts: str | None = None) -> Fetched:
    """Bring the mirror up to its source; `accepts` may be taken up though it rewrites the history.

    Never raises for what the other side or the network does: the last good commit stays in force.
    """
    code: Code = "unreachable"
    try:
        return _looked(mirror, url, branch, accepts)
    except SourceError as error:
        message = str(error)
    except OSError as error:
        code, message = ("no-space" if error.errno == errno.ENOSPC else code), str(error)
    return Fetched(commit=_commit(mirror, f"refs/heads/{branch}"), code=code, message=message)


def _looked(mirror: Path, url: str, branch: str, accepts: str | None) -> Fetched:
    _prepare(mirror, branch)
    reach("mirror.fetch")
    done = _brought(mirror, url)
    now = _commit(mirror, f"refs/heads/{branch}")
    if f"rejected {_FETCHED}{branch} because shallow".encode() in done.stderr:  # git calls it no error
        told = f"the source is shallow: it lacks commits between {(now or 'nothing')[:7]} and its newest one"
        return Fetched(commit=now, code="shallow", message=told)
    if done.returncode != 0:
        return Fetched(commit=now, code=_code(done.stderr), message=_message(done.stderr))
    return _taken_up(mirror, branch, now, accepts)


def _brought(mirror: Path, url: str) -> "subprocess.CompletedProcess[bytes]":
    """Fetch every branch; a mirror that holds nothing yet names objects by the same hash as its source."""
    words = (*_FETCH, "--", url, f"+refs/heads/*:{_FETCHED}*")
    done = run_over_network(mirror, *words)
    other = _OTHER_FORMAT.search(done.stderr)
    if other is None or run(mirror, "for-each-ref", "--count=1").stdout:
        return done
    reach("mirror.format")
    run(mirror, "config", "core.repositoryFormatVersion", "1")  # first: without it git refuses the next one
    reach("mirror.format")
    run(mirror, "config", "extensions.objectFormat", other[2].decode())
    return run_over_network(mirror, *words)


def _message(said: bytes) -> str:
    """Return why nothing was fetched: git's last line, or what it means."""
    if (other := _OTHER_FORMAT.search(said)) is None:
        return last_line(said)
    was, now = other[1].decode(), other[2].decode()
    return (
        f"it names its objects by {now}, what was fetched before has {was}: that is another repository; "
        "give it a root of its own (reconcile --root DIR apply --source URL)"
    )


def _taken_up(mirror: Path, branch: str, now: str | None, accepts: str | None) -> Fetched:
    offered = _commit(mirror, f"{_FETCHED}{branch}")
    if offered is None:
        there = ", ".join(_branches(mirror)) or "none"
        return Fetched(
            commit=now, code="branch-gone", message=f"there is no branch {branch} (branches: {there})"
        )
    if offered == now:
        return Fetched(commit=now)
    if now is not None and accepts != offered and not _goes_on(mirror, now, offered):
        return Fetched(
            commit=now,
            offered=offered,
            code="rewritten",
            message=f"the history of {branch} was rewritten: {offered[:7]} does not go on from {now[:7]}",
        )
    reach("mirror.take-up")
    run(mirror, "update-ref", f"refs/heads/{branch}", offered, now or "0" * len(offered))
    _pack(mirror)
    return Fetched(commit=_commit(mirror, f"refs/heads/{branch}"))


def _prepare(mirror: Path, branch: str) -> None:
    """Make the mirror, or what a kill left of it whole.

    Locks and halves of packs in it are left over: we alone write there.
    """
    ensure_folder(mirror)
    if not (mirror / "HEAD").is_file() or not (mirror / "objects").is_dir():
        reach("mirror.create")
        run(mirror, "init", "--quiet", "--bare", f"--initial-branch={branch}", ".")
    halves = (mirror / "objects" / "pack").glob("tmp_*")
    for left in (*mirror.glob("*.lock"), *(mirror / "refs").rglob("*.lock"), *halves):
        left.unlink(missing_ok=True)


def _goes_on(mirror: Path, old: str, new: str) -> bool:
    return run(mirror, "merge-base", "--is-ancestor", old, new).returncode == 0


def _commit(mirror: Path, ref: str) -> str | None:
    if not mirror.is_dir():
        return None
    said = run(mirror, "rev-parse", "--verify", "-q", f"{ref}^{{commit}}")
    return said.stdout.decode().strip() or None


def _branches(mirror: Path) -> list[str]:
    said = run(mirror, "for-each-ref", "--count=10", "--format=%(refname)", _FETCHED).stdout.decode(
        "utf-8", "replace"
    )
    return [name.removeprefix(_FETCHED) for name in said.split()]


def _code(said: bytes) -> Code:
    if b"No space left" in said:
        return "no-space"
    return "no-access" if any(words in said for words in _WITHOUT_ACCESS) else "unreachable"


def _pack(mirror: Path) -> None:
    """Let a mirror that was fetched a thousand times stay as small as a fresh one."""
    run(mirror, "-c", f"gc.auto={_NEW_OBJECTS}", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")
