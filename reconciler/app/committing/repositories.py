"""A repository in a folder of exactly this name. `commits` and `init` write through it.

GitPython expands `$NAME` in a path, in `Repo` and once more in the `Git` that it makes for itself: a commit
from a folder called `prod-$TEAM` would land in another one. It takes a `Path` there as it is.
"""

import os
from pathlib import Path

from git import Git, Repo


class _LiteralGit(Git):  # type: ignore[misc]  # GitPython is not followed
    """Runs git in the folder of exactly this name."""

    def __init__(self, working_dir: str | os.PathLike[str] | None = None) -> None:
        super().__init__(None if working_dir is None else Path(working_dir))


class LiteralRepo(Repo):  # type: ignore[misc]
    """The repository in a folder, nothing in whose name is expanded."""

    GitCommandWrapperType = _LiteralGit

    def __init__(self, top: Path) -> None:
        super().__init__(top, expand_vars=False)

    @classmethod
    def made_in(cls, top: Path, branch: str) -> "LiteralRepo":
        """Make one, with no commit yet."""
        _LiteralGit(top).init(initial_branch=branch)
        return cls(top)
