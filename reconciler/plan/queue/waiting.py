"""Whose a quest is: the campaign that trains it now, or what it waits for."""

from collections.abc import Sequence

from reconciler.desired.queue import Quest
from reconciler.plan.draft import Draft
from reconciler.plan.queue import jobs
from reconciler.plan.world import World
from state.store.rows import JobRow


def campaign_for(world: World, quest: Quest) -> str | None:
    """Return the campaign that trains this quest now: the active one, if the quest is for it."""
    active = world.active
    if active is None:
        return None
    hero = active.partition("/")[0]
    if active in quest.for_:
        return active
    if quest.for_ and hero not in quest.for_:
        return None
    started = _started_elsewhere(world, quest, hero if quest.for_ else None)
    return active if started in (None, active) else None


def _started_elsewhere(world: World, quest: Quest, hero: str | None) -> str | None:
    """Return the campaign (of the hero, if given) that has begun a quest which is trained once in all."""
    for job in world.facts.jobs_of_quest(quest.id):
        name = world.name(job.campaign_uid)
        is_elsewhere = name not in quest.for_ and hero in (None, name.partition("/")[0])
        if is_elsewhere and jobs.is_begun(world, name, job):
            return name
    return None


def who_may_train(world: World, quest: Quest) -> tuple[str, ...]:
    """Return the campaigns of which one has to be active for a quest to be trained, the active one first.

    Those that rest for good are none of them.
    """
    begun_by = _started_elsewhere(world, quest, None)
    active = world.active
    names = quest.for_ or ((begun_by,) if begun_by else (active,) if active else ())
    living = [name for name, source in world.desired.campaigns.items() if source.spec.state is None]
    found = [one for one in living if not names or one in names or one.partition("/")[0] in names]
    return tuple(sorted(found, key=lambda name: name != active))


def jobs_of_quest(world: World, quest: Quest) -> set[str]:
    """Return the jobs that a quest keeps: of those that it names; of whoever began it if it names nobody."""
    of_quest = world.facts.jobs_of_quest(quest.id)
    if quest.for_:
        return {job.uid for job in of_quest if is_named(quest, job)}
    return {job.uid for job in of_quest if jobs.is_begun(world, world.name(job.campaign_uid), job)}


def is_named(quest: Quest, job: JobRow) -> bool:
    """Does the quest name the campaign of this job, or its hero?"""
    return f"{job.hero_id}/{job.campaign_id}" in quest.for_ or job.hero_id in quest.for_


def say_what_it_waits_for(world: World, draft: Draft, quest: Quest) -> None:
    """Say whose turn a quest is that is not of the active campaign, unless it is done."""
    if is_finished(world, quest):
        return
    begun_by = _started_elsewhere(world, quest, None)
    is_gone = begun_by is not None and begun_by not in world.desired.campaigns
    if is_gone and not quest.for_ and not world.may_be_misnamed(begun_by or ""):
        draft.block(
            f"quest/{quest.id}",
            code="owner-gone",
            message=f"was begun by {begun_by}, which has no spec any more",
            cause=world.quest_where(quest.id),
            hint=f"bring specs/campaigns/{begun_by}.yaml back, or give the quest another id to train it anew",
        )
        return
    names = quest.for_ or ((begun_by,) if begun_by else ())
    who = " or ".join(_in_words(world, name) for name in names) or "a campaign"
    began = ", which began it," if begun_by and not quest.for_ else ""
    draft.block(
        f"quest/{quest.id}",
        code="waits",
        message=f"waits until {who}{began} is active",
        cause=world.quest_where(quest.id),
        hint=_way_out(world, names),
    )


def _way_out(world: World, names: Sequence[str]) -> str:
    """Say what lets a quest of these campaigns, or heroes, go on."""
    if world.is_active_misnamed:
        return (
            f"put right the name of {world.desired.realm.spec.active}, which specs/realm.yaml names as active"
        )
    deleted = [name for name in names if world.is_deleted(name)]
    if deleted and len(deleted) == len(names):
        stone = world.facts.deletion(world.uid(deleted[0]))
        if stone is None or stone.state != "trashed":
            return f"{deleted[0]} was deleted for good: name another under for:, or remove the quest"
        return (
            f"reconcile undelete {deleted[0]}, then choose it in specs/realm.yaml; or name another under for:"
        )
    archived = [name for name in names if _is_archived(world, name)]
    if archived and len(archived) == len(names):
        return f"reconcile restore {archived[0]}, then choose it in specs/realm.yaml"
    return "choose the active campaign in specs/realm.yaml"


def _in_words(world: World, name: str) -> str:
    if "/" not in name:
        return f"a campaign of {name}"
    if world.is_deleted(name):
        return f"{name} (deleted)"
    return f"{name} (archived)" if _is_archived(world, name) else name


def _is_archived(world: World, name: str) -> bool:
    row, source = world.facts.campaign_row(name), world.desired.campaigns.get(name)
    if row is None:
        return source is not None and source.spec.state == "archived"
    return world.wants_archived(row)


def is_finished(world: World, quest: Quest) -> bool:
    """Has every campaign that the quest names, or the one that began it, trained it?"""
    mine = [job for job in world.facts.jobs_of_quest(quest.id) if job.status != "skipped"]
    open_ = {job.campaign_uid for job in mine if job.status != "completed" or job.epochs < quest.epochs}
    done = {job.campaign_uid for job in mine} - open_
    named = {world.uid(who) for who in quest.for_ if "/" in who}
    heroes = {who for who in quest.for_ if "/" not in who}
    heroes_done = {job.hero_id for job in mine if job.campaign_uid in done}
    return bool(done) and named <= done and heroes <= heroes_done
