"""`new check post-receive`: the hook of a repository that is pushed to; it asks the realm to look at once."""

import shlex
import sys
from pathlib import Path

from reconciler.app.committing.new import Written, write_new
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.place import Options, head_of
from reconciler.desired.git_process import run

NAME = "post-receive"
_HOOK = """\
#!/bin/sh
# After a push: the realm's reconciler looks at its source now, not only at its next turn (apply: {{poll}}).
# Who pushes reads what it found. The push has landed by then: it fails with nothing of this.
unset $(git rev-parse --local-env-vars)
{command} refresh --why "a push" --wait --timeout 20
case $? in
0 | 3) ;;
*) echo "the realm looks by itself later" >&2 ;;
esac
"""


def new_post_receive(environment: Environment, options: Options) -> Written:
    """Write the hook into the repository itself, a bare one or not.

    Raises:
        SourceError: no repository, no commit.
        Blocked: there is such a hook.
    """
    commit, layout = head_of(environment, options), layout_of(environment, options)
    path = _git_folder(commit.git_dir) / "hooks" / NAME
    words = [sys.executable, "-m", "reconciler.cli", "--root", str(layout.root)]
    write_new(path, _HOOK.format(command=shlex.join(words)))
    path.chmod(0o755)
    return Written(path=str(path), name=NAME)


def _git_folder(git_dir: Path) -> Path:
    """Return the folder that all work trees of a repository share."""
    said = run(git_dir, "rev-parse", "--git-common-dir").stdout.decode("utf-8", "surrogateescape")
    return (git_dir / said.removesuffix("\n")).resolve()
