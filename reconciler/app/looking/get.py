"""`get`: everything of one kind. A new kind is a record in `items`, a function and a line in KINDS."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from reconciler.app.looking.checkpoint_items import all_checkpoints
from reconciler.app.looking.dataset_items import datasets
from reconciler.app.looking.items import (
    CampaignItem,
    CheckpointItem,
    HeroItem,
    Item,
    JobItem,
    QuestItem,
    RunItem,
    SkillItem,
    TrashItem,
)
from reconciler.app.looking.ledger_queries import Best, Query, answered, best_told
from reconciler.app.looking.legends import legends
from reconciler.app.looking.limits import places_within
from reconciler.app.looking.quest_states import quest_states, why_behind
from reconciler.app.looking.queue_health import queue
from reconciler.app.looking.status import status_of
from reconciler.app.looking.trash_items import trash
from reconciler.app.planning.in_force import look_in_force
from reconciler.app.planning.look import View
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Misused
from reconciler.app.surroundings.ground import named_now
from reconciler.app.surroundings.no_spec import no_spec
from reconciler.app.surroundings.place import Options
from reconciler.desired.mistakes import nearest_name
from reconciler.desired.queue import Quest
from reconciler.plan.queue.jobs import rank_of
from reconciler.plan.world import World
from state.examinations import Statistics, statistics
from state.store.rows import JobRow

SINGULAR = {
    **{"campaigns": "campaign", "heroes": "hero", "quests": "quest", "jobs": "job"},
    **{"checkpoints": "checkpoint", "legends": "legend", "runs": "run", "skills": "skill"},
    **{"datasets": "dataset", "trash": "trash", "queue": "queue"},
}


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """All things of a kind, or the one that was asked for."""

    schema_version: int = 1
    kind: str
    realm: str
    seen_at: str
    complaint: str | None = None
    """The specs checked out have mistakes; this is by those of an earlier commit."""
    items: tuple[Any, ...]
    metric: str | None = None
    """By which the best were asked for."""
    best: tuple[Best, ...] = ()
    """Of each item, where a metric was asked for."""
    num_left_out: int = 0
    """Things that a limit leaves out."""


NO_QUERY = Query()


def get(
    environment: Environment,
    options: Options,
    kind: str,
    name: str | None = None,
    query: Query = NO_QUERY,
    limit: int | None = None,
) -> Listing:
    """Return everything of a kind, what has this id, or what of the checkpoints is asked for.

    With a limit at most so many of them: the newest of what has a time, the first of the rest.

    Raises:
        Misused: no such kind; a question that does not fit it; no such metric.
        NotFound: no such thing.
    """
    query.check()
    kind = next((many for many, one in SINGULAR.items() if one == kind), kind)
    if kind not in KINDS:
        near = nearest_name(kind, KINDS)
        meant = f'; did you mean "{near}"?' if near else ""
        raise Misused(f'"{kind}" is no kind of thing; known: {", ".join(KINDS)}{meant}')
    if query.is_one and kind != "checkpoints":
        raise Misused(f"--latest, --best, --step and --summary are about checkpoints, not {kind}")
    listing = listing_of(look_in_force(environment, options), kind, name)
    return within(_answer(listing, query), limit)


def _answer(listing: Listing, query: Query) -> Listing:
    if not query.is_one:
        return listing
    if query.best is not None:
        return with_best(listing, query)
    told = "summaries" if query.summary else listing.kind
    return msgspec.structs.replace(listing, kind=told, items=answered(query, listing.items))


def within(listing: Listing, limit: int | None) -> Listing:
    """Return a listing with at most so many things."""
    places = places_within(listing.kind, listing.items, limit)
    return msgspec.structs.replace(
        listing,
        items=tuple(listing.items[place] for place in places),
        best=tuple(listing.best[place] for place in places) if listing.best else (),
        num_left_out=len(listing.items) - len(places),
    )


def with_best(listing: Listing, query: Query) -> Listing:
    """Return the best of each campaign's checkpoints by the metric that is asked for, and what ties with it.

    Raises:
        Misused: no such metric.
        NotFound: no checkpoint has it.
    """
    items, metric = answered(query, listing.items), str(query.best)
    best = best_told(items, listing.items, metric)
    return msgspec.structs.replace(listing, items=items, metric=metric, best=best)


def listing_of(view: View, kind: str, name: str | None = None) -> Listing:
    """Return a view's things of a known kind."""
    items = KINDS[kind](view)
    if name is not None:
        wanted = named_now(view.facts.store.campaigns, name.removeprefix(f"{SINGULAR[kind]}/"))
        found = tuple(item for item in items if wanted in _names_of(item))
        if not found and not _may_have_none(view, kind, wanted):
            raise no_spec(SINGULAR[kind], wanted, {item.id for item in items}, view.uncommitted)
        items = found
    return Listing(
        kind=kind, realm=view.plan.realm, seen_at=view.seen_at, complaint=view.complaint, items=items
    )


def _may_have_none(view: View, kind: str, name: str) -> bool:
    """Is this a hero or a campaign that is there, whose checkpoints are none?"""
    known = {*view.desired.heroes, *view.desired.campaigns, *(row.name for row in view.facts.store.campaigns)}
    return kind in ("checkpoints", "trash") and name in known


def _names_of(item: Item) -> tuple[str | None, ...]:
    """Return what a person may call an item: its id; a job by its quest, a checkpoint by campaign or hero."""
    if isinstance(item, CheckpointItem):
        return item.id, f"{item.hero_id}/{item.campaign_id}", item.hero_id
    if isinstance(item, TrashItem):
        return item.id, item.id.partition("@")[0], item.id.partition("/")[0]
    return item.id, getattr(item, "quest", None)


def _campaigns(view: View) -> tuple[CampaignItem, ...]:
    return tuple(
        CampaignItem(
            id=one.name,
            is_active=one.is_active,
            state=one.state,
            hold=one.hold.sentence if one.hold else None,
            synced=one.synced.state,
            healthy=one.healthy.state,
            reason=one.healthy.reason if one.healthy.state != "healthy" else one.synced.reason,
            step=one.step,
            goal_updates=one.goal_updates,
            goal=one.goal,
            num_checkpoints=one.num_checkpoints,
            checkpoint_bytes=one.checkpoint_bytes,
            statistics=_statistics(view, one.name),
            spec=view.desired.campaigns[one.name].path if one.name in view.desired.campaigns else None,
        )
        for one in status_of(view).campaigns
    )


def _statistics(view: View, campaign: str) -> Statistics:
    row = view.facts.campaign_row(campaign)
    return statistics(view.facts.ledger_of(row.uid) if row else ())


def _heroes(view: View) -> tuple[HeroItem, ...]:
    return tuple(_hero(view, name) for name in sorted(view.desired.heroes))


def _hero(view: View, name: str) -> HeroItem:
    source = view.desired.heroes[name]
    hero = source.spec
    settings = hero.training_defaults
    blocked = [item.message for item in view.plan.blocked if item.subject == f"hero/{name}"]
    return HeroItem(
        id=name,
        name=hero.name,
        title=hero.rpg_name,
        model=hero.model.hf_name or f"{hero.model.architecture} from scratch",
        size_b=hero.model.size_b,
        optimizer=(settings.optimizer or settings.optimizer_type if settings else None) or "adamw",
        num_campaigns=sum(one.partition("/")[0] == name for one in view.desired.campaigns),
        blocked=blocked[0] if blocked else None,
        spec=source.path,
    )


def _quests(view: View) -> tuple[QuestItem, ...]:
    states, behind = quest_states(view), why_behind(view)
    return tuple(
        _quest(view, quest, place, states[quest.id], behind.get(quest.id))
        for place, quest in enumerate(view.quests)
    )


def source_of(quest: Quest) -> str:
    """Return in a few words where a quest's rows come from."""
    if quest.file is not None:
        return quest.file
    return f"{quest.skill} level {quest.level}, {quest.count:,} problems, seed {quest.seed or 0}"


def _quest(view: View, quest: Quest, place: int, state: str, behind: str | None) -> QuestItem:
    blocked = [item for item in view.plan.blocked if item.subject == f"quest/{quest.id}"]
    return QuestItem(
        id=quest.id,
        source=source_of(quest),
        priority=quest.priority,
        epochs=quest.epochs,
        is_for=quest.for_,
        state=state,
        message=blocked[0].message if blocked else behind,
        demoted=behind is not None,
        spec=view.quest_where(place),
    )


def _jobs(view: View) -> tuple[JobItem, ...]:
    names = {row.uid: row.name for row in view.facts.store.campaigns}
    shared = set(JobItem.__struct_fields__) - {"quest", "campaign"}
    return tuple(
        JobItem(
            quest=job.quest_id,
            campaign=names.get(job.campaign_uid, f"{job.hero_id}/{job.campaign_id}"),
            **{field: getattr(job, field) for field in shared},
        )
        for job in _as_trained(view)
    )


def _as_trained(view: View) -> list[JobRow]:
    """Return the jobs that are over as they were enqueued, then what is to be trained in its order."""
    world = World(desired=view.desired, facts=view.facts, specs_commit=view.commit.id, now=view.seen_at)
    ranks = {job.uid: rank_of(world.quest_places, job) for job in view.facts.store.jobs}
    is_open = {job.uid: job.status in ("queued", "processing") for job in view.facts.store.jobs}
    over = [job for job in view.facts.store.jobs if not is_open[job.uid]]
    to_do = [job for job in view.facts.store.jobs if is_open[job.uid]]
    over.sort(key=lambda job: (job.created_at, ranks[job.uid], job.id))
    return [*over, *sorted(to_do, key=lambda job: (ranks[job.uid], job.id))]


def _runs(view: View) -> tuple[RunItem, ...]:
    names = {row.uid: row.name for row in view.facts.store.campaigns}
    rows = sorted(view.facts.store.runs, key=lambda run: (run.launched_at, run.generation, run.attempt))
    return tuple(
        RunItem(
            id=f"{names[run.campaign_uid]}/g{run.generation}-a{run.attempt}",
            state=run.state,
            end=run.end,
            device=run.device,
            launched_at=run.launched_at,
            ended_at=run.ended_at,
            from_step=run.resume_step or 0,
            to_step=run.final_step,
            config_hash=run.config_hash,
            code_version=run.code_version,
            specs_commit=run.specs_commit,
            pid=run.pid,
            message=run.message,
        )
        for run in rows
    )


def _skills(view: View) -> tuple[SkillItem, ...]:
    return tuple(
        SkillItem(
            id=name,
            name=source.spec.name,
            max_level=source.spec.max_level,
            source=" ".join(source.spec.source.command) if source.spec.source else None,
            num_quests=sum(quest.skill == name for quest in view.desired.quests),
            spec=source.path,
        )
        for name, source in sorted(view.desired.skills.items())
    )


KINDS: Mapping[str, Callable[[View], tuple[Item, ...]]] = {
    "campaigns": _campaigns,
    "heroes": _heroes,
    "quests": _quests,
    "jobs": _jobs,
    "checkpoints": all_checkpoints,
    "legends": legends,
    "runs": _runs,
    "skills": _skills,
    "datasets": datasets,
    "trash": trash,
    "queue": queue,
}
