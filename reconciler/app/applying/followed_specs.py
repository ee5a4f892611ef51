"""The specs that a loop goes by: the newest of its branch, or the last good ones while those have mistakes.

Called by each tick. A mistake stops nothing that goes on; it is told once for each commit. Outside the
realm's change windows a newer commit waits, and the one taken up last stays in force.
"""

from reconciler.app.applying.following import Begun
from reconciler.app.applying.telling import Show
from reconciler.app.planning.change_windows import opens_at, taken_up_before, window_closed
from reconciler.app.planning.in_force import mistaken, since_when
from reconciler.app.planning.look import load_commit
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Failed, NotFound
from reconciler.app.surroundings.here import seen_from_here
from reconciler.app.surroundings.place import Options, followed_commit
from reconciler.desired.desired import Desired
from reconciler.desired.git_process import ExhaustedError, SourceError
from reconciler.desired.git_source import Commit
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.desired.windows import WindowClosed
from reconciler.plan.root import other_realm, other_realm_hint
from state.amounts import moment
from state.source_status import NotInForce


class FollowedSpecs:
    """Reads the newest commit of the branch, and remembers the one that was good last."""

    def __init__(
        self,
        environment: Environment,
        options: Options,
        begun: Begun,
        show: Show,
        *,
        taken_up: str | None = None,
        any_time: bool = False,
    ) -> None:
        """Go by `begun`, or by the commit that an earlier apply had taken up while its windows are closed."""
        self._environment, self._options, self._show = environment, options, show
        self._following, self._layout = begun.following, begun.layout
        self._realm_id, self._any_time = begun.realm_id, any_time
        self.good = self._of_before(begun.in_force, taken_up)
        self.waiting: WindowClosed | None = None
        """A newer commit waits for a change window; None while none does."""
        self.complaint: str | None = None
        """Why the newest specs are not in force; None while they are."""
        self.lost: SourceError | None = None
        """Why the branch itself cannot be read, so that nobody knows what it says by now."""
        self.mistaken: str | None = None
        """Where the newest specs have their first mistake; None while they have none."""
        self.not_in_force: NotInForce | None = None
        """The newest commit, while an earlier one is in force."""

    def newest(self) -> tuple[Commit, Desired]:
        """Return the newest commit of the branch and what it says; the last good one while that is bad.

        Raises:
            SourceError, SpecMistakesError, NotFound, Failed: the newest is bad, and none was good before.
        """
        commit, self.lost, self.mistaken, self.not_in_force = None, None, None, None
        try:
            commit = followed_commit(self._following, self._layout)
            if self.good is not None and commit.id == self.good[0].id:
                self.waiting = None
            elif self.good is None or not self._waits(commit, self.good):
                self.good = commit, self._read(commit)
        except (SourceError, SpecMistakesError, NotFound, Failed) as error:
            if self.good is None:
                raise
            self.lost = error if commit is None and isinstance(error, SourceError) else None
            self.mistaken = error.mistakes[0].where if isinstance(error, SpecMistakesError) else None
            self.not_in_force = _why_not(commit, error)
            self._complain(error, commit, self.good[0])
        else:
            self.complaint = None
        return self.good

    def _of_before(
        self, newest: tuple[Commit, Desired] | None, known: str | None
    ) -> tuple[Commit, Desired] | None:
        if newest is None or self._any_time:
            return newest
        before = taken_up_before(self._environment, self._options, newest[0], known)
        is_closed = before is not None and opens_at(before[1], self._environment.now()) is not None
        return before if is_closed else newest

    def _waits(self, commit: Commit, good: tuple[Commit, Desired]) -> bool:
        """Does a newer commit than the good one wait for a change window? Say so, once."""
        closed = None if self._any_time else window_closed(commit, good, self._environment.now())
        if closed is not None and closed != self.waiting:
            self._show.notice(closed.text)
        if closed is not None:
            why = f"it waits for the change window, which opens at {closed.opens_at}"
            self.not_in_force = NotInForce(commit=commit.id, why=why, is_mistaken=False)
        self.waiting = closed
        return closed is not None

    def _read(self, commit: Commit) -> Desired:
        """Return what a commit says.

        Raises:
            Failed: it is of another realm: no word of realm.yaml may leave training without one.
        """
        read = seen_from_here(self._environment, self._options, load_commit(self._environment, commit))
        said = read.realm.where("id")
        if (other := other_realm(str(self._layout.root), self._realm_id, read.realm.spec.id)) is not None:
            raise Failed(f"{said}: {other}; {other_realm_hint(str(self._layout.store), self._realm_id)}")
        return read

    def _complain(self, error: Exception, commit: Commit | None, good: Commit) -> None:
        """Say, once for each commit, why its specs are not in force, and since when."""
        cause = f"{error}\nThe specs at {good.name} stay in force"
        if cause != self.complaint:
            self.complaint = cause
            since = since_when(good, commit) if commit is not None else None
            others = f"; those at {commit.name} are not, since {moment(since)}" if commit and since else ""
            self._show.notice(f"{cause}{others}.")


def _why_not(commit: Commit | None, error: Exception) -> NotInForce:
    """Return why the newest commit is not in force."""
    if commit is not None and isinstance(error, SpecMistakesError):
        return mistaken(commit, error)
    why = f"it is not in force: {error}"
    is_mistaken = not isinstance(error, ExhaustedError)
    return NotInForce(commit=commit.id if commit else None, why=why, is_mistaken=is_mistaken)
