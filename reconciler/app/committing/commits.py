"""The one place, beside `init`, that writes to a specs repository: one commit on the branch that is checked
out, or on a new one.

The commit is made from objects, aside, and the branch moves last, only from where it was seen. With a branch
of its own the work tree is not touched. No hook runs and nothing is signed: nothing may ask.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import TYPE_CHECKING

import msgspec

from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Failed, Misused
from reconciler.desired.git_source import Commit

if TYPE_CHECKING:
    from git import Repo

_REGULAR = "100644"
_AUTHORS = ("GIT_AUTHOR_", "GIT_COMMITTER_")
_LOCKED = re.compile(r"Unable to create '(.+\.lock)': File exists")
"""What git says where another one holds a lock file; its own words are long, and of that file only."""
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0")


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the commit."""

    path: str
    """From the repository's top folder."""
    before: bytes | None
    """None: it is new."""
    after: bytes | None
    """None: it goes."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who commits."""

    name: str
    email: str
    is_made_up: bool
    """git knows no name and address of this user, so it is the login name."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that was made."""

    commit: str
    branch: str
    identity: Identity


def make_commit(
    environment: Environment, base: Commit, changes: Sequence[FileChange], message: str, branch: str | None
) -> Made:
    """Commit the changes on top of `base`; move its branch there, or make the new branch.

    Raises:
        Misused: this cannot be the name of a branch.
        Blocked: there is such a branch; no branch is checked out and none was named; or git is at work there.
        Failed: git refuses; or the branch moved meanwhile.
    """
    from git import GitError

    from reconciler.app.committing.repositories import LiteralRepo

    if base.top is None:
        raise Blocked(
            f"{base.git_dir}: a bare repository has no files to commit; "
            "do it in a clone of it (--repo CLONE), and push"
        )
    try:
        with without_git_variables(), _alone(base.git_dir), LiteralRepo(base.top) as repository:
            writing = _Writing(repository, base, base.top)
            writing.refuse_staged(changes)
            target = writing.free_branch(branch) if branch is not None else writing.current_branch()
            identity = identity_of(environment, repository)
            commit = writing.commit(changes, message, identity)
            if branch is None:
                writing.follow(target, commit, changes, message)
            else:
                writing.move(target, commit, None, message)
            return Made(commit=commit, branch=target, identity=identity)
    except GitError as error:
        raise _refusal(base.top, str(getattr(error, "stderr", "")).strip() or str(error)) from error


def _refusal(top: Path, said: str) -> Blocked | Failed:
    """Return why git did not commit: another git command is at work there, or was killed; or in its words."""
    if (locked := _LOCKED.search(said)) is None:
        return Failed(f"{top}: git could not commit: {said}")
    return Blocked(
        f"{locked[1]}: another git command is at work there, or was killed, so nothing was changed; say it "
        f"again once it has ended; if none is at work: rm {quote(locked[1])}"
    )


def identity_of(environment: Environment, repository: "Repo") -> Identity:
    """Return whom git knows this user as; else the login name."""
    with repository.config_reader() as config:
        name = str(config.get_value("user", "name", ""))
        email = str(config.get_value("user", "email", ""))
    if name and email:
        return Identity(name=name, email=email, is_made_up=False)
    user = environment.user
    return Identity(name=user, email=f"{user}@{environment.host}", is_made_up=True)


@contextmanager
def without_git_variables() -> Iterator[None]:
    """Hide GIT_DIR and its kin, which would lead git into another repository; not who commits."""
    hidden = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith("GIT_") and not name.startswith(_AUTHORS)
    }
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def _alone(git_dir: Path) -> Iterator[None]:
    """Wait until no other of our commands writes to this repository."""
    folder = os.open(git_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


class _Writing:
    """What is done to one repository on top of one commit."""

    def __init__(self, repository: "Repo", base: Commit, top: Path) -> None:
        self._repository = repository
        self._base = base
        self._top = top

    def _git(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        command = ["git", *_QUIET, *arguments]
        return str(self._repository.git.execute(command, env=dict(env or {}), with_extended_output=False))

    def refuse_staged(self, changes: Sequence[FileChange]) -> None:
        """Refuse to replace what somebody has prepared for a commit and not committed."""
        paths = [change.path for change in changes]
        staged = self._git("diff-index", "--cached", "--name-only", self._base.id, "--", *paths)
        if staged:
            raise Blocked(
                f"{staged.replace(chr(10), ', ')}: edits there are staged and not committed, so nothing was "
                "changed; commit them or put them away first (git stash)"
            )

    def current_branch(self) -> str:
        if self._base.branch is None:
            raise Blocked(
                f"{self._top}: no branch is checked out (HEAD is detached at {self._base.id[:7]}); "
                "check one out, or make one: --branch NAME"
            )
        return self._base.branch

    def free_branch(self, name: str) -> str:
        from git import GitCommandError

        try:
            self._git("check-ref-format", f"refs/heads/{name}")
        except GitCommandError:
            raise Misused(f'"{name}" cannot be the name of a branch') from None
        if name.startswith("-"):
            raise Misused(f'"{name}" cannot be the name of a branch')
        if self._git("for-each-ref", f"refs/heads/{name}"):
            raise Blocked(f"{self._top}: there is a branch {name} already; choose another name")
        for above in list(PurePosixPath(name).parents)[:-1]:
            ref = f"refs/heads/{above}"
            if self._git("for-each-ref", "--format=%(refname)", ref) == ref:
                raise Blocked(
                    f"{self._top}: there is a branch {above}, beside which git has no {name}; "
                    "choose another name: --branch NAME"
                )
        return name

    def commit(self, changes: Sequence[FileChange], message: str, identity: Identity) -> str:
        """Write blobs, tree and commit; nothing points to them yet."""
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git("read-tree", self._base.id, env=index)
            self._put_in_index(changes, Path(folder), env=index)
            tree = self._git("write-tree", env=index)
        parent = ("-p", self._base.id)
        return self._git("commit-tree", tree, *parent, "-m", message, env=_who(identity))

    def _put_in_index(
        self, changes: Sequence[FileChange], folder: Path, env: Mapping[str, str] | None = None
    ) -> None:
        words = [word for entry in self._entries(changes, folder) for word in ("--cacheinfo", entry)]
        gone = [change.path for change in changes if change.after is None]
        self._git("update-index", "--add", *words, "--force-remove", "--", *gone, env=env)

    def _entries(self, changes: Sequence[FileChange], folder: Path) -> Iterator[str]:
        """Yield mode, blob and path of each file that stays, its blob written."""
        for change in changes:
            if change.after is None:
                continue
            aside = folder / "content"
            aside.write_bytes(change.after)
            blob = self._git("hash-object", "-w", "--no-filters", str(aside))
            yield f"{self._mode(change)},{blob},{change.path}"

    def _mode(self, change: FileChange) -> str:
        known = self._git("ls-tree", "--full-tree", self._base.id, "--", change.path)
        return known.split(" ", 1)[0] if known else _REGULAR

    def follow(self, branch: str, commit: str, changes: Sequence[FileChange], message: str) -> None:
        """Let index, files and the branch that is checked out be as in the commit: all of it, or nothing.

        Raises:
            Blocked: the branch has moved since it was read.
            GitError, OSError: it cannot be done; index and files are as they were.
        """
        if (now := self._git("rev-parse", "HEAD")) != self._base.id:
            raise Blocked(
                f"{branch} moved from {self._base.id[:7]} to {now[:7]} meanwhile, so nothing was changed; "
                "say it again"
            )
        try:
            self._update_work_tree(changes)
            self.move(branch, commit, self._base.id, message)
        except (Exception, KeyboardInterrupt):
            self._take_back(changes)
            raise

    def _take_back(self, changes: Sequence[FileChange]) -> None:
        """Let index and files be as HEAD has them, unless somebody else has changed that or the file."""
        from git import GitError

        paths = [change.path for change in changes]
        with suppress(GitError, OSError):
            self._git("--literal-pathspecs", "reset", "-q", "HEAD", "--", *paths)
            moved = self._git(
                "--literal-pathspecs", "diff", "--name-only", self._base.id, "HEAD", "--", *paths
            )
            for change in changes if not moved else ():
                path = self._top / change.path
                if change.after == (path.read_bytes() if path.is_file() else None):
                    _replace(path, change.before)

    def _update_work_tree(self, changes: Sequence[FileChange]) -> None:
        """Let index and files be as in the commit; killed here, they are edits like a person's."""
        with tempfile.TemporaryDirectory() as folder:
            self._put_in_index(changes, Path(folder))
        self._sweep({(self._top / change.path).parent for change in changes})
        for change in changes:
            _replace(self._top / change.path, change.after)

    def _sweep(self, folders: set[Path]) -> None:
        """Remove what a kill has left beside specs: files of our reserved name that git does not know."""
        for left in sorted(found for folder in folders for found in folder.glob(_aside("*.yaml"))):
            path = left.relative_to(self._top).as_posix()
            is_plain = left.is_file() and not left.is_symlink()
            if is_plain and not self._git("ls-files", "--", f":(literal){path}"):
                left.unlink(missing_ok=True)

    def move(self, branch: str, commit: str, seen: str | None, message: str) -> None:
        """Let the branch point to the commit, if it still is where it was seen, or is still absent."""
        before = seen if seen is not None else "0" * len(commit)
        self._git("update-ref", "-m", f"reconcile: {message}", f"refs/heads/{branch}", commit, before)


def _who(identity: Identity) -> dict[str, str]:
    """Return the variables that say who commits; what the user's own environment says wins."""
    said = {
        "GIT_AUTHOR_NAME": identity.name,
        "GIT_AUTHOR_EMAIL": identity.email,
        "GIT_COMMITTER_NAME": identity.name,
        "GIT_COMMITTER_EMAIL": identity.email,
    }
    return {name: os.environ.get(name, value) for name, value in said.items()}


def _aside(name: str) -> str:
    """Return under which name beside it a file is written before it takes its place."""
    return f"._{name}.new"


def _replace(path: Path, content: bytes | None) -> None:
    """Replace a file as a whole, or remove it; one that is there keeps its mode.

    Raises:
        OSError: it cannot be; names this file, and nothing is left beside it.
    """
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(_aside(path.name))
    try:
        aside.write_bytes(content)
        if path.exists():
            aside.chmod(path.stat().st_mode)
        aside.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
