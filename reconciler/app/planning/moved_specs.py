"""Renamed campaigns under their new names; git's history is asked only where the specs leave it open."""

from reconciler.desired.desired import Desired
from reconciler.desired.git_source import Commit
from reconciler.observed.facts import Facts
from reconciler.plan.campaigns.renames import is_unclear, with_renames


def with_moved_specs(facts: Facts, desired: Desired, commit: Commit, *, worktree: bool = False) -> Facts:
    """Return the facts with each renamed campaign under its new name, those that git sees as moved, too.

    With `worktree` the specs are those of the work tree: what moved since the commit is one more commit.
    """
    last = facts.store.last_names_commit
    if not worktree and last in (None, commit.id) and not is_unclear(desired, facts.store):
        return with_renames(facts, desired, {})
    from reconciler.app.planning.names_in_history import with_names_in_history  # after a commit only

    return with_names_in_history(facts, desired, commit, worktree=worktree)
