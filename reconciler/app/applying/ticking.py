"""One tick: the newest commit of the branch, the world as it is, the plan between them, and its actions."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

import msgspec

from reconciler.act.broom import Broom
from reconciler.act.errors import FOREIGN, ActionFailed, translate
from reconciler.act.launcher import Launcher, LocalLauncher
from reconciler.act.observed_time import pass_time
from reconciler.act.older_store import older_copy_text
from reconciler.act.protocol import Outcome, perform
from reconciler.act.tools import Tools
from reconciler.app.applying.bookkeeping import Bookkeeper
from reconciler.app.applying.convergence import Convergence
from reconciler.app.applying.followed_specs import FollowedSpecs
from reconciler.app.applying.following import Begun, remember
from reconciler.app.applying.patience import Patience
from reconciler.app.applying.relief import enter_relieved, relieve_a_full_disk
from reconciler.app.applying.telling import Show
from reconciler.app.applying.told_once import ToldOnce
from reconciler.app.data.known_data import (
    Gate,
    Look,
    known_of_new,
    look_through_made,
    nothing_guarded,
    with_inspections,
)
from reconciler.app.data.known_jobs import with_untrainable_jobs
from reconciler.app.data.late_held_out import with_late_held_out
from reconciler.app.data.unfit_weights import WeightVerdicts, with_unfit_weights
from reconciler.app.data.unusable_tokenizers import with_unusable_tokenizers
from reconciler.app.planning.gather import Observer, new_realm_uid
from reconciler.app.planning.known_names import note_names
from reconciler.app.planning.local_history import lost_to_apply, remember_history, with_history
from reconciler.app.planning.look import View, world_of
from reconciler.app.planning.moved_specs import with_moved_specs
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.place import Options
from reconciler.app.surroundings.realm_store import check_ours
from reconciler.app.surroundings.remembered_root import common_folder
from reconciler.desired.desired import Desired
from reconciler.desired.edits import uncommitted
from reconciler.desired.git_source import Commit
from reconciler.desired.realm import duration_seconds
from reconciler.loop import Pace, Tick
from reconciler.plan.changes import Plan
from reconciler.plan.checkpoints.scrubs import is_background
from reconciler.plan.source import open_refresh
from reconciler.plan.suspensions import WHOLE
from reconciler.plan.world import LiveRun, World
from state.atomic import ensure_folder
from state.inside import stay_inside
from state.layout import Layout
from state.store.root_place import put_place
from state.store.tables import get_meta, put_meta
from state.store.writer import Writer

Choose = Callable[[View], Plan]
"""Returns what of a view's plan is to be done."""
_FINAL = frozenset({"given-up", "quest-failed"})
"""Blockers that are failures of training."""
_AS_ASKED = frozenset({"suspended", "held", "goal-reached", "still-training"})
"""Blockers that people asked for, or that end with what goes on: nothing waits for a person."""


class Ticker:
    """Holds office: the store's writer, the launcher, and the specs that were good last."""

    def __init__(
        self,
        environment: Environment,
        begun: Begun,
        stop: threading.Event,
        show: Show,
        launcher: Launcher | None = None,
        options: Options | None = None,
        look: Look | None = None,
        choose: Choose | None = None,
        *,
        any_time: bool = False,
    ) -> None:
        """Take office; trainers are started on this machine unless a launcher says otherwise.

        New rows are looked through by a process of the trainer unless `look` says otherwise. Of each plan
        only what `choose` returns is done. With `any_time` the realm's change windows do not count.
        """
        layout, following = begun.layout, begun.following
        _make_folders(layout)
        self._environment = environment
        self._options = options or Options()
        self._layout = layout
        self._following = following
        self._fetcher = begun.fetcher
        self._show = show
        self._choose = choose
        check_ours(layout, begun.realm_id)
        self._broom = Broom(layout)
        self._writer = enter_relieved(layout, environment.now(), show.notice, self._broom)
        self._launcher = launcher or LocalLauncher()
        top = layout.root if following.url is not None else Path(following.repository)
        self._observer = Observer(environment, layout, top)
        self._gate = Gate(environment, show.notice)
        self._weights = WeightVerdicts(environment)
        self._look_through = look or self._gate.look
        self._guards = nothing_guarded if look else self._gate.guards
        self._tools = Tools(
            layout=layout,
            writer=self._writer,
            launcher=self._launcher,
            now=environment.now,
            boot=environment.boot,
            interrupted=stop.is_set,
        )
        taken_up = _taken_up(self._writer)
        self._specs = FollowedSpecs(
            environment, self._options, begun, show, taken_up=taken_up, any_time=any_time
        )
        self._trouble: str | None = None
        self._view: View | None = None
        self._patience = Patience(show)
        self._told_once = ToldOnce(show)
        self._books = Bookkeeper(layout, self._writer, environment.now, show)
        self._convergence = Convergence(begun, environment.host, self._writer, self._books, show)
        self._own(begun.realm_id)
        self._root_use = remember(environment, self._options, begun, show)
        if self._writer.is_older_copy:
            show.notice(older_copy_text(layout))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._observer.close()
        self._writer.close()

    def _own(self, realm_id: str) -> None:
        """Give a new root its realm, and write down where it lies."""
        with self._writer.transaction() as store:
            put_place(store, self._layout.root)
            if get_meta(store, "realm_id") is None:
                put_meta(store, "realm_id", realm_id)
                put_meta(store, "realm_uid", new_realm_uid(realm_id, self._layout))

    def tick(self) -> Tick:
        """Look, plan and act once."""
        self._launcher.reap()
        relieve_a_full_disk(self._layout, self._show.notice)
        commit, desired = self._specs.newest()
        try:
            done = self._look_and_act(commit, desired)
        except (*FOREIGN, ActionFailed) as error:
            return self._failed(error)
        self._trouble = None
        return done

    def _look_and_act(self, commit: Commit, desired: Desired) -> Tick:
        view = self._look(commit, desired)
        self._view = view
        if self._fetcher is not None and open_refresh(world_of(view)) is not None:
            self._fetcher.fetch_now()
        remember_history(self._writer, view.facts, self._following, commit)
        note_names(self._writer, view.facts, commit.id)
        self._note("attempted_commit", commit.id, view.facts.store.attempted_commit)
        self._show.tick_began(view)
        outcomes = list(self._perform(view))
        if not all(outcome.ok for outcome in outcomes):
            self._broom.owe()
        self._broom.sweep(self._writer)
        self._books.catch_up(has_acted=bool(outcomes))
        self._told_once.tell(view.plan)
        return self._done(view, outcomes)

    def _done(self, view: View, outcomes: Sequence[Outcome]) -> Tick:
        """Return what the tick did, after observed time went on and what was reached is taken down."""
        succeeded = sum(outcome.ok for outcome in outcomes)
        may_purge = pass_time(
            self._writer,
            view.facts.store,
            view.seen_at,
            view.facts.boot,
            is_clean=succeeded == len(outcomes) and self._specs.complaint is None,
            has_acted=bool(view.plan.changes),
        )
        waits = self._patience.waits(view.plan) or bool(view.plan.tried_again)
        left = [change for change in view.plan.changes if not is_background(change)]
        is_settled = not (left or self.live_runs() or waits or may_purge)
        if is_settled:
            self._convergence.reached(view)
        return Tick(
            succeeded=succeeded,
            failed=len(outcomes) - succeeded,
            is_counted=_are_counted(outcomes),
            plan_digest=view.plan.digest,
            is_moving=may_purge or any(live.is_moving for live in self.live_runs()),
            is_settled=is_settled,
        )

    def _failed(self, error: Exception) -> Tick:
        """Say, once, that the world could not be read or the store not written; the loop tries again."""
        self._broom.owe()
        text = str(error if isinstance(error, ActionFailed) else translate(error))
        if text != self._trouble:
            self._trouble = text
            self._show.notice(f"{text} (tried again later)")
        return Tick(failed=1, is_settled=False)

    def _look(self, commit: Commit, desired: Desired) -> View:
        seen = with_moved_specs(self._observer.facts(desired), desired, commit)
        now = self._environment.now()
        world = World(desired=desired, facts=seen, specs_commit=commit.id, now=now)
        world = with_inspections(world, known_of_new(world, self._layout, self._look_through, self._guards))
        world = with_untrainable_jobs(world, self._layout, self._look_through)
        world = with_unusable_tokenizers(world, self._gate.unusable)
        world = with_unfit_weights(world, self._weights)
        facts = with_late_held_out(self._environment, world, self._layout).facts
        if self._specs.lost is not None:
            facts = lost_to_apply(facts, self._following, self._specs.lost, now)
        else:
            facts = with_history(facts, self._following, commit, now)
        mistaken, newest = self._specs.mistaken, self._specs.not_in_force
        facts = msgspec.structs.replace(
            facts, root_use=self._root_use, mistaken_specs=mistaken, not_in_force=newest
        )
        view = View(
            commit=commit,
            is_worktree=False,
            following=self._following,
            uncommitted=uncommitted(commit.top) if commit.top is not None and self._view is None else (),
            layout=self._layout,
            desired=desired,
            facts=facts,
            plan=self._observer.right.plan(desired, facts, specs_commit=commit.id, now=now),
            seen_at=now,
        )
        return view if self._choose is None else msgspec.structs.replace(view, plan=self._choose(view))

    def _perform(self, view: View) -> Iterator[Outcome]:
        plan = view.plan
        gate = partial(look_through_made, world_of(view), self._layout, self._look_through, self._guards)
        known = frozenset(request.id for request in view.facts.store.requests)
        tools = msgspec.structs.replace(self._tools, look_through=gate, known_requests=known)
        commit, digest, began = view.commit.id, plan.digest, self._show.change_began
        for outcome in perform(plan.changes, tools, specs_commit=commit, plan_digest=digest, on_begin=began):
            self._show.change_ended(outcome)
            yield outcome

    def _note(self, key: str, value: str, known: str | None) -> None:
        if known != value:
            with self._writer.transaction() as store:
                put_meta(store, key, value)

    def live_runs(self) -> tuple[LiveRun, ...]:
        """Return the trainers that lived when this tick looked."""
        view = self._view
        if view is None:
            return ()
        return world_of(view).live_runs()

    def look_now(self) -> None:
        """Look at the source, or at the local branch, before the interval is over; for signal handlers."""
        if self._fetcher is not None:
            self._fetcher.fetch_now()
        with suppress(OSError):
            self._layout.wake.touch(mode=0o600)

    def pace(self) -> Pace:
        """Return how long the specs want the loop to wait."""
        if self._specs.good is None:
            return Pace()
        apply = self._specs.good[1].realm.spec.apply
        if self._fetcher is not None:
            self._fetcher.interval_seconds = duration_seconds(apply.poll)
        return Pace(
            interval_seconds=duration_seconds(apply.interval),
            backoff_seconds=duration_seconds(apply.retry.backoff),
            longest_backoff_seconds=duration_seconds(apply.retry.longest_backoff),
        )

    def watched_folders(self) -> Iterator[Path]:
        """Yield the folders in which a change may give the next tick something to do."""
        if self._specs.good is not None:
            yield common_folder(self._specs.good[0].git_dir) / "refs" / "heads"
        yield self._layout.wake.parent
        yield self._layout.campaigns

    def has_given_up(self) -> bool:
        """Did something fail so that only a person can make it go on?"""
        return self._view is not None and any(b.code in _FINAL for b in self._view.plan.blocked)

    def is_blocked(self) -> bool:
        """Does something wait for a person, or a commit for a change window?"""
        if self._specs.complaint is not None or self._specs.waiting is not None:
            return True
        return self._view is not None and any(
            item.code not in _AS_ASKED or item.subject.startswith((*WHOLE, "quest/", "inbox", "source"))
            for item in self._view.plan.in_the_way
        )


def _are_counted(outcomes: Sequence[Outcome]) -> bool:
    """Is every failure, but for what was skipped because of it, one after which the plan waits by itself?"""
    failed = [one for one in outcomes if not one.ok and not one.skipped]
    return bool(failed) and all(one.permanent for one in failed)


def _make_folders(layout: Layout) -> None:
    """Make the folders that people look into; what cannot be opened or made, the plan names."""
    stay_inside(layout.root)
    for folder in (layout.campaigns, layout.inbox):
        with suppress(OSError):
            ensure_folder(folder)


def _taken_up(writer: Writer) -> str | None:
    """Return the commit that was taken up last."""
    with writer.transaction() as store:
        return get_meta(store, "attempted_commit")
