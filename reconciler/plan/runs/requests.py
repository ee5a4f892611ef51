"""What people asked of the loop: pause, stop, resume; skip and retry of a quest."""

from collections.abc import Sequence
from typing import Literal, get_args

from reconciler.plan.actions import HandleQuestRequest, HandleRequest
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.store.rows import NO_REASON, RequestRow

HoldKind = Literal["pause", "resume", "stop"]
_HOLDS = get_args(HoldKind)


def plan_requests(world: World, draft: Draft) -> None:
    """Handle open requests, oldest first; one that a later one takes back is handled along with it."""
    by_campaign: dict[str, list[RequestRow]] = {}
    for request in world.facts.store.requests:
        if request.kind in _HOLDS:
            by_campaign.setdefault(request.campaign, []).append(request)
    for request in world.facts.store.requests:
        match request.kind:
            case "skip" | "retry" as kind:
                _handle_quest(draft, request, kind)
            case "pause" | "resume" | "stop" as kind:
                if not is_taken_back(request, by_campaign[request.campaign]):
                    _handle(world, draft, request, kind, by_campaign[request.campaign])
            case _:  # `saves`, `scrubs`, `exports`, `drops`, `guard` and `source` plan the others
                pass


def is_taken_back(request: RequestRow, asked: Sequence[RequestRow]) -> bool:
    """Did somebody ask later that the campaign be held or let go? What a resume forgives stays forgiven."""
    return request.kind != "resume" and any(other.id > request.id for other in asked)


def _handle(
    world: World, draft: Draft, request: RequestRow, kind: HoldKind, asked: Sequence[RequestRow]
) -> None:
    row = world.facts.campaign_row(request.campaign)
    older = [one for one in asked if one.id < request.id and is_taken_back(one, asked)]
    is_last = request.id == asked[-1].id
    why = f": {request.why}" if request.why != NO_REASON else ""
    before = f", instead of {older[-1].kind} (request {older[-1].id})" if is_last and older else ""
    draft.add(
        HandleRequest(
            request_id=request.id,
            kind=kind,
            campaign=request.campaign,
            campaign_uid=row.uid if row else None,
            asked_by=request.asked_by,
            why=request.why,
            instead_of=tuple(one.id for one in older) if is_last else (),
        ),
        subject=f"campaign/{request.campaign}",
        reason=f"{request.asked_by} asked for it{before}{why}",
        cause=f"reconcile {kind} at {request.asked_at}",
        source="request",
    )


def _handle_quest(draft: Draft, request: RequestRow, kind: Literal["skip", "retry"]) -> None:
    why = f": {request.why}" if request.why != NO_REASON else ""
    draft.add(
        HandleQuestRequest(
            request_id=request.id,
            kind=kind,
            quest_id=request.quest or "",
            asked_by=request.asked_by,
            why=request.why,
        ),
        subject=f"quest/{request.quest}",
        reason=f"{request.asked_by} asked for it{why}",
        cause=f"reconcile {kind} at {request.asked_at}",
        source="request",
    )
