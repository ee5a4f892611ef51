"""The root that a repository's own git config remembers (`realm.root`), since its first apply.

Flags and variables are of one terminal only; the next one must not take another place for the realm, nor
begin a second one there. A clone does not take the config along: it is a note of this machine.
"""

from pathlib import Path

from reconciler.desired.git_process import run
from reconciler.desired.git_source import Commit

KEY = "realm.root"
_SECTION = b"[realm"


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
