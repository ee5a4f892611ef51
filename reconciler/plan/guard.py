"""The guard: a plan that destroys much waits until a person has approved exactly what it destroys.

It looks at the finished plan. Above a limit of the realm, or when a person asked for a deletion by spec, the
drops are taken out and named, with the digest of exactly these. An approval of that digest lets them go
once; what a kill leaves of them goes on at the same commit. What was dropped before is no decision any more.
"""

from collections.abc import Iterator, Sequence

import msgspec

from reconciler.desired.realm import ApproveAbove
from reconciler.plan.actions import TakeApproval, TrashCheckpoint
from reconciler.plan.changes import Awaiting, Change
from reconciler.plan.draft import Draft
from reconciler.plan.losses import above, losses_of
from reconciler.plan.world import World
from state.canonical import sha256_of
from state.store.rows import RequestRow

SHORT = 12
"""So many digits of a digest are shown, and are enough to approve it."""


def plan_guard(world: World, draft: Draft) -> None:
    """Hold back the drops that need an approval and have none; take the approvals that are there."""
    decided = _decided(world)
    drops = [
        change
        for change in draft.changes
        if isinstance(change.action, TrashCheckpoint) and change.action.sequence not in decided
    ]
    awaiting = _awaiting(world, drops)
    approval = _approval_of(world, awaiting)
    for request in _asked(world):
        if request is not approval:
            _decline(draft, request, awaiting)
    if awaiting is None:
        return
    draft.take_out(awaiting.changes)
    if approval is None:
        draft.awaiting = awaiting
        _name(draft, awaiting)
    else:
        _let_go(world, draft, approval, awaiting)


def digest_of(drops: Sequence[TrashCheckpoint]) -> str:
    """Return the digest of exactly these drops: which checkpoints, whatever the words are."""
    return sha256_of(sorted([drop.campaign_uid, drop.sequence, drop.digest, drop.kind] for drop in drops))


def short(digest: str) -> str:
    """Return as much of a digest as people see and type."""
    return digest.removeprefix("sha256:")[:SHORT]


def _decided(world: World) -> frozenset[int]:
    """Return the ledger rows that were dropped before, or approved at this commit."""
    store = world.facts.store
    dropped = {stone.sequence for stone in store.trash if stone.state != "restored"}
    is_approved = store.approval is not None and store.approval.specs_commit == world.specs_commit
    return frozenset(dropped.union(store.approval.sequences if store.approval and is_approved else ()))


def _awaiting(world: World, drops: Sequence[Change]) -> Awaiting | None:
    """Return what needs an approval; None where the plan stays below every limit."""
    actions = [change.action for change in drops if isinstance(change.action, TrashCheckpoint)]
    losses = losses_of(world, actions)
    exceeded = above(losses, _limits(world))
    asked = any(action.kind == "asked" for action in actions)
    if not exceeded and not asked:
        return None
    return Awaiting(
        digest=digest_of(actions),
        checkpoints=losses.checkpoints,
        size_bytes=losses.size_bytes,
        gpu_hours=losses.gpu_hours,
        why=_why(exceeded),
        changes=tuple(drops),
    )


def _why(exceeded: tuple[str, ...]) -> str:
    if not exceeded:
        return "what people ask to delete always needs an approval"
    return f"one plan would destroy {' and '.join(exceeded)}"


def _limits(world: World) -> ApproveAbove:
    return world.desired.realm.spec.apply.approve_above


def _asked(world: World) -> Iterator[RequestRow]:
    return (request for request in world.facts.store.requests if request.kind == "approve")


def _approval_of(world: World, awaiting: Awaiting | None) -> RequestRow | None:
    """Return the oldest open request that approves exactly this."""
    if awaiting is None:
        return None
    return next((request for request in _asked(world) if request.campaign == awaiting.digest), None)


def _decline(draft: Draft, request: RequestRow, awaiting: Awaiting | None) -> None:
    """Close an approval of something else: it is valid for exactly its digest, and not kept for later."""
    now = f"it waits for an approval of {short(awaiting.digest)} now" if awaiting else "nothing waits for one"
    _take(draft, request, sequences=(), specs_commit="", what=f"not used: the plan has changed, {now}")


def _let_go(world: World, draft: Draft, request: RequestRow, awaiting: Awaiting) -> None:
    """Take the approval, then do what it is for."""
    sequences = [
        change.action.sequence for change in awaiting.changes if isinstance(change.action, TrashCheckpoint)
    ]
    what = f"{awaiting.checkpoints:,} checkpoints to drop"
    taken = _take(
        draft, request, sequences=tuple(sorted(sequences)), specs_commit=world.specs_commit, what=what
    )
    draft.changes.extend(
        msgspec.structs.replace(change, needs=(*change.needs, taken)) for change in awaiting.changes
    )


def _take(
    draft: Draft, request: RequestRow, *, sequences: tuple[int, ...], specs_commit: str, what: str
) -> str:
    return draft.add(
        TakeApproval(
            request_id=request.id,
            digest=request.campaign,
            sequences=sequences,
            specs_commit=specs_commit,
            what=what,
        ),
        subject="approval",
        reason=f"{request.asked_by} approved it: {request.why}",
        cause=f"reconcile approve at {request.asked_at}",
        source="request",
    )


def _name(draft: Draft, awaiting: Awaiting) -> None:
    """Name what waits, campaign by campaign, with how to approve it."""
    by_campaign: dict[str, list[tuple[TrashCheckpoint, Change]]] = {}
    for change in awaiting.changes:
        if isinstance(change.action, TrashCheckpoint):
            by_campaign.setdefault(change.action.campaign, []).append((change.action, change))
    for campaign, drops in by_campaign.items():
        steps = sorted(action.step for action, _ in drops)
        which = (
            f"@{steps[0]}" if len(steps) == 1 else f"{len(steps):,} checkpoints, @{steps[0]} to @{steps[-1]},"
        )
        draft.block(
            f"campaign/{campaign}",
            code="needs-approval",
            message=f"{which} would be dropped ({drops[0][1].reason}), and wait for an approval: "
            f"{awaiting.why}",
            cause=drops[0][1].cause,
            hint=f"each of them: reconcile plan --json (awaiting); then: "
            f"reconcile approve {short(awaiting.digest)}",
        )
