"""Room on the root's disk: where too little is left for the saves to come, training pauses before that. Pure.

A pause saves what was learnt since the last save. So a trainer goes on while its next save and that of a
pause after it leave the floor free: whenever it is told to pause, one save less has to fit.

What was paused so goes on once a quarter more is free: what a single save or purge changes does not make it
pause again at once. Whether it is paused, its orders say, so nothing else has to be remembered.
"""

from reconciler.desired.realm import size_bytes
from reconciler.plan.draft import Draft
from reconciler.plan.world import LiveRun, World
from state.amounts import size

LEAST_FREE_BYTES = 4 * 1024 * 1024
"""With less free the disk is full: the store's journal and what is written beside it may take as much."""


def save_bytes(world: World, campaign: str) -> int:
    """Return the size of a campaign's next save, as that of its newest one; 0 before the first."""
    rows = (one for one in reversed(world.facts.ledger_of(world.uid(campaign))) if one.has_optimizer)
    return next((one.size_bytes for one in rows), 0)


def floor_bytes(world: World) -> int:
    """Return what stays free, whatever is saved."""
    return size_bytes(world.desired.realm.spec.disk.floor)


def reserve_bytes(world: World, campaign: str) -> int:
    """Return what stays free while a campaign trains: the floor, and the save that a pause makes."""
    return floor_bytes(world) + save_bytes(world, campaign)


def needed_bytes(world: World, campaign: str, *, waits: bool) -> int:
    """Return what must be free for a campaign to train; more, once it waits for room."""
    least = reserve_bytes(world, campaign) + save_bytes(world, campaign)
    return least + least // 4 if waits else least


def is_low(world: World, campaign: str, *, waits: bool) -> bool:
    """Is too little free for a campaign to train? What cannot be told keeps nothing waiting."""
    free = world.facts.disk.free_bytes
    return free is not None and free < needed_bytes(world, campaign, waits=waits)


def waits_for_room(world: World, live: LiveRun) -> bool:
    """Is a living trainer to pause, or to stay paused, because too little is free?"""
    orders = live.seen.orders if live.seen is not None else None
    is_ours = orders is not None and orders.pause and not _is_persons(world, live.campaign)
    return is_low(world, live.campaign, waits=is_ours)


def _is_persons(world: World, campaign: str) -> bool:
    """Is or was the pause in a trainer's orders a person's wish? A resume that is not done yet ends one."""
    row = world.facts.campaign_row(campaign)
    return world.hold(campaign) == "pause" or (row is not None and row.hold == "pause")


def room_text(world: World, campaign: str, *, waits: bool) -> str:
    """Return what is free and what is needed, in words."""
    save, needed = save_bytes(world, campaign), needed_bytes(world, campaign, waits=waits)
    parts = f"the floor of {size(floor_bytes(world))}"
    parts = f"{size(save)} for the next save, as much for that of a pause, and {parts}" if save else parts
    more = ", with a quarter more to go on" if waits else ""
    return f"{size(world.facts.disk.free_bytes or 0)} free, {size(needed)} needed: {parts}{more}"


def block_low(world: World, draft: Draft, campaign: str, *, waits: bool = True) -> bool:
    """Say that too little is free for a campaign to train, if it is."""
    if not is_low(world, campaign, waits=waits):
        return False
    needed = needed_bytes(world, campaign, waits=waits)
    free = world.facts.disk.free_bytes or 0
    draft.block(
        f"campaign/{campaign}",
        code="disk-low",
        message=f"training waits for room: {room_text(world, campaign, waits=waits)}",
        cause=world.where("realm", "disk", "floor"),
        hint=f"free {size(needed - free)} where the root lies (see reconcile get trash); then it goes on",
    )
    return True
