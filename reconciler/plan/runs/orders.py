"""Orders: what the running trainer is to do next, handed to it without a restart."""

from collections.abc import Iterator, Sequence

from reconciler.plan.actions import GiveOrders, StopRun
from reconciler.plan.changes import Source
from reconciler.plan.checkpoints.saves import open_saves, save_to_order
from reconciler.plan.configs.live import wanted_config
from reconciler.plan.costs.room import block_low, room_text, waits_for_room
from reconciler.plan.draft import Draft
from reconciler.plan.queue.brought_in import brought_in, further_epochs
from reconciler.plan.queue.jobs import PendingJob
from reconciler.plan.retries.fetches import FETCHES
from reconciler.plan.segments.heading import heading_of_run
from reconciler.plan.world import LiveRun, World
from state.amounts import size
from state.contract.goals import as_order, goals_in, in_words
from state.contract.orders import Orders

_PAUSE, _GO_ON, _SAVE = "pause", "go on", "save now"
_NO_ROOM, _ROOM_AGAIN = "pause, before a save can fail", "go on: "


def plan_urgent_orders(world: World, draft: Draft) -> None:
    """Hand the running trainer a pause, a new goal, a wish to save, before what may take long or fail."""
    _name_paused(world, draft)
    _pause_orphans(world, draft)
    for live, orders in _orderable(world, draft):
        if waits_for_room(world, live) and world.hold(live.campaign) is None:
            block_low(world, draft, live.campaign)
        differences = _urgent_differences(world, draft, live, orders)
        if differences:
            uids = tuple(quest.job_uid for quest in orders.quests)
            _give(world, draft, live, orders.sequence + 1, uids, differences)


def _name_paused(world: World, draft: Draft) -> None:
    """Say whose trainer lives and waits since a person asked; of one with none the launch says it."""
    for live, _ in _not_stopping(world, draft):
        row = world.facts.campaign_row(live.campaign)
        if row is not None and row.hold == world.hold(live.campaign) == "pause":
            from reconciler.plan.runs.blockers import block_held  # seldom needed

            block_held(world, draft, live.campaign)


def _pause_orphans(world: World, draft: Draft) -> None:
    """Hand a pause, or its end, to a run that goes on without a spec; its orders stay as they are else."""
    for live, orders in _not_stopping(world, draft):
        pause = _pauses(world, live)
        if not world.stays_as_it_is(live.campaign) or live.campaign == world.active or pause == orders.pause:
            continue
        draft.add(
            GiveOrders(
                campaign=live.campaign,
                campaign_uid=live.row.campaign_uid,
                generation=live.row.generation,
                attempt=live.row.attempt,
                sequence=orders.sequence + 1,
                job_uids=tuple(quest.job_uid for quest in orders.quests),
                **as_order(goals_in(orders)),
                pause=pause,
                save=orders.save,
                config=orders.config,
            ),
            subject=f"run/{live.campaign}",
            reason=(said := _pause_text(world, live, pause=pause)),
            cause=_cause(world, live, [said]),
            source=_source([said], is_dropped=False),
        )


def plan_orders(world: World, draft: Draft) -> None:
    """Hand the running trainer its new list of quests, if it differs from what it has.

    A quest that cannot be brought in keeps no other waiting: the order does not need it. What it had to be
    told urgently goes with it, unless something is fetched before, which may take long.
    """
    given = {change.action.key: change for change in draft.changes if isinstance(change.action, GiveOrders)}
    takes_long = bool(draft.ids(*FETCHES))
    for live, orders in _orderable(world, draft):
        heading = heading_of_run(world, draft, live)
        wanted, done = heading.work, heading.done
        has = [(quest.job_uid, quest.epochs) for quest in orders.quests if quest.job_uid not in done]
        differences = _differences(has, wanted)
        if differences:
            urgent = given.get(live.key)
            sequence = orders.sequence + (2 if urgent is not None and takes_long else 1)
            has_uids = {uid for uid, _ in has}
            new = [job.quest_id for job in wanted if job.uid not in has_uids]
            dropped = world.quest_where(new[0]) if new and world.dropped.keys() >= set(new) else None
            cause = dropped or _line_of_epochs(world, dict(has), wanted) or world.where("queue")
            if urgent is not None and not takes_long:
                draft.take_out([urgent])
                differences = [*_urgent_differences(world, draft, live, orders), *differences]
                cause = f"{urgent.cause}, {cause}"
            uids = tuple(job.uid for job in wanted)
            _give(
                world,
                draft,
                live,
                sequence,
                uids,
                differences,
                cause=cause,
                is_dropped=bool(dropped),
                needs=further_epochs(world, draft, wanted),
                needs_one_of=brought_in(world, draft, wanted),
            )


def _orderable(world: World, draft: Draft) -> Iterator[tuple[LiveRun, Orders]]:
    """Yield the runs of the active campaign that have orders and are not to stop."""
    return ((live, orders) for live, orders in _not_stopping(world, draft) if live.campaign == world.active)


def _not_stopping(world: World, draft: Draft) -> Iterator[tuple[LiveRun, Orders]]:
    stopping = {action.key for action in draft.actions(StopRun)}
    for live in world.live_runs():
        if live.seen is not None and live.seen.orders is not None and live.key not in stopping:
            yield live, live.seen.orders


def _give(
    world: World,
    draft: Draft,
    live: LiveRun,
    sequence: int,
    job_uids: tuple[str, ...],
    differences: list[str],
    *,
    cause: str | None = None,
    is_dropped: bool = False,
    needs: tuple[str, ...] = (),
    needs_one_of: tuple[str, ...] = (),
) -> None:
    wanted = wanted_config(world, live)
    draft.add(
        GiveOrders(
            campaign=live.campaign,
            campaign_uid=live.row.campaign_uid,
            generation=live.row.generation,
            attempt=live.row.attempt,
            sequence=sequence,
            job_uids=job_uids,
            **as_order(heading_of_run(world, draft, live).goals),
            pause=_pauses(world, live),
            save=save_to_order(world, live, _ordered_save(live)),
            config=wanted.config,
        ),
        subject=f"run/{live.campaign}",
        reason=", ".join(differences),
        cause=cause or wanted.cause or _cause(world, live, differences),
        source=_source(differences, is_dropped=is_dropped),
        needs=needs,
        needs_one_of=needs_one_of,
    )


def _cause(world: World, live: LiveRun, differences: Sequence[str]) -> str:
    """Return what makes the difference, where it is neither a line of the queue nor a changed config."""
    if _is_about_room(differences):
        return world.where("realm", "disk", "floor")
    return _asked(world, live, differences) or world.where("queue")


def _is_about_room(differences: Sequence[str]) -> bool:
    return any(text.startswith((_NO_ROOM, _ROOM_AGAIN)) for text in differences)


def _source(differences: Sequence[str], *, is_dropped: bool) -> Source:
    """Return whose doing an order is: the disk's, a person's, or that of the specs."""
    if _is_about_room(differences):
        return "drift"
    return "request" if is_dropped or set(differences) <= {_PAUSE, _GO_ON, _SAVE} else "edit"


def _pauses(world: World, live: LiveRun) -> bool:
    """Is a trainer to pause: because a person asked, or because a save could fail?"""
    return world.hold(live.campaign) == "pause" or waits_for_room(world, live)


def _asked(world: World, live: LiveRun, differences: Sequence[str]) -> str | None:
    """Return which request makes the difference, where it is one for a checkpoint alone."""
    asked = [request.asked_at for request in open_saves(world, live.campaign)]
    return f"reconcile checkpoint at {asked[-1]}" if list(differences) == [_SAVE] and asked else None


def _ordered_save(live: LiveRun) -> int:
    return live.seen.orders.save if live.seen is not None and live.seen.orders is not None else 0


def _urgent_differences(world: World, draft: Draft, live: LiveRun, orders: Orders) -> list[str]:
    config = wanted_config(world, live).text
    found = [config] if config is not None else []
    goals = heading_of_run(world, draft, live).goals
    pause = _pauses(world, live)
    if goals_in(orders) != goals:
        found.append(f"goal {in_words(goals)}" if goals else "no goal any more")
    if pause != orders.pause:
        found.append(_pause_text(world, live, pause=pause))
    if save_to_order(world, live, orders.save) != orders.save:
        found.append(_SAVE)
    return found


def _pause_text(world: World, live: LiveRun, *, pause: bool) -> str:
    """Say whether a trainer pauses or goes on, and where nobody asked for it why."""
    row = world.facts.campaign_row(live.campaign)
    if pause and world.hold(live.campaign) != "pause":
        return f"{_NO_ROOM}: {room_text(world, live.campaign, waits=False)}"
    if pause or (row is not None and row.hold == "pause"):
        return _PAUSE if pause else _GO_ON
    return f"{_ROOM_AGAIN}{size(world.facts.disk.free_bytes or 0)} are free"


def _differences(has: list[tuple[str, int]], wanted: Sequence[PendingJob]) -> list[str]:
    """Say what is new in the list of quests: which and how many, their order, their epochs."""
    epochs, uids = dict(has), [job.uid for job in wanted]
    if len(has) != len(wanted):
        return [f"{len(wanted)} quests to do instead of {len(has)}"]
    new = [job.quest_id for job in wanted if job.uid not in epochs]
    if new:
        return [f"quest {', '.join(new)} in place of {'another' if len(new) == 1 else 'others'}"]
    found = [] if uids == list(epochs) else ["quests in another order"]
    changed = [job for job in wanted if job.epochs != epochs[job.uid]]
    return [*found, *(f"epochs {epochs[job.uid]} → {job.epochs} of quest {job.quest_id}" for job in changed)]


def _line_of_epochs(world: World, has: dict[str, int], wanted: Sequence[PendingJob]) -> str | None:
    """Return the line of the one quest whose epochs are other ones, where that is all that is new."""
    changed = [job.quest_id for job in wanted if has.get(job.uid) != job.epochs]
    return world.quest_where(changed[0]) if len(changed) == 1 and len(has) == len(wanted) else None
