"""A remote source: who asked for a look is told what it found; in trouble nothing is deleted."""

from reconciler.plan.actions import (
    AnswerRefresh,
    DeleteCampaign,
    PurgeTrash,
    TakeApproval,
    TrashCheckpoint,
)
from reconciler.plan.changes import Change
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count
from state.source_status import SourceStatus, SourceTrouble
from state.store.rows import RequestRow

_DELETES = (TrashCheckpoint, DeleteCampaign, PurgeTrash)
_HINTS = {
    "unreachable": "what it needs is on the other side; then: reconcile refresh --wait",
    "branch-gone": "bring the branch back there; then: reconcile refresh --wait",
    "shallow": "fetch the whole history there (git fetch --unshallow); then: reconcile refresh --wait",
    "no-space": "make room on the disk; then: reconcile refresh --wait",
}


def plan_refreshes(world: World, draft: Draft) -> None:
    """Answer every request for a look that the last look came after; of local specs every tick is one."""
    source = world.facts.source
    for request in world.facts.store.requests:
        if request.kind == "refresh" and (source is None or request.id <= source.covers_request):
            draft.add(
                AnswerRefresh(request_id=request.id, answer=_answer(world, source)),
                subject="source",
                reason=f"{request.asked_by} asked for it",
                cause=f"reconcile refresh at {request.asked_at}",
                source="request",
            )


def open_refresh(world: World) -> RequestRow | None:
    """Return the newest request for a look that no look came after."""
    source = world.facts.source
    waiting = [
        request
        for request in world.facts.store.requests
        if request.kind == "refresh" and source is not None and request.id > source.covers_request
    ]
    return waiting[-1] if waiting else None


def plan_source_trouble(world: World, draft: Draft) -> None:
    """Name a source that cannot be followed, and take out whatever this plan would delete meanwhile."""
    source = world.facts.source
    if source is None or source.trouble is None:
        return
    held = [change for change in draft.changes if isinstance(change.action, _DELETES)]
    draft.take_out([*held, *(change for change in draft.changes if _uses_an_approval(change))])
    waits = f"; {count(len(held), 'deletion')} wait{'s' if len(held) == 1 else ''} meanwhile" if held else ""
    stays = f"{source.commit[:7]} stays in force" if source.commit else "nothing was ever fetched"
    draft.block(
        "source",
        code=f"source-{source.trouble.code}",
        message=f"{source.trouble.message} (since {source.trouble.since}); {stays}{waits}",
        cause=f"{source.url}, branch {source.branch}",
        hint=_hint(source, source.trouble),
    )


def _uses_an_approval(change: Change) -> bool:
    """Is it the taking of an approval for deletions? It is kept until they can be done."""
    return isinstance(change.action, TakeApproval) and bool(change.action.sequences)


def _hint(source: SourceStatus, trouble: SourceTrouble) -> str:
    if trouble.code == "rewritten" and source.offered is not None:
        accept = f"reconcile refresh --accept {source.offered[:12]}"
        return f"if it is meant: {accept}; else put the branch back there"
    return _HINTS[trouble.code]


def _answer(world: World, source: SourceStatus | None) -> str:
    if source is None:
        return f"the specs are local: {world.specs_commit[:7]} was looked at"
    if source.trouble is not None:
        stays = f"{source.commit[:7]} stays in force" if source.commit else "nothing is in force"
        return f"{source.trouble.message}; {stays}"
    return f"{source.branch} is at {(source.commit or '')[:7]}, fetched {source.tried_at}"
