"""What people asked of the loop: pause, stop, resume."""

from reconciler.plan.actions import HandleRequest
from reconciler.plan.draft import Draft
from reconciler.plan.world import World


def plan_requests(world: World, draft: Draft) -> None:
    """Handle every open request, oldest first."""
    for request in world.facts.store.requests:
        if request.kind == "undelete":
            continue  # `trash` plans it
        if request.kind == "approve":
            continue  # `guard` does
        row = world.facts.campaign_row(request.campaign)
        draft.add(
            HandleRequest(
                request_id=request.id,
                kind=request.kind,
                campaign=request.campaign,
                campaign_uid=row.uid if row else None,
                asked_by=request.asked_by,
                why=request.why,
            ),
            subject=f"campaign/{request.campaign}",
            reason=f"{request.asked_by} asked for it: {request.why}",
            cause=f"reconcile {request.kind} at {request.asked_at}",
            source="edit",
        )
