"""The guard: a plan that destroys much waits until a person has approved what it destroys.

It looks at the finished plan. What a person asked to delete by spec waits always; what the rules drop waits
above a limit of the realm. What waits is taken out and named, with the digest of exactly these drops.

An approval is of the drops that it was given for, each of them. It is used once: as many of them as the plan
still has are let go, also where others fell away or joined since. Nobody has seen those that joined: where
they and the approved ones exceed a limit together, they are left for the next plan, which judges them by
themselves. So one plan destroys what was approved, or no more than the limits. What a kill leaves goes on at
the same commit. What was dropped before is no decision any more.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reconciler.desired.realm import ApproveAbove
from reconciler.plan.actions import DeleteCampaign, DemoteCheckpoint, TakeApproval
from reconciler.plan.changes import Awaiting, Change
from reconciler.plan.draft import Draft
from reconciler.plan.review.losses import Drop, above, losses_of, num_checkpoints
from reconciler.plan.world import World
from state.amounts import count, size
from state.canonical import sha256_of
from state.ids import which_of
from state.store.rows import Drops, RequestRow

SHORT = 12
"""So many digits of a digest are shown, and are enough to approve it."""
_DEMOTIONS = -(1 << 40)
"""Below all numbers of deletions, which count down from -1."""


def plan_guard(world: World, draft: Draft) -> None:
    """Hold back the drops that need an approval and have none; take the approvals that are there."""
    decided = _decided(world)
    drops = [change for change in _drops_in(draft.changes) if _number(_action(change)) not in decided]
    approved = _approved(world, drops)
    let_go = [change for changes in approved.values() for change in changes]
    ids = {change.id for change in let_go}
    left = [change for change in drops if change.id not in ids]
    awaiting = _awaiting(world, left, let_go, draft.afterwards)
    joined = _joined(world, left, let_go, awaiting)
    draft.take_out([*let_go, *joined, *(awaiting.changes if awaiting else ())])
    if joined:
        draft.warnings.append(_say_joined(joined))
    for request in _asked(world):
        if found := approved.get(request.id):
            _let_go(world, draft, request, found)
        else:
            _decline(draft, request, awaiting)
    if awaiting is not None:
        draft.awaiting = awaiting
        _name(draft, awaiting)


def digest_of(drops: Iterable[Drop]) -> str:
    """Return the digest of exactly these drops: which checkpoints, whatever the words are."""
    return sha256_of(sorted([drop.campaign_uid, _number(drop), drop.digest, drop.kind] for drop in drops))


def short(digest: str) -> str:
    """Return as much of a digest as people see and type."""
    return digest.removeprefix("sha256:")[:SHORT]


def drops_of(awaiting: Awaiting) -> Drops:
    """Return what an approval of this is for, each drop by itself."""
    return Drops(sequences=tuple(sorted(map(_number, map(_action, awaiting.changes)))))


def _drops_in(changes: Iterable[Change]) -> list[Change]:
    return [change for change in changes if isinstance(change.action, Drop)]


def _action(change: Change) -> Drop:
    if not isinstance(change.action, Drop):  # cannot be: `_drops_in` chose them
        raise TypeError(change.id)
    return change.action


def _number(drop: Drop) -> int:
    """Return what an approval calls it by: to keep the weights only is another decision than to drop all."""
    return _DEMOTIONS - drop.sequence if isinstance(drop, DemoteCheckpoint) else drop.sequence


def _decided(world: World) -> frozenset[int]:
    """Return the ledger rows that were dropped before, or approved at this commit."""
    store = world.facts.store
    dropped = {stone.sequence for stone in store.trash if stone.state != "restored"}
    is_approved = store.approval is not None and store.approval.specs_commit == world.specs_commit
    return frozenset(dropped.union(store.approval.sequences if store.approval and is_approved else ()))


def _approved(world: World, drops: Sequence[Change]) -> dict[int, list[Change]]:
    """Return which drops each open request approves, by its id; none twice, the oldest request first."""
    found: dict[int, list[Change]] = {}
    left = {_number(_action(change)): change for change in drops}
    for request in _asked(world):
        wanted = sorted(_wanted(world, request, drops) & left.keys())
        found[request.id] = [left.pop(sequence) for sequence in wanted]
    return found


def _wanted(world: World, request: RequestRow, drops: Sequence[Change]) -> frozenset[int]:
    """Return the ledger rows that a request approves; of an older version's, known by its digest alone."""
    if request.approves_json is not None:
        return frozenset(msgspec.json.decode(request.approves_json, type=Drops).sequences)
    awaiting = _awaiting(world, drops, ())
    if awaiting is None or awaiting.digest != request.campaign:
        return frozenset()
    return frozenset(drops_of(awaiting).sequences)


def _awaiting(
    world: World, drops: Sequence[Change], let_go: Sequence[Change], afterwards: Sequence[Change] = ()
) -> Awaiting | None:
    """Return what needs an approval: all that people ask to delete, the rest where it exceeds a limit.

    What is dropped once the campaigns of this plan are archived counts, too; it is judged again then.
    """
    gone = list(map(_action, let_go))
    asked = [drop for drop in map(_action, drops) if drop.kind == "asked"]
    rolled = [drop for drop in map(_action, drops) if drop.kind != "asked"]
    later = [drop for drop in map(_action, _drops_in(afterwards)) if drop.kind != "asked"]
    exceeded = above(losses_of(world, [*rolled, *later], [*gone, *asked]), _limits(world))
    waiting = [change for change in drops if exceeded or _action(change).kind == "asked"]
    if not waiting:
        return None
    actions = list(map(_action, waiting))
    losses = losses_of(world, actions, gone)
    return Awaiting(
        digest=digest_of(actions),
        checkpoints=losses.checkpoints,
        size_bytes=losses.size_bytes,
        gpu_hours=losses.gpu_hours,
        why=_why(exceeded, is_with_later=bool(later)),
        changes=tuple(waiting),
        demoted=losses.demoted,
        demoted_bytes=losses.demoted_bytes,
    )


def _joined(
    world: World, left: Sequence[Change], let_go: Sequence[Change], awaiting: Awaiting | None
) -> list[Change]:
    """Return the drops that only this plan has, where they and those approved exceed a limit together."""
    waiting = {change.id for change in awaiting.changes} if awaiting else set()
    joined = [change for change in left if change.id not in waiting]
    approved = [drop for drop in map(_action, let_go) if drop.kind != "asked"]
    together = losses_of(world, [*approved, *map(_action, joined)])
    return joined if approved and above(together, _limits(world)) else []


def _say_joined(joined: Sequence[Change]) -> str:
    what = _to_do(list(map(_action, joined)))
    return f"{what}, joined since the approval: left for the plan after this one, which judges that by itself"


def _why(exceeded: tuple[str, ...], *, is_with_later: bool) -> str:
    if not exceeded:
        return "what people ask to delete always needs an approval"
    later = ", with what goes once its campaigns are archived" if is_with_later else ""
    return f"one plan would destroy {' and '.join(exceeded)}{later}"


def _limits(world: World) -> ApproveAbove:
    return world.desired.realm.spec.apply.approve_above


def _asked(world: World) -> Iterator[RequestRow]:
    return (request for request in world.facts.store.requests if request.kind == "approve")


def _decline(draft: Draft, request: RequestRow, awaiting: Awaiting | None) -> None:
    """Close an approval of which the plan has nothing: it is not kept for later."""
    now = f"it waits for an approval of {short(awaiting.digest)} now" if awaiting else "nothing waits for one"
    _take(draft, request, sequences=(), specs_commit="", what=f"not used: the plan has changed, {now}")


def _let_go(world: World, draft: Draft, request: RequestRow, drops: Sequence[Change]) -> None:
    """Take the approval, then do what it is for."""
    sequences = tuple(sorted(_number(_action(change)) for change in drops))
    what = _to_do(list(map(_action, drops)))
    taken = _take(draft, request, sequences=sequences, specs_commit=world.specs_commit, what=what)
    draft.put(*(msgspec.structs.replace(change, needs=(*change.needs, taken)) for change in drops))


def _to_do(drops: Sequence[Drop]) -> str:
    """Return in words what an approval is used for."""
    whole, light = sum(map(num_checkpoints, drops)), sum(isinstance(drop, DemoteCheckpoint) for drop in drops)
    weights = f"to keep {'its' if light == 1 else 'their'} weights only"
    if not light:
        return f"{count(whole, 'checkpoint')} to drop"
    if not whole:
        return f"{count(light, 'checkpoint')} {weights}"
    return f"{count(whole, 'checkpoint')} to drop, {light:,} {weights}"


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
    by_campaign: dict[str, list[Change]] = {}
    for change in awaiting.changes:
        by_campaign.setdefault(_action(change).campaign, []).append(change)
    approve = f"reconcile approve {short(awaiting.digest)}"
    for campaign, changes in by_campaign.items():
        draft.block(
            f"campaign/{campaign}",
            code="needs-approval",
            message=f"{_which(changes)}, and wait{'s' if len(changes) == 1 else ''} for an approval: "
            f"{awaiting.why}",
            cause=changes[0].cause,
            hint=f"{_how_to_see(campaign, changes)}; then: {approve}",
        )


def _how_to_see(campaign: str, changes: Sequence[Change]) -> str:
    """Return what shows each thing that would go; of a whole campaign `explain` says no more than this."""
    if any(isinstance(change.action, DeleteCampaign) for change in changes):
        return f"its checkpoints: reconcile get checkpoints {campaign}"
    return f"each of them: reconcile explain {campaign}"


def _which(changes: Sequence[Change]) -> str:
    """Return in words what would happen to what of a campaign, and why."""
    for change in changes:
        if isinstance(whole := change.action, DeleteCampaign):
            what = f"{count(whole.checkpoints, 'checkpoint')}, {size(whole.size_bytes)}"
            return f"all of it ({what}) would be deleted ({changes[0].reason})"
    light = [change for change in changes if isinstance(change.action, DemoteCheckpoint)]
    gone = [change for change in changes if change not in light]
    parts = []
    if gone:
        lost = f"{size(_lost(gone))}, " if light else ""
        parts.append(f"{_steps(gone)} would be dropped ({lost}{gone[0].reason})")
    if light:
        lost = f"{size(_lost(light))} of optimizer state, "
        parts.append(f"{_steps(light)} would keep no more than weights ({lost}{light[0].reason})")
    return " and ".join(parts)


def _lost(changes: Sequence[Change]) -> int:
    return sum(_action(change).size_bytes for change in changes)


def _steps(changes: Sequence[Change]) -> str:
    """Return in words which checkpoints these are about."""
    ordered = sorted(map(_action, changes), key=lambda drop: drop.step)
    names = [f"@{which_of(getattr(drop, 'segment', None), drop.step)}" for drop in ordered]
    return names[0] if len(names) == 1 else f"{len(names):,} checkpoints, {names[0]} to {names[-1]},"
