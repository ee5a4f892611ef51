"""What people asked of the loop: pause, stop, resume; skip and retry of a quest."""

from collections.abc import Sequence
from typing import Literal

from reconciler.plan.actions import HandleQuestRequest, HandleRequest
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.store.rows import NO_REASON, RequestRow


def plan_requests(world: World, draft: Draft) -> None:
    """Handle every open request, oldest first; one that a later one takes back is handled along with it."""
    asked = [one for one in world.facts.store.requests if one.kind != "checkpoint"]  # `saves` plans those
    by_campaign: dict[str, list[RequestRow]] = {}
    for request in asked:
        by_campaign.setdefault(request.campaign, []).append(request)
    for request in asked:
        if request.kind == "skip" or request.kind == "retry":  # noqa: PLR1714 - it narrows the type
            _handle_quest(draft, request, request.kind)
        elif not is_taken_back(request, by_campaign[request.campaign]):
            _handle(world, draft, request, by_campaign[request.campaign])


def is_taken_back(request: RequestRow, asked: Sequence[RequestRow]) -> bool:
    """Did somebody ask for something else of the campaign later? What a resume forgives stays forgiven."""
    return request.kind != "resume" and any(other.id > request.id for other in asked)


def _handle(world: World, draft: Draft, request: RequestRow, asked: Sequence[RequestRow]) -> None:
    if request.kind == "undelete" or request.kind == "approve" or request.kind == "refresh":  # noqa: PLR1714
        return  # `trash`, `guard` and `source` plan them; one by one it narrows the type
    if request.kind == "scrub" or request.kind == "export" or request.kind == "checkpoint":  # noqa: PLR1714
        return  # `scrubs` and `saves` plan them
    if request.kind == "skip" or request.kind == "retry":  # noqa: PLR1714 - it narrows the type
        return  # about a quest
    row = world.facts.campaign_row(request.campaign)
    older = [one for one in asked if one.id < request.id and is_taken_back(one, asked)]
    is_last = request.id == asked[-1].id
    why = f": {request.why}" if request.why != NO_REASON else ""
    before = f", instead of {older[-1].kind} (request {older[-1].id})" if is_last and older else ""
    draft.add(
        HandleRequest(
            request_id=request.id,
            kind=request.kind,
            campaign=request.campaign,
            campaign_uid=row.uid if row else None,
            asked_by=request.asked_by,
            why=request.why,
            instead_of=tuple(one.id for one in older) if is_last else (),
        ),
        subject=f"campaign/{request.campaign}",
        reason=f"{request.asked_by} asked for it{before}{why}",
        cause=f"reconcile {request.kind} at {request.asked_at}",
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
