"""Look at the specs and the world once and plan: what `plan`, `status`, `explain` and `get` stand on.

Writes nothing under the root or the repository.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from reconciler.app.data.known_data import Memory, known_of_new, known_of_queue, with_inspections
from reconciler.app.data.late_held_out import with_late_held_out
from reconciler.app.data.unusable_tokenizers import with_unusable_tokenizers
from reconciler.app.planning.gather import Observer
from reconciler.app.planning.moved_specs import with_moved_specs
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.here import seen_from_here
from reconciler.app.surroundings.place import (
    Following,
    Options,
    given_root,
    head_of,
    read_following,
    repository_of,
    root_of,
)
from reconciler.app.surroundings.remembered_root import use_of_root
from reconciler.desired.commit_memory import load_at
from reconciler.desired.desired import Desired
from reconciler.desired.edits import uncommitted
from reconciler.desired.git_source import Commit
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import FileCache
from reconciler.desired.queue import Quest
from reconciler.desired.windows import WindowClosed
from reconciler.observed.facts import Facts
from reconciler.plan.changes import Plan
from reconciler.plan.dropped import all_quests, dropped_quests, where_of
from reconciler.plan.world import World
from state.amounts import count
from state.contract.inspection import Inspection
from state.layout import Layout
from state.store.newer_rows import newer_rows

_DAY_SECONDS = 86_400


class SeenThere(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when facts in a file were seen."""

    machine: str
    seen_at: str
    age_seconds: float
    """Before the plan was made."""

    @property
    def text(self) -> str:
        """Return what was planned against, and how old it is where that is more than a day."""
        is_old = self.age_seconds > _DAY_SECONDS
        age = f", {count(int(self.age_seconds // _DAY_SECONDS), 'day')} before this plan" if is_old else ""
        return (
            f"planned against what was seen on {self.machine} at {self.seen_at}{age}; "
            "what came after is not in it"
        )


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The specs, the world and the plan between them, at one moment."""

    commit: Commit
    is_worktree: bool
    """Planned from the uncommitted files of the work tree instead of a commit."""
    following: Following | None
    """What apply follows; None before the first apply."""
    uncommitted: tuple[str, ...]
    """Spec files that differ from the commit; they are not applied."""
    layout: Layout
    desired: Desired
    facts: Facts
    plan: Plan
    seen_at: str
    known_data: Mapping[str, Inspection] = {}
    """Quest id → what is known of the rows to train, where a plan queues or launches something."""
    complaint: str | None = None
    """The specs that are checked out have mistakes, so that those of an earlier commit are in force."""
    window: WindowClosed | None = None
    """The newest commit of the branch waits for a change window; None while none does."""
    snapshot: SeenThere | None = None
    """Planned from facts in a file: nothing of the root is here. None: from what is here."""

    @property
    def is_snapshot(self) -> bool:
        return self.snapshot is not None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader is warned of: first of all that the facts are those of another time, if they are."""
        return self.plan.warnings if self.snapshot is None else (self.snapshot.text, *self.plan.warnings)

    @property
    def quests(self) -> tuple[Quest, ...]:
        """Return every quest, in the order of the queue: those of the specs, then those of the inbox."""
        return all_quests(self.desired, dropped_quests(self.desired, self.facts))

    def quest_where(self, place: int) -> str:
        """Return file and line of a quest by its place in the queue; of a dropped one its place there."""
        return where_of(self.desired, self.quests, place)


def look(environment: Environment, options: Options, *, ref: str = "HEAD", worktree: bool = False) -> View:
    """Return what is wanted, what is, and what apply would do about it.

    Raises:
        SourceError: no repository, no commit, no such ref.
        SpecMistakesError: the specs have mistakes; holds all of them.
        NotFound, Misused: the specs do not know the host that was named; a --set is wrong.
    """
    commit = head_of(environment, options, ref)
    repository = commit.top or repository_of(environment, options)
    read = load_worktree(environment, repository) if worktree else load_commit(environment, commit)
    view = view_of(environment, options, commit, read, worktree=worktree)
    if view.facts.store.attempted_commit not in (None, commit.id):
        from reconciler.app.planning.change_windows import with_window

        view = with_window(environment, options, view)
    cache = FileCache(environment.cache_folder)
    edits = uncommitted(repository, commit, cache) if ref == "HEAD" else ()
    return msgspec.structs.replace(view, is_worktree=worktree, uncommitted=edits)


def view_of(
    environment: Environment, options: Options, commit: Commit, read: Desired, *, worktree: bool = False
) -> View:
    """Return what the specs of a commit, or of the work tree on it, want, what is, and what apply would do.

    Raises:
        NotFound, Misused: the specs do not know the host that was named; a --set is wrong.
    """
    desired = seen_from_here(environment, options, read)
    layout = Layout(root_of(environment, options, desired.realm.spec, commit))
    observer = Observer(environment, layout, commit.top or layout.root, looks_ahead=True)
    is_named = given_root(environment, options) is not None
    use = use_of_root(commit, layout, environment.host, is_named=is_named)
    seen = observer.facts(desired)
    seen = msgspec.structs.replace(seen, newer_rows=newer_rows(layout.row_files), root_use=use)
    seen = with_moved_specs(seen, desired, commit, worktree=worktree)
    now = environment.now()
    world = World(desired=desired, facts=seen, specs_commit=commit.id, now=now)
    memory = Memory(environment)
    known = known_of_new(world, layout, memory.look, memory.guards)
    world = with_inspections(world, known)
    if world.facts.store.jobs:
        from reconciler.app.data.known_jobs import with_untrainable_jobs

        world = with_untrainable_jobs(world, layout, memory.look)
    world = with_unusable_tokenizers(world, memory.unusable)
    if world.facts.models:
        from reconciler.app.data.unfit_weights import WeightVerdicts, with_unfit_weights

        world = with_unfit_weights(world, WeightVerdicts(environment))
    world = with_late_held_out(environment, world, layout)
    following = read_following(layout)
    if following is not None:
        facts = _with_what_became_of_the_branch(world.facts, following, layout, commit, now)
        world = msgspec.structs.replace(world, facts=facts)
    plan = observer.right.plan(desired, world.facts, specs_commit=commit.id, now=now)
    return View(
        commit=commit,
        is_worktree=False,
        following=following,
        uncommitted=(),
        layout=layout,
        desired=desired,
        facts=world.facts,
        plan=plan,
        seen_at=now,
        known_data=known_of_queue(world, layout, plan, memory.look, known),
    )


def _with_what_became_of_the_branch(
    facts: Facts, following: Following, layout: Layout, commit: Commit, now: str
) -> Facts:
    """Return the facts with whether the branch that apply follows goes on from where it was, and is there."""
    if following.branch != commit.branch:
        from reconciler.app.planning.local_history import with_lost_branch

        return with_lost_branch(facts, following, layout, now)
    if facts.store.trusted_commit == commit.id:
        return facts
    from reconciler.app.planning.local_history import with_history

    return with_history(facts, following, commit, now)


def world_of(view: View) -> World:
    """Return what a view was planned from."""
    return World(desired=view.desired, facts=view.facts, specs_commit=view.commit.id, now=view.seen_at)


def load_commit(environment: Environment, commit: Commit) -> Desired:
    """Return what the specs say at a commit."""
    cache = FileCache(environment.cache_folder)
    with cache.at_once():
        return load_at(commit, cache)


def load_worktree(environment: Environment, top: Path) -> Desired:
    """Return what the specs in the work tree say, committed or not."""
    from reconciler.desired.worktree import read_worktree

    return load(read_worktree(top), FileCache(environment.cache_folder))
