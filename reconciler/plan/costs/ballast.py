"""The ballast: room that is kept for a full disk; let go before anything else, made after all else. Pure."""

from reconciler.desired.realm import size_bytes
from reconciler.plan.actions import SetBallast
from reconciler.plan.costs.room import LEAST_FREE_BYTES, needed_bytes, save_bytes
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import size


def plan_let_go(world: World, draft: Draft) -> None:
    """Let the ballast go when the disk is full, when a trainer's save fits only then, or nobody wants it."""
    has = world.facts.disk.ballast_bytes
    if not has:
        return
    reason = _why_let_go(world, has)
    if reason is not None:
        _set(world, draft, 0, reason)


def plan_ballast(world: World, draft: Draft) -> None:
    """Make the ballast as large as the realm wants it, once training has the room that it needs beside it."""
    wanted, has, free = _wanted(world), world.facts.disk.ballast_bytes, world.facts.disk.free_bytes
    if wanted in (0, has) or free is None or draft.actions(SetBallast) or _waiting(world):
        return
    left, needed = free + has - wanted, _needed(world)
    if left >= needed:
        _set(world, draft, wanted, f"{size(left)} stay free")
    elif not has:
        draft.warnings.append(
            f"disk: no ballast of {size(wanted)} is made until {size(needed - left)} more are free "
            f"({world.where('realm', 'disk', 'ballast')})"
        )


def _wanted(world: World) -> int:
    wanted = world.desired.realm.spec.disk.ballast
    return size_bytes(wanted) if wanted is not None else 0


def _why_let_go(world: World, has: int) -> str | None:
    if not _wanted(world):
        return "the realm wants none"
    free = world.facts.disk.free_bytes
    if free is not None and free < LEAST_FREE_BYTES:
        return f"the disk is full: {size(free)} free"
    for campaign in _waiting(world):
        save = save_bytes(world, campaign)
        if free is None or free < save <= free + has:
            return f"the save of {campaign} waits for room: {size(save)}"
    return None


def _waiting(world: World) -> list[str]:
    """Return the campaigns whose trainers wait for room."""
    seen = ((live.campaign, live.seen.status) for live in world.live_runs() if live.seen is not None)
    return [campaign for campaign, status in seen if status is not None and status.waiting_for]


def _needed(world: World) -> int:
    """Return what must be free beside the ballast, so that making it does not pause training."""
    active = world.active
    return max(LEAST_FREE_BYTES, needed_bytes(world, active, waits=True) if active is not None else 0)


def _set(world: World, draft: Draft, size_bytes: int, reason: str) -> None:
    draft.add(
        SetBallast(size_bytes=size_bytes, was_bytes=world.facts.disk.ballast_bytes),
        subject="disk",
        reason=reason,
        cause=world.where("realm", "disk"),
        source="rules",
    )
