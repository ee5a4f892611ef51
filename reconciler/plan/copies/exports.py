"""Copies that people asked for: of one checkpoint, or of all that lie there of a campaign.

With adapters goes the checkpoint of full weights that they belong to: without it they mean nothing elsewhere.
"""

from collections.abc import Iterator, Sequence

import msgspec

from reconciler.observed.machine_records import CopyTarget
from reconciler.plan.actions import CopyCheckpoint, SetAsideCheckpoint
from reconciler.plan.changes import change_id
from reconciler.plan.checkpoints.answers import plan_answer
from reconciler.plan.copies.places import copy_action, copy_place, is_copied, plan_copy
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.elsewhere import moved_out
from reconciler.plan.keeping.stock import stock_of
from reconciler.plan.world import World
from state.amounts import count, size
from state.contract.adapters import AdapterBase, opened_with_peft
from state.store.rows import CampaignRow, ExportWish, LedgerRow, RequestRow

_MOST_NAMED = 5


def plan_exports(world: World, draft: Draft) -> None:
    """Copy what was asked for, oldest request first; tell who asked once nothing of it is left to do."""
    for request in world.facts.store.requests:
        if request.kind == "export":
            _plan_one(world, draft, request)


def _plan_one(world: World, draft: Draft, request: RequestRow) -> None:
    to = msgspec.json.decode(request.details_json or "", type=ExportWish).to
    asked = list(_things(world, request))
    found = [*asked, *_below(world, asked)]
    failed: list[str] = []
    actions: list[CopyCheckpoint] = []
    for row, one in found:
        action = copy_action(world, row, one, to, "export")
        if is_copied(world, row, one, to):
            continue
        why = _failure(world, action, request)
        if why is not None:
            failed.append(f"{row.name}@{one.which} was not exported: {why}")
        else:
            actions.append(action)
    cause = f"reconcile export at {request.asked_at}"
    if _has_no_room(world, draft, actions, to, cause):
        return
    for action in actions:
        plan_copy(draft, action, reason=f"{request.asked_by} asked for it", cause=cause, source="request")
    if not actions and not _is_looked_at(draft, request):
        plan_answer(draft, request, _answer(found, to, failed) + _to_open(world, asked, to))


def _has_no_room(world: World, draft: Draft, actions: Sequence[CopyCheckpoint], to: str, cause: str) -> bool:
    """Say so where what is to be copied does not fit: nothing of it is copied before it does."""
    target = world.facts.export_targets.get(to, CopyTarget())
    needed = sum(action.size_bytes for action in actions)
    if target.free_bytes is None or needed <= target.free_bytes:
        return False
    draft.block(
        f"campaign/{actions[0].campaign}",
        code="export-no-room",
        message=f"{to} has {size(target.free_bytes)} left, {size(needed)} are needed for its export",
        cause=cause,
        hint="make room there: it goes on by itself",
    )
    return True


def _is_looked_at(draft: Draft, request: RequestRow) -> bool:
    """Does this plan read something of it once more, which may be right again? Then the next plan answers."""
    return any(
        request.campaign in (one.campaign, f"{one.campaign}@{one.step}")
        for one in draft.actions(SetAsideCheckpoint)
    )


def _things(world: World, request: RequestRow) -> Iterator[tuple[CampaignRow, LedgerRow]]:
    """Yield what lies there whole of what was asked for, or elsewhere, where it was moved out of the root."""
    name, _, which = request.campaign.partition("@")
    row = world.facts.campaign_row(name)
    if row is None or row.status == "deleted":
        return
    stock = stock_of(world, row)
    here = (one for one in stock.kept if stock.is_there(one))
    for one in (*here, *moved_out(world.facts, stock)):
        if which in ("", one.which):
            yield row, one


def _below(
    world: World, asked: Sequence[tuple[CampaignRow, LedgerRow]]
) -> Iterator[tuple[CampaignRow, LedgerRow]]:
    """Yield the checkpoints below adapters that were asked for, of what was not asked for itself."""
    yielded = {one.sequence for _, one in asked}
    for row, one in asked:
        base = _base(world, row, one)
        if base is not None and base.sequence not in yielded:
            yielded.add(base.sequence)
            yield row, base


def _base(world: World, row: CampaignRow, one: LedgerRow) -> LedgerRow | None:
    """Return the checkpoint that a checkpoint's adapters belong to, where it lies there whole."""
    base = _said_base(world, row, one)
    stock = stock_of(world, row)
    below = stock.by_digest.get(base.digest) if base is not None else None
    return below if below is not None and stock.is_there(below) else None


def _said_base(world: World, row: CampaignRow, one: LedgerRow) -> AdapterBase | None:
    """Return the checkpoint of the same campaign that adapters belong to, as their manifest says.

    None of full weights, and of what lies elsewhere with its manifest.
    """
    complete = stock_of(world, row).complete
    base = next((found.manifest.adapter_base for found in complete if found.digest == one.digest), None)
    return base if base is not None and base.kind == "checkpoint" else None


def _to_open(world: World, asked: Sequence[tuple[CampaignRow, LedgerRow]], to: str) -> str:
    """Return how copies of adapters are opened, told of the newest: as they were saved, they name no base."""
    adapters = [(row, one) for row, one in asked if _said_base(world, row, one) is not None]
    if not adapters:
        return ""
    row, one = adapters[-1]
    base, said = _base(world, row, one), _said_base(world, row, one)
    number = len(adapters)
    some = "1 of them holds adapters" if number == 1 else f"{number:,} of them hold adapters"
    they = "they are adapters" if number == len(asked) else some
    if base is None:
        step = said.step if said is not None else None
        return f"; {they} on checkpoint-{step}, which does not lie there whole"
    places = (copy_place(to, row.folder_name, each.named_segment, each.step) for each in (base, one))
    return f"; {they}, opened with peft: {opened_with_peft(*places)}"


def _failure(world: World, action: CopyCheckpoint, request: RequestRow) -> str | None:
    """Return why a copy can not be made in that folder, or failed for good since it was asked for."""
    if (target := world.facts.export_targets.get(action.to)) is not None and target.problem is not None:
        return target.problem
    failed = world.facts.failed_action(change_id(action))
    return failed.outcome if failed is not None and failed.failed_at[-1] >= request.asked_at else None


def _answer(found: list[tuple[CampaignRow, LedgerRow]], to: str, failed: list[str]) -> str:
    done = len(found) - len(failed)
    if len(found) == 1 and done:
        row, one = found[0]
        place = copy_place(to, row.folder_name, one.named_segment, one.step)
        return f"{size(one.size_bytes)} in {place}, read back and as saved"
    total = size(sum(one.size_bytes for _, one in found)) if done and not failed else ""
    said = f"{count(done, 'checkpoint')}{f', {total},' if total else ''} in {to}, read back and as saved"
    more = f"; and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    if not found:
        return "nothing of it lies there whole; nothing was exported"
    return "; ".join([*([said] if done else []), *failed[:_MOST_NAMED]]) + more
