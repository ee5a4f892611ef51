"""What processes and locks tell of the open runs, beyond what lies in each run's folder. Reads only."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from reconciler.observed.bearers import Bearers
from reconciler.observed.facts import CampaignFacts
from reconciler.observed.records import RunFacts
from state.ids import RunKey
from state.store.rows import RunRow, StoreView


def with_open_runs(
    store: StoreView, seen: Mapping[str, CampaignFacts], bearers: Bearers, trainer_lock: Path
) -> dict[str, CampaignFacts]:
    """Return the campaigns with those of their open runs that live although their folder does not show it."""
    found = dict(seen)
    unclaimed = []
    for name, row, run in _open(store, seen):
        if run is None or run.process is None:
            unclaimed.append((name, row))
        elif (living := _of_older_version(run, row, trainer_lock)) is not None:
            runs = tuple(living if one is run else one for one in found[name].runs)
            found[name] = msgspec.structs.replace(found[name], runs=runs)
    carried = bearers.living({row.cookie for _, row in unclaimed})
    for name, row in unclaimed:
        if row.cookie in carried:
            starting = (*found[name].starting, _key(row).folder)
            found[name] = msgspec.structs.replace(found[name], starting=starting)
    return found


def _open(
    store: StoreView, seen: Mapping[str, CampaignFacts]
) -> Iterator[tuple[str, RunRow, RunFacts | None]]:
    """Yield the launches that are not over, with what their folder shows."""
    names = {row.uid: row.name for row in store.campaigns}
    for row in (row for row in store.runs if row.state != "ended"):
        name = names[row.campaign_uid]
        yield name, row, seen[name].run(_key(row))


def _key(row: RunRow) -> RunKey:
    return RunKey(row.campaign_uid, row.generation, row.attempt)


def _of_older_version(run: RunFacts, row: RunRow, trainer_lock: Path) -> RunFacts | None:
    """Return the run where its trainer, of an older version, may live and its number is not seen."""
    claim = run.process
    if claim is None or run.alive or claim.cookie != row.cookie:
        return None
    from reconciler.observed.older_trainers import older_whereabouts

    where = older_whereabouts(claim, Path(run.folder), trainer_lock)
    if where is None:
        return None
    return msgspec.structs.replace(
        run, alive=where.alive, unreachable=where.unreachable, process=where.process
    )
