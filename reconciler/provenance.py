"""Which software trains: a fact that every launch writes everywhere, beside the config's hash.

Called by act at each launch, never by planning: it asks git and reads files. Not remembered in between: a
trainer imports what lies on the disk when it starts, and that may have changed since the reconciler did.
"""

import hashlib
import os
from pathlib import Path

import reconciler
from state.contract.request import CodeVersion

DISTRIBUTION = "realm-reconciler"
PACKAGES = ("reconciler", "state", "trainer")
_OWN_FILE = "reconciler/__init__.py"
_GIT_SECONDS = 60
_DIRTY_DIGITS = 16


class ProvenanceUnknown(Exception):
    """It cannot be told which software runs here."""


def code_version(place: Path | None = None) -> CodeVersion:
    """Return which software lies in `place` (default: where this module was imported from) right now.

    A checkout: its commit, with a digest of what is not committed in our packages. Else the digest of the
    installed distribution's file list.

    Raises:
        ProvenanceUnknown: neither a checkout nor an installed distribution.
    """
    place = place or Path(reconciler.__file__).resolve().parent.parent
    commit = _git(place, "rev-parse", "HEAD") if _is_our_checkout(place) else None
    if commit is not None:
        return CodeVersion(source="git", commit=commit.decode().strip(), dirty=_dirty_digest(place))
    return CodeVersion(source="distribution", commit=None, distribution=_distribution(place))


def _is_our_checkout(place: Path) -> bool:
    """Is our code tracked there? A virtual environment inside someone else's repository is not."""
    return _git(place, "ls-files", "--error-unmatch", "--", _OWN_FILE) is not None


def _dirty_digest(place: Path) -> str | None:
    """Return 16 hex digits over each of our files that differs from the commit; None when none does.

    Names and contents count, not git's text of the difference, which depends on a person's settings.
    """
    changed = _git(
        place, "diff", "HEAD", "--name-only", "--no-renames", "--no-ext-diff", "-z", "--", *PACKAGES
    )
    new = _git(place, "ls-files", "--others", "--exclude-standard", "-z", "--", *PACKAGES)
    if changed is None or new is None:
        raise ProvenanceUnknown(f"{place}: git does not tell what is not committed; run `git status` there")
    names = sorted({name for name in (changed + new).split(b"\0") if name})
    if not names:
        return None
    digest = hashlib.sha256()
    for name in names:
        digest.update(name + b"\0" + _content_digest(place / os.fsdecode(name)))
    return digest.hexdigest()[:_DIRTY_DIGITS]


def _content_digest(path: Path) -> bytes:
    if path.is_symlink():
        return hashlib.sha256(b"link " + os.fsencode(path.readlink())).digest()
    return hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"deleted"


def _git(place: Path, *arguments: str) -> bytes | None:
    """Return what git prints; None when it refuses or is not installed."""
    import subprocess  # only a launch needs it, and it is slow to import

    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],
            cwd=place,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def _distribution(place: Path) -> str:
    """Return name, version and digest of the installed files' list, which holds the hash of each."""
    from importlib import metadata  # slow to import, and never needed in a checkout

    for found in metadata.distributions(name=DISTRIBUTION):
        record = found.read_text("RECORD")
        if record and Path(str(found.locate_file(""))).resolve() == place:
            digest = hashlib.sha256("\n".join(sorted(record.splitlines())).encode()).hexdigest()
            return f"{DISTRIBUTION} {found.version} sha256:{digest}"
    raise ProvenanceUnknown(
        f"{place}: neither a git checkout of this software nor an installed distribution of it "
        f"({DISTRIBUTION}), so a launch could not say which code trained; install it, or clone it with git"
    )
