"""Which checkpoint `<hero>/<campaign>@best`, `@latest` or `@<step>` is, or why it is none to begin with."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from reconciler.desired.mistakes import nearest_name
from reconciler.observed.records import CheckpointFacts, FoundCheckpoint
from reconciler.plan.configs.resolved import ResolvedRun, resolve_run
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count
from state.contract.manifest import Origin
from state.former_names import several_had
from state.held_out_rows import newest_rows
from state.ids import checkpoint_folder, which_of
from state.store.rows import CampaignRow, LedgerRow, TrashRow

CODE = "start-"
"""How the code of each begins that says why a campaign cannot begin."""
_SHOWN = 8
_NEAREST = 3


class Start(NamedTuple):
    """A checkpoint that a campaign can begin with."""

    row: CampaignRow
    """Of the campaign that it is of."""
    found: FoundCheckpoint
    segment: int | None = None
    """Where it is not of the living history."""

    @property
    def name(self) -> str:
        """Return what people call it."""
        return f"{self.row.name}@{which_of(self.segment, self.found.step)}"

    @property
    def origin(self) -> Origin:
        """Return what its copy says of it."""
        manifest = self.found.manifest
        return Origin(
            campaign_uid=self.row.uid,
            campaign=self.row.name,
            segment=manifest.segment,
            step=manifest.step,
            digest=manifest.digest,
        )


class NoStart(NamedTuple):
    """Why there is none."""

    code: str
    message: str
    hint: str


def block_start(world: World, draft: Draft, name: str, wanted: str, problem: NoStart) -> None:
    """Say why a campaign cannot begin with what its spec names."""
    draft.block(
        f"campaign/{name}",
        code=f"{CODE}{problem.code}",
        message=f"it is to begin with {wanted}: {problem.message}",
        cause=world.where(f"campaign/{name}", "starting_checkpoint"),
        hint=problem.hint,
    )


def resolved_to_begin(world: World, name: str) -> ResolvedRun | NoStart:
    """Return the campaign's config, which says of what model it is, or why there is none yet."""
    resolved = resolve_run(world, name)
    if isinstance(resolved, ResolvedRun):
        return resolved
    return NoStart("waits", resolved[0].message, resolved[0].hint)


def find_start(world: World, wanted: str) -> Start | NoStart:
    """Return the checkpoint that a spec names, as it lies there now."""
    campaign, _, which = world.named_now(wanted).partition("@")
    row = world.facts.campaign_row(campaign)
    if row is None:
        return _no_campaign(world, campaign)
    stone = world.facts.deletion(row.uid)
    return _deleted(stone) if stone is not None else _find(world, row, campaign, which)


def _find(world: World, row: CampaignRow, campaign: str, which: str) -> Start | NoStart:
    seen = world.seen(campaign).checkpoints
    if seen.problem is not None:
        return NoStart("unreadable", seen.problem, "make the folder readable again")
    if which in ("best", "latest") and (away := world.facts.moved_out.get(row.uid)):
        there = count(len(away), "checkpoint")
        message = f"{campaign} has {there} outside the root: which it is, is not known"
        hint = f"name the step, or take it out of the archive: reconcile restore {campaign}"
        return NoStart("elsewhere", message, hint)
    segment, _, step = which.rpartition(":")
    if step.isdecimal():
        return _at_step(world, row, int(step), int(segment) if segment else None)
    found = world.newest_checkpoint(campaign) if which == "latest" else _best(world, row, seen)
    if found is not None:
        return Start(row, found)
    if which == "best" and _usable(world, row, seen):
        return NoStart(
            "missing",
            f"no checkpoint of {campaign} has a held-out loss",
            f"name {campaign}@latest or a step: {_steps(seen)}",
        )
    return NoStart("missing", f"{campaign} has no healthy checkpoint yet", "train it first, or name another")


def _deleted(stone: TrashRow) -> NoStart:
    if stone.state == "trashed":
        message = f"{stone.campaign} is deleted, and lies in the trash"
        return NoStart("in-trash", message, f"reconcile undelete {stone.thing}")
    return NoStart("missing", f"{stone.campaign} was deleted for good", "name another campaign's checkpoint")


def _no_campaign(world: World, campaign: str) -> NoStart:
    if campaign in world.desired.campaigns:
        return NoStart("missing", f"{campaign} has no checkpoint yet", "train it first, or name another")
    if (had := several_had(world.facts.store.campaigns, campaign)) is not None:
        return NoStart("unclear", f"{had}; none has it now", "write the name that the one meant has now")
    known = [row.name for row in world.facts.store.campaigns]
    near = nearest_name(campaign, known)
    hint = f"did you mean {near}?" if near else "reconcile get campaigns shows those that there are"
    return NoStart("missing", f"there is no campaign {campaign}", hint)


def _usable(world: World, row: CampaignRow, seen: CheckpointFacts) -> list[FoundCheckpoint]:
    damaged = {one.digest for one in world.facts.ledger_of(row.uid) if one.damage is not None}
    return [found for found in seen.complete if found.healthy and found.digest not in damaged]


def _best(world: World, row: CampaignRow, seen: CheckpointFacts) -> FoundCheckpoint | None:
    """Return the one with the lowest loss on the newest held-out rows; of equal ones the later.

    NaN displaces nothing.
    """
    measured = [(found.manifest.measures.val_loss, found) for found in _usable(world, row, seen)]
    finite = [
        (loss, -found.step, found) for loss, found in measured if loss is not None and math.isfinite(loss)
    ]
    rows = _rows_measured(world, row, [found for *_, found in finite])
    newest = _newest_rows(world, row, rows)
    alike = [one for one in finite if rows[one[2].digest][1] == newest]
    return min(alike, key=lambda one: one[:2])[2] if alike else None


def _rows_measured(
    world: World, row: CampaignRow, measured: list[FoundCheckpoint]
) -> dict[str, tuple[int, str]]:
    """Return by digest the step of each and the held-out rows that it was measured on."""
    measured_on = world.facts.rows_measured(row.uid)
    return {one.digest: (one.step, measured_on.of_manifest(one.manifest)) for one in measured}


def _newest_rows(world: World, row: CampaignRow, rows: Mapping[str, tuple[int, str]]) -> str | None:
    """Return the rows of the newest measurement of the living history, whether it is dropped or not."""
    measured_on = world.facts.rows_measured(row.uid)
    ledger = [one for one in world.facts.ledger_of(row.uid) if one.is_living]
    ever = [(one.step, on) for one in ledger if (on := measured_on.of(one))]
    return newest_rows([*ever, *rows.values()], {on for _, on in rows.values()})


def _at_step(world: World, row: CampaignRow, step: int, segment: int | None) -> Start | NoStart:
    which, facts = which_of(segment, step), world.seen(row.name)
    seen = facts.checkpoints if segment is None else facts.segments.get(segment, CheckpointFacts())
    name = f"{row.name}@{which}"
    ledger = [one for one in world.facts.ledger_of(row.uid) if one.which == which]
    found = next((one for one in seen.complete if one.step == step), None)
    if found is None:
        return _not_there(world, seen, name, step, ledger)
    damage = next((one.damage for one in ledger if one.digest == found.digest), None)
    if damage is not None:
        return NoStart(
            "damaged", f"it is damaged: {damage}", "restore its folder from a copy, or name another"
        )
    if not found.healthy:
        return NoStart("unhealthy", "a loss before it was not finite", "name one before that, or @latest")
    return Start(row, found, segment)


def _not_there(world: World, seen: CheckpointFacts, name: str, step: int, ledger: list[LedgerRow]) -> NoStart:
    """Return why a step has no complete checkpoint: in the trash, purged, damaged, foreign, never saved."""
    stone = next((stone for one in ledger if (stone := world.facts.tombstone(one)) is not None), None)
    if stone is not None and stone.is_moved:
        return NoStart("elsewhere", "it was moved out of the root", f"reconcile undelete {name}")
    if stone is not None and stone.state == "trashed":
        return NoStart("in-trash", "it is in the trash", f"reconcile undelete {name}")
    if stone is not None:
        return NoStart("missing", f"it was deleted: {stone.reason}", f"name another: {_steps(seen)}")
    damage = next((one.damage for one in ledger if one.damage is not None), None)
    if damage is not None:
        return NoStart(
            "damaged", f"it is damaged: {damage}", "restore its folder from a copy, or name another"
        )
    foreign = next((one for one in seen.foreign if one.name == checkpoint_folder(step)), None)
    if foreign is not None:
        return NoStart("incomplete", f"{foreign.path}: {foreign.reason}", f"name another: {_steps(seen)}")
    return NoStart("missing", "there is no complete checkpoint at that step", _nearest(seen, step))


def _nearest(seen: CheckpointFacts, step: int) -> str:
    """Return the steps that are nearest to one, the smallest first."""
    near = sorted(seen.complete, key=lambda one: (abs(one.step - step), -one.step))[:_NEAREST]
    told = ", ".join(str(one) for one in sorted(one.step for one in near))
    return f"the nearest: {told}" if near else "none lies there"


def _steps(seen: CheckpointFacts) -> str:
    steps = [str(one.step) for one in seen.complete]
    more = f" and {len(steps) - _SHOWN} earlier" if len(steps) > _SHOWN else ""
    return (", ".join(steps[-_SHOWN:]) + more) or "none yet"
