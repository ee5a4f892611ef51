"""A git note on each commit that was applied whole: `git log --notes=realm` tells where and when.

Notes lie in `refs/notes/realm` of the local repository that is followed; a line a root. They are for people:
nothing reads them back, and where one cannot be written nothing stops. A source elsewhere gets none.
"""

from pathlib import Path

from reconciler.app.surroundings.place import Following
from reconciler.desired.git_process import SourceError, run
from reconciler.desired.git_source import Commit
from state.layout import Layout

NAMESPACE = "realm"
_WHO = ("-c", "user.name=reconcile", "-c", "user.email=reconcile@localhost")


def note_applied(
    following: Following, commit: Commit, layout: Layout, realm: str, host: str, at: str
) -> str | None:
    """Note on the commit that nothing is left to do at it; return why that failed, if it did."""
    if following.url is not None:
        return None
    repository, place = Path(following.repository), f"on {host}, root {layout.root}"
    try:
        known = run(repository, "notes", f"--ref={NAMESPACE}", "show", commit.id).stdout
        if place.encode() in known:
            return None
        text = f"realm {realm}: applied {at} {place}"
        done = run(
            repository,
            *_WHO,
            "notes",
            f"--ref={NAMESPACE}",
            "append",
            "--no-separator",
            "-m",
            text,
            commit.id,
        )
        if done.returncode:  # a git before 2.42 knows no --no-separator
            done = run(repository, *_WHO, "notes", f"--ref={NAMESPACE}", "append", "-m", text, commit.id)
    except SourceError as error:
        return str(error)
    if done.returncode:
        return f"{repository}: no git note was written: {done.stderr.decode('utf-8', 'replace').strip()}"
    return None
