"""The end of a request that took more than one plan: who asked for it is told."""

from reconciler.plan.actions import AnswerRequest
from reconciler.plan.draft import Draft
from state.store.rows import RequestRow


def plan_answer(draft: Draft, request: RequestRow, answer: str) -> None:
    """Mark a request as handled, with what came of it."""
    draft.add(
        AnswerRequest(
            request_id=request.id, what=f"{request.kind} {request.campaign}".strip(), answer=answer
        ),
        subject=request.kind,
        reason=f"{request.asked_by} asked for it",
        cause=f"reconcile {request.kind} at {request.asked_at}",
        source="request",
    )
