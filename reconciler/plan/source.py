"""Where the specs come from: who asked for a look is told what it found; in trouble nothing is deleted."""

from shlex import quote

from reconciler.plan.actions import AnswerRefresh, DemoteCheckpoint, TakeApproval
from reconciler.plan.changes import Change
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count
from state.source_status import SourceStatus, SourceTrouble
from state.store.refreshes import accepted_commits
from state.store.rows import RequestRow

SHOWN = 12
"""So many digits of a commit are shown to be accepted."""
_HINTS = {
    "unreachable": "what it needs is on the other side",
    "no-access": "give who runs apply an ssh key or a credential helper",
    "branch-gone": "bring the branch back there",
    "shallow": "fetch the whole history there (git fetch --unshallow)",
    "no-space": "make room on the disk",
}
"""What a person does about a source elsewhere before it is looked at again."""
_LOST = ("branch-gone", "no-access")
"""A local branch that cannot be read at all."""
_BACK = {
    "rewritten": "git merge {0}",
    "commit-gone": "fetch {0} from a clone that has it, then git merge {0}",
    "shallow": "git fetch --unshallow",
}
"""How a local branch goes on again from the commit before."""


def plan_refreshes(world: World, draft: Draft) -> None:
    """Answer every request for a look that the last look came after; of local specs every tick is one."""
    source, elsewhere, newest = world.facts.source, _elsewhere(world), world.facts.not_in_force
    if elsewhere is not None and not _is_of_the_newest(world, elsewhere):
        return  # it was fetched after the specs were read: the next tick reads them, and tells how they are
    for request in world.facts.store.requests:
        if request.kind == "refresh" and (elsewhere is None or request.id <= elsewhere.covers_request):
            draft.add(
                AnswerRefresh(
                    request_id=request.id,
                    answer=_answer(world, source, request),
                    is_mistaken=(newest is not None and newest.is_mistaken) or _is_out_of_reach(elsewhere),
                ),
                subject="source",
                reason=f"{request.asked_by} asked for it",
                cause=f"reconcile refresh at {request.asked_at}",
                source="request",
            )


def _is_out_of_reach(elsewhere: SourceStatus | None) -> bool:
    return elsewhere is not None and elsewhere.trouble is not None


def _is_of_the_newest(world: World, source: SourceStatus) -> bool:
    """Are the specs that were read for this plan those of the commit that the last look found?"""
    newest = world.facts.not_in_force
    read = newest.commit if newest is not None else world.specs_commit
    return source.trouble is not None or read is None or source.commit == read


def open_refresh(world: World) -> RequestRow | None:
    """Return the newest request for a look that no look came after."""
    source = _elsewhere(world)
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
    destroying = [change for change in draft.changes if change.action.destroys]
    held = [change for change in destroying if not _ends_what_is_half_done(world, change)]
    draft.take_out([*held, *(change for change in draft.changes if _uses_an_approval(change))])
    waits = f"; {count(len(held), 'deletion')} wait{'s' if len(held) == 1 else ''} meanwhile" if held else ""
    if source.is_local and source.trouble.code in _LOST:
        _tell_of_lost_branch(draft, source, source.trouble, waits)
        return
    if source.is_local:
        _tell_of_local(draft, source, source.trouble, waits)
        return
    last = f", last seen there at {source.good_at}" if source.good_at else ""
    stays = f"{source.commit[:7]} stays in force{last}" if source.commit else "nothing was ever fetched"
    draft.block(
        "source",
        code=f"source-{source.trouble.code}",
        message=f"{source.trouble.message} (since {source.trouble.since}); {stays}{waits}",
        cause=f"{source.url}, branch {source.branch}",
        hint=_hint(world, source, source.trouble),
    )


def _ends_what_is_half_done(world: World, change: Change) -> bool:
    """Does it end a demotion whose full form lies in the trash already? That loses nothing more."""
    action = change.action
    if not isinstance(action, DemoteCheckpoint):
        return False
    begun = (one for _, one in world.begun_demotions if one.sequence == action.sequence)
    return any(map(world.is_half_demoted, begun))


def _uses_an_approval(change: Change) -> bool:
    """Is it the taking of an approval for deletions? It is kept until they can be done."""
    return isinstance(change.action, TakeApproval) and bool(change.action.sequences)


def _tell_of_local(draft: Draft, source: SourceStatus, trouble: SourceTrouble, waits: str) -> None:
    """Name a local branch that does not go on; it is in the way of deletions, and of nothing else."""
    offered, before = (source.offered or "")[:SHOWN], (source.commit or "")[:7]
    back = _BACK[trouble.code].format(before)
    hint = f"if it is meant: reconcile refresh --accept {offered}; else: {back}"
    if waits:
        draft.block(
            "source",
            code=f"source-{trouble.code}",
            message=f"{trouble.message}{waits}",
            cause=f"{source.url}, branch {source.branch}",
            hint=hint,
        )
    else:
        draft.warnings.append(f"{trouble.message}; nothing will be deleted meanwhile ({hint})")


def _tell_of_lost_branch(draft: Draft, source: SourceStatus, trouble: SourceTrouble, waits: str) -> None:
    """Name a local branch that is gone: no apply begins, whatever the commit says that was looked at."""
    before = (source.commit or "COMMIT")[:7]
    is_gone = trouble.code == "branch-gone"
    back = (
        f"bring it back: git branch {quote(source.branch)} {before}" if is_gone else "make it readable again"
    )
    draft.block(
        "source",
        code=f"source-{trouble.code}",
        message=f"{trouble.message}: no apply begins without it{waits}",
        cause=f"{source.url}, branch {source.branch}",
        hint=f'{back}; or write the name of another as "branch" into source.json of the root',
    )


def _hint(world: World, source: SourceStatus, trouble: SourceTrouble) -> str:
    if trouble.code == "rewritten" and source.offered is not None:
        accept = f"reconcile refresh --accept {source.offered[:SHOWN]}"
        return f"if it is meant: {accept}; else put the branch back there"
    look = "reconcile refresh --wait" if world.facts.is_in_office else "reconcile apply --once"
    return f"{_HINTS[trouble.code]}; then: {look}"


def _elsewhere(world: World) -> SourceStatus | None:
    source = world.facts.source
    return None if source is None or source.is_local else source


def _answer(world: World, source: SourceStatus | None, request: RequestRow) -> str:
    """Return what the look found, and why its commit is not in force, if it is not."""
    newest = world.facts.not_in_force
    found = _found(world, source, request)
    return f"{found}; {newest.why}; {world.specs_commit[:7]} stays in force" if newest is not None else found


def _found(world: World, source: SourceStatus | None, request: RequestRow) -> str:
    if source is None or source.is_local:
        newest = world.facts.not_in_force
        commit = newest.commit if newest is not None and newest.commit else world.specs_commit
        return _answer_of_local(commit, source, list(accepted_commits([request])))
    if source.trouble is not None:
        stays = f"{source.commit[:7]} stays in force" if source.commit else "nothing is in force"
        return f"{source.trouble.message}; {stays}"
    return f"{source.branch} is at {(source.commit or '')[:7]}, fetched {source.tried_at}"


def _answer_of_local(commit: str, source: SourceStatus | None, accepts: list[str]) -> str:
    if source is not None and source.trouble is not None:
        return f"{commit[:7]} was looked at: {source.trouble.message}"
    if any(commit.startswith(one) for one in accepts):
        return f"{commit[:7]} is accepted: deletions do not wait for that any more"
    return f"the specs are local: {commit[:7]} was looked at"
