"""The specs that a loop goes by: the newest of its branch, or the last good ones while those have mistakes.

Called by each tick. A mistake stops nothing that goes on; it is told once for each commit.
"""

from reconciler.app.environment import Environment
from reconciler.app.errors import NotFound
from reconciler.app.following import Begun
from reconciler.app.here import seen_from_here
from reconciler.app.in_force import since_when
from reconciler.app.place import Options, followed_commit
from reconciler.app.planning import load_commit
from reconciler.app.telling import Show
from reconciler.desired.desired import Desired
from reconciler.desired.git_process import SourceError
from reconciler.desired.git_source import Commit
from reconciler.desired.mistakes import SpecMistakesError


class FollowedSpecs:
    """Reads the newest commit of the branch, and remembers the one that was good last."""

    def __init__(self, environment: Environment, options: Options, begun: Begun, show: Show) -> None:
        self._environment, self._options, self._show = environment, options, show
        self._following, self._layout = begun.following, begun.layout
        self.good: tuple[Commit, Desired] | None = begun.in_force
        self.complaint: str | None = None
        """Why the newest specs are not in force; None while they are."""

    def newest(self) -> tuple[Commit, Desired]:
        """Return the newest commit of the branch and what it says; the last good one while that is bad.

        Raises:
            SourceError, SpecMistakesError, NotFound: the newest is bad, and none was good before.
        """
        commit = None
        try:
            commit = followed_commit(self._following, self._layout)
            if self.good is None or commit.id != self.good[0].id:
                self.good = commit, self._read(commit)
        except (SourceError, SpecMistakesError, NotFound) as error:
            if self.good is None:
                raise
            self._complain(error, commit, self.good[0])
        else:
            self.complaint = None
        return self.good

    def _read(self, commit: Commit) -> Desired:
        return seen_from_here(self._environment, self._options, load_commit(self._environment, commit))

    def _complain(self, error: Exception, commit: Commit | None, good: Commit) -> None:
        """Say, once for each commit, why its specs are not in force, and since when."""
        cause = f"{error}\nThe specs at {good.name} stay in force"
        if cause != self.complaint:
            self.complaint = cause
            since = since_when(good, commit) if commit is not None else None
            newer = f"; those at {commit.name} are not, since {since}" if commit is not None and since else ""
            self._show.notice(f"{cause}{newer}.")
