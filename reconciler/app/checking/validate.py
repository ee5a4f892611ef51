"""`validate`: every mistake in the specs, as they lie in the work tree or at a commit."""

import msgspec

from reconciler.app.checking.refusals import Refusal, refusals_in
from reconciler.app.planning.look import load_commit, load_worktree
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.ground import work_tree_of
from reconciler.app.surroundings.place import Options, head_of
from reconciler.desired.desired import Desired
from reconciler.desired.mistakes import Mistake, SpecMistakesError


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    schema_version: int = 1
    source: str
    """What was read: the work tree's folder, or a commit."""
    num_specs: int
    mistakes: tuple[Mistake, ...] = ()
    num_unread: int = 0
    """Specs that could not be read at all; the names in them were not checked."""
    refusals: tuple[Refusal, ...] = ()
    """What a launch refuses though it is no mistake; looked for where there are no mistakes."""


def validate(environment: Environment, options: Options, ref: str | None = None) -> Validation:
    """Return every mistake in the files of the work tree, or in those at a commit.

    Raises:
        SourceError: no repository, no such commit, no specs.
    """
    try:
        if ref is None:
            top = work_tree_of(environment, options)
            source = f"the work tree {top}"
            desired = load_worktree(environment, top)
        else:
            commit = head_of(environment, options, ref)
            source = commit.name
            desired = load_commit(environment, commit)
    except SpecMistakesError as error:
        return Validation(
            source=source,
            num_specs=error.num_specs,
            mistakes=error.mistakes,
            num_unread=error.num_unread,
        )
    return Validation(source=source, num_specs=_num_specs(desired), refusals=refusals_in(desired))


def _num_specs(desired: Desired) -> int:
    singles = (desired.realm, desired.queue, desired.retention, desired.hosts)
    many = (desired.heroes, desired.campaigns, desired.skills, desired.datasets)
    return sum(one is not None for one in singles) + sum(map(len, many))
