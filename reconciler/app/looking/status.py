"""`status`: the realm, its queue, and each campaign on two axes with what trains."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from reconciler.app.asking.scrubbing import ScrubStatus, scrub_status
from reconciler.app.looking.active_run import ActiveRun, active_run
from reconciler.app.looking.axes import Axis, healthy, synced
from reconciler.app.looking.campaign_state import state_of
from reconciler.app.looking.quest_states import quest_states
from reconciler.app.looking.queue_health import LOW, SUSPENDED, queue_item
from reconciler.app.looking.trash_items import next_purge_seconds
from reconciler.app.planning.comparing import compare
from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.lock_holder import holder_of
from reconciler.app.surroundings.place import Options
from reconciler.desired.base import Suspend
from reconciler.plan.changes import Blocked, Plan, num_obstacles
from reconciler.plan.costs.training import Kept, expectations_kept
from reconciler.plan.keeping.to_come import ToCome, to_come
from reconciler.plan.retries.setbacks import code_of
from reconciler.plan.runs.devices import choose_device
from reconciler.plan.segments.lowered_rates import living_segment
from reconciler.plan.segments.words import told
from reconciler.plan.sentences import failure_of
from reconciler.plan.suspensions import how_to_lift
from reconciler.plan.trash.contents import foreign, num_in_trash
from reconciler.plan.trash.names import dropped_since
from reconciler.plan.world import World
from state.contract.goals import Goals, in_words
from state.lock import Holder
from state.source_status import SourceStatus
from state.store.rows import CampaignRow


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that training waits."""

    kind: str
    by: str | None
    why: str | None
    at: str | None

    @property
    def sentence(self) -> str:
        """Return `pause, by ada@host at 2026-01-31T12:00:00Z: too warm`."""
        return f"{self.kind}, by {self.by} at {self.at}: {self.why}"


class CampaignStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign."""

    name: str
    is_active: bool
    state: str
    """new, active, paused (not the active one), completed, archived, deleted, orphan."""
    synced: Axis
    healthy: Axis
    step: int
    goal_updates: int | None
    goal: str
    """All goals in words; empty without one."""
    run: ActiveRun | None
    hold: Hold | None
    num_checkpoints: int
    checkpoint_bytes: int
    newest_checkpoint_step: int | None
    segment: int = 1
    """The living one of its history."""
    went_back: str | None = None
    """Where that segment goes on from and why; null while it is the first one."""


class TrashStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What was dropped and still takes room."""

    num_campaigns: int
    """Deleted whole."""
    num_checkpoints: int
    """Dropped one by one."""
    num_optimizer_states: int = 0
    """Of checkpoints that keep their weights only."""
    size_bytes: int
    next_seconds: float | None
    """So soon the first of it may be deleted for good; None: nothing waits."""
    is_held: bool
    """The source of the specs is in doubt, the store an older copy, or the newest specs have mistakes.

    Nothing goes then, whatever the time.
    """
    num_foreign: int
    """What lies there and no tombstone names: never deleted."""
    num_unknown: int = 0
    """What was dropped since the store was copied, which was put back: it does not know them."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Is enough to do in the queue?"""

    state: str
    """healthy, low, suspended."""
    reason: str
    depth: int
    """Jobs that wait or are trained."""
    healthy_depth: int

    @property
    def text(self) -> str:
        """Return it in words; what is short, or suspended, says so itself."""
        return self.reason if self.state in (LOW, SUSPENDED) else f"{self.state}: {self.reason}"


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """The realm, now."""

    schema_version: int = 1
    realm: str
    root: str
    root_exists: bool
    root_gone_since: str | None = None
    """Since when a root was in use in whose place nothing is; null while it is there, or was never made."""
    seen_at: str
    checked_out: str
    """Commit that this is measured against, for people; an earlier one when there is a complaint."""
    commit: str
    follows: str | None
    """Branch that apply follows; null before the first apply."""
    is_followed_gone: bool
    """There is no such branch any more: apply goes on with the specs that were good last, or not at all."""
    attempted_commit: str | None
    """The newest commit that apply began to bring about."""
    applied_commit: str | None
    """The newest commit at which nothing was left to do."""
    applied_at: str | None
    reconciler: Holder | None
    """Who holds the realm's lock; null when no reconciler runs."""
    source: SourceStatus | None = None
    """Where the specs are fetched from, and what the last look found; null where they are local."""
    suspended: str | None
    """Why the whole realm is suspended, until when, and where that stands."""
    suspended_hint: str | None = None
    """How that is lifted."""
    device: str
    """What a launch would use."""
    free_bytes: int | None
    trash: TrashStatus
    to_come: ToCome
    """What time alone still brings, while apply runs."""
    scrub: ScrubStatus
    campaigns: tuple[CampaignStatus, ...]
    queue: dict[str, int]
    """How many quests of the queue are in each state."""
    queue_health: Health
    expectations: Kept
    """How often a run took the time that its plan expected."""
    num_waiting: int
    """Things that have their turn later, by themselves; what failed and is tried again in time, too."""
    tried_again: tuple[Blocked, ...]
    """Those that failed and are tried again in time, with when and why."""
    num_changes: int
    """How many changes apply would make."""
    num_failing: int
    """Of them those that failed when they were last tried."""
    num_failed: int
    """Things that failed when they were last tried: those, what waits for its next try, what is given up."""
    num_blocked: int
    num_held: int
    """Campaigns that somebody paused or stopped, until they are resumed."""
    blocked: tuple[Blocked, ...]
    """What is in the way of something else than realm, campaigns and heroes, which say so themselves."""
    failing: tuple[Blocked, ...] = ()
    """What apply would do, and failed when it was last tried; without what is about a campaign itself."""
    uncommitted: tuple[str, ...]
    complaint: str | None = None
    """The specs checked out have mistakes; `commit` is an earlier one."""
    warnings: tuple[str, ...]


def status(environment: Environment, options: Options) -> StatusReport:
    """Return how the realm is, by the specs in force.

    Raises:
        SourceError: no repository, no commit.
        SpecMistakesError: the specs have mistakes, and none were in force before them.
    """
    return status_of(look_in_force(environment, options))


def status_of(view: View) -> StatusReport:
    """Return how the realm of a view is."""
    store, world = view.facts.store, _world(view)
    names = sorted({*view.desired.campaigns, *(row.name for row in store.campaigns)})
    blocked = view.plan.in_the_way
    suspend, followed = view.desired.realm.spec.suspend, compare(view)
    use = view.facts.root_use
    campaigns = tuple(_campaign(view, world, name) for name in names)
    is_suspended = world.is_suspended(suspend)
    return StatusReport(
        realm=view.plan.realm,
        root=view.plan.root,
        root_exists=view.facts.disk.exists,
        root_gone_since=use.since if use is not None and use.is_gone else None,
        seen_at=view.seen_at,
        checked_out=view.commit.name,
        commit=view.commit.id,
        follows=view.following.branch if view.following else None,
        is_followed_gone=followed is not None and followed.commit is None,
        attempted_commit=store.attempted_commit,
        applied_commit=store.applied_commit,
        applied_at=store.applied_at,
        reconciler=holder_of(view.layout.lock),
        source=_fetched(view),
        suspended=_suspended(view, suspend) if suspend and is_suspended else None,
        suspended_hint=how_to_lift(world, "realm") if is_suspended else None,
        device=choose_device(world),
        free_bytes=view.facts.disk.free_bytes,
        trash=_trash(view),
        to_come=to_come(world, view.plan),
        scrub=scrub_status(view),
        campaigns=campaigns,
        queue=dict(Counter(quest_states(view).values())),
        queue_health=_queue_health(view),
        expectations=expectations_kept(world),
        num_waiting=len(view.plan.waits),
        tried_again=view.plan.tried_again,
        num_changes=len(view.plan.changes),
        num_failing=len(view.plan.setbacks),
        num_failed=len(view.plan.setbacks) + sum(item.has_failed for item in view.plan.blocked),
        num_blocked=num_obstacles(blocked),
        num_held=sum(one.hold is not None for one in campaigns),
        blocked=tuple(
            item for item in blocked if not item.subject.startswith(("campaign/", "hero/", "realm"))
        ),
        failing=tuple(_failing(view.plan)),
        uncommitted=view.uncommitted,
        complaint=view.complaint,
        warnings=view.warnings,
    )


def _failing(plan: Plan) -> Iterator[Blocked]:
    """Yield what apply tries again though it failed, as what is blocked is told."""
    for change in plan.setbacks:
        if change.setback is not None and not change.subject.startswith("campaign/"):
            message, hint = f"{failure_of(change)}; apply tries it again", change.setback.hint
            yield Blocked(
                subject=change.subject, code=code_of(change), message=message, cause=change.cause, hint=hint
            )


def _fetched(view: View) -> SourceStatus | None:
    source = view.facts.source
    return None if source is None or source.is_local else source


def _suspended(view: View, suspend: Suspend) -> str:
    until = f", until {suspend.until}" if suspend.until else ", until it is lifted"
    who = f" (by {suspend.by})" if suspend.by else ""
    return f"{suspend.reason}{who}{until} ({view.desired.realm.where('suspend')})"


def _trash(view: View) -> TrashStatus:
    num_campaigns, num_checkpoints, num_optimizers = num_in_trash(view.facts)
    return TrashStatus(
        num_campaigns=num_campaigns,
        num_checkpoints=num_checkpoints,
        num_optimizer_states=num_optimizers,
        size_bytes=view.facts.trash_bytes,
        next_seconds=next_purge_seconds(view),
        is_held=view.facts.purges_wait_while is not None,
        num_foreign=len(list(foreign(view.facts))),
        num_unknown=len(dropped_since(view.facts)),
    )


def _queue_health(view: View) -> Health:
    item = queue_item(view)
    depth = item.num_queued + item.num_processing
    return Health(state=item.state, reason=item.reason, depth=depth, healthy_depth=item.healthy_depth)


def _world(view: View) -> World:
    return World(desired=view.desired, facts=view.facts, specs_commit=view.commit.id, now=view.seen_at)


def hold_of(row: CampaignRow | None) -> Hold | None:
    """Return a person's word that a campaign waits; one that is archived or deleted waits for nothing."""
    if row is None or row.hold is None or row.status in ("archived", "deleted"):
        return None
    return Hold(kind=row.hold, by=row.hold_by, why=row.hold_why, at=row.hold_at)


def _campaign(view: View, world: World, name: str) -> CampaignStatus:
    row = view.facts.campaign_row(name)
    seen = world.seen(name)
    newest = world.newest_checkpoint(name)
    goals = world.goals(name) if name in view.desired.campaigns else Goals()
    run = active_run(view, world, row) if row else None
    return CampaignStatus(
        name=name,
        is_active=name == world.active,
        state=state_of(view, name),
        synced=synced(view, world, name, run),
        healthy=healthy(view, world, name, run),
        step=_step(view, row, newest.step if newest else 0, (run.step or 0) if run else 0),
        goal_updates=goals.updates,
        goal=in_words(goals),
        run=run,
        hold=hold_of(row),
        num_checkpoints=len(seen.all_complete),
        checkpoint_bytes=sum(found.size_bytes for found in seen.all_complete),
        newest_checkpoint_step=newest.step if newest else None,
        segment=row.segment if row else 1,
        went_back=_went_back(view, row),
    )


def _step(view: View, row: CampaignRow | None, *seen: int) -> int:
    """Return how far a campaign has come; of one whose checkpoints were let go, what the ledger says."""
    if row is None:
        return max(*seen, 0)
    ledger = view.facts.ledger_of(row.uid)
    if row.status not in ("archived", "deleted"):
        ledger = () if any(seen) else tuple(one for one in ledger if view.facts.tombstone(one) is not None)
    return max(*seen, *(one.step for one in ledger if one.is_living), 0)


def _went_back(view: View, row: CampaignRow | None) -> str | None:
    living = living_segment(row, view.facts.segments_of(row.uid)) if row is not None else None
    return told(living) if living is not None else None
