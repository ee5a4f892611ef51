"""How many saves come, and how large they are: as the newest, else as one that was saved alike. Pure."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from reconciler.plan.world import World
from state.contract.run_config import RunConfig
from state.store.rows import CampaignRow, LedgerRow


class SaveSize(NamedTuple):
    """What one save takes on the disk."""

    size_bytes: int
    like: str | None
    """The checkpoint of another campaign that was measured; None: the campaign's own newest."""


def size_of_saves(
    world: World, campaign: str, config: RunConfig | None, device: str | None
) -> SaveSize | None:
    """Return the size of a campaign's saves; None where nothing like them was ever saved in the realm."""
    own = world.facts.ledger_of(world.uid(campaign))
    if own:
        return SaveSize(own[-1].size_bytes, None)
    if config is None or device is None:
        return None
    from state.contract.memory_alike import save_key  # before the first save of a campaign only

    wanted = save_key(config, device)
    alike = (found for found in _newest(world) if _key(world, found[1]) == wanted)
    return next((SaveSize(row.size_bytes, f"{name.name}@{row.which}") for name, row in alike), None)


def num_saves(begin: int, end: int, every_updates: int, by_clock: int | None) -> int:
    """Return the saves of one content that is trained from step `begin` to `end`, where it is saved, too.

    They fall on the multiples of `every_updates`, counted from step 0. `by_clock`: after so many updates
    without a save the clock asks for one; None: nobody knows.
    """
    if end <= begin:
        return 0
    first = min(end, begin - begin % every_updates + every_updates)
    num_whole, rest = divmod(end - first, every_updates)
    found = 1 + num_whole + (rest > 0)
    if by_clock is None:
        return found
    between = ((first - begin, 1), (every_updates, num_whole), (rest, 1))
    return found + sum(times * ((max(gap, 1) - 1) // by_clock) for gap, times in between)


def steps_of_saves(begin: int, end: int, every_updates: int, by_clock: int | None) -> Iterator[int]:
    """Yield the steps of the saves that `num_saves` counts, in order."""
    while begin < end:
        mark = min(end, begin - begin % every_updates + every_updates)
        if by_clock is not None:
            yield from range(begin + by_clock, mark, by_clock)
        yield mark
        begin = mark


def updates_by_clock(every_minutes: float, seconds: float, num_updates: int) -> int | None:
    """Return the updates after which the clock asks for a save, where so many take so many seconds."""
    if every_minutes <= 0 or seconds <= 0 or num_updates <= 0:
        return None
    return max(1, math.ceil(every_minutes * 60 * num_updates / seconds))


def _newest(world: World) -> Iterator[tuple[CampaignRow, LedgerRow]]:
    """Yield the newest save of each campaign, with what its optimizer needs, the last recorded one first."""
    found = []
    for campaign in world.facts.store.campaigns:
        whole = (row for row in reversed(world.facts.ledger_of(campaign.uid)) if row.has_optimizer)
        if (newest := next(whole, None)) is not None:
            found.append((campaign, newest))
    yield from sorted(found, key=lambda one: one[1].sequence, reverse=True)


def _key(world: World, row: LedgerRow) -> str | None:
    from state.contract.memory_alike import save_key_of

    runs = world.facts.runs_of(row.campaign_uid)
    made = (run for run in runs if (run.generation, run.attempt) == (row.generation, row.attempt))
    run = next(made, None)
    return save_key_of(run.config_json, run.device) if run is not None else None
