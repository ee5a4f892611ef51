"""What a repository remembers of the roots that its realm had on this machine, since its first apply.

`realm.root` of its git config is a root that was named for one command: flags and variables are of one
terminal only; the next one must not take another place for the realm, nor begin a second one there.

`realm.json` beside that config says in which roots apply took office, on which machine, and which of them is
the usual one: so a root on a disk that is not mounted is not taken for one that was never made, and no edit
of `realm.yaml` loses a realm out of sight. A clone takes neither along; a copy of the whole repository on
another machine does not count there.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from reconciler.app.surroundings.errors import Failed
from reconciler.desired.git_process import run
from reconciler.desired.git_source import Commit
from reconciler.observed.records import RootUse
from state.layout import Layout
from state.store.connection import is_store_there

KEY = "realm.root"
FILE = "realm.json"
_SECTION = b"[realm"


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when apply first took office in a root that was new."""

    host: str
    since: str


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """`realm.json` in the folder of the repository."""

    schema_version: int = 1
    home: str | None = None
    """The root that is meant where nobody names one."""
    used: Mapping[str, Used] = {}
    """By root."""

    def since(self, root: Path, host: str) -> str | None:
        """Return since when a root is in use on this machine; None: it never was."""
        used = self.used.get(str(root))
        return used.since if used is not None and used.host == host else None

    def home_on(self, host: str) -> Path | None:
        """Return the usual root, if it was in use on this machine."""
        home = Path(self.home) if self.home is not None else None
        return home if home is not None and self.since(home, host) is not None else None


def common_folder(git_dir: Path) -> Path:
    """Return where branches and config lie: for a linked work tree, in the repository it was made from."""
    try:
        return git_dir / (git_dir / "commondir").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return git_dir


def remembered_root(commit: Commit) -> Path | None:
    """Return the root that the repository of a commit remembers. No git process where it remembers none."""
    try:
        config = (common_folder(commit.git_dir) / "config").read_bytes()
    except OSError:
        return None
    if _SECTION not in config.lower():
        return None
    said = run(commit.git_dir, "config", "--local", "--get", KEY).stdout
    text = said.decode("utf-8", "surrogateescape").removesuffix("\n")
    return Path(text) if text.startswith("/") else None


def remember_root(commit: Commit, root: Path) -> bool:
    """Write the root into the repository's git config; False where that cannot be written."""
    return run(commit.git_dir, "config", "--local", KEY, str(root)).returncode == 0


def memory_of(commit: Commit) -> Memory:
    """Return what the repository of a commit remembers of the roots that were in use.

    Raises:
        Failed: the file is damaged.
    """
    from state.contract.files import ContractError, read

    try:
        return read(_file(commit), Memory)
    except OSError:  # there is none, or it is another user's
        return Memory()
    except ContractError as error:
        raise Failed(f"{error}; remove it: the next apply writes it anew") from error


def remember_use(commit: Commit, root: Path, used: Used, *, is_home: bool, is_new: bool = False) -> None:
    """Let the repository remember that a root is in use, if it does not; `is_new`: it was begun again.

    Raises:
        Failed: what it remembers is damaged.
        OSError: it cannot be written there.
    """
    known = memory_of(commit)
    home = str(root) if is_home else known.home
    if home == known.home and known.since(root, used.host) is not None and not is_new:
        return
    from state.atomic import write_json

    kept = used if is_new else msgspec.structs.replace(used, since=known.since(root, used.host) or used.since)
    write_json(_file(commit), Memory(home=home, used={**known.used, str(root): kept}))


def use_of_root(commit: Commit, layout: Layout, host: str, *, is_named: bool) -> RootUse | None:
    """Return what the repository remembers of a root that it had on this machine; None: it never had it.

    Raises:
        Failed: what it remembers is damaged.
        OSError: what is in the root may not be looked at.
    """
    memory = memory_of(commit)
    since = memory.since(layout.root, host)
    if since is None:
        return None
    is_home = not is_named and memory.home == str(layout.root)
    return RootUse(since=since, is_home=is_home, is_gone=not is_in_use(layout))


def is_in_use(layout: Layout) -> bool:
    """Is there a realm in a root, be its store lost?

    Raises:
        OSError: what is in the root may not be looked at.
    """
    if is_store_there(layout.store):
        return True
    from state.store.traces import lost_store  # where there is a store, nobody looks for it

    return lost_store(layout) is not None


def _file(commit: Commit) -> Path:
    return common_folder(commit.git_dir) / FILE
