"""How the newest checkpoint of each campaign is, file by file, and which ones were found damaged before."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.app.checking.checks import Check, Fix, fail, ok
from reconciler.app.planning.look import View
from reconciler.plan.checkpoints.readings import is_named
from state.former_names import called_now
from state.store.rows import CampaignRow, LedgerRow, RequestRow, ScrubWish


def check_checkpoints(view: View) -> Iterator[Check]:
    """Verify the contents of the newest checkpoint of each campaign; name the others that are damaged."""
    for row in view.facts.store.campaigns:
        yield from _damaged(view, row)
        yield from _newest(view, row)


def _newest(view: View, row: CampaignRow) -> Iterator[Check]:
    from reconciler.observed.checkpoints import verify_contents

    complete = view.facts.campaigns[row.name].checkpoints.complete
    if not complete:
        return
    newest = complete[-1]
    name = f"{row.name}@{newest.step}"
    problems = verify_contents(Path(newest.path), newest.manifest)
    if problems:
        mend = f"reconcile scrub {name} mends it from another copy where there is one; nothing is deleted"
        yield fail("checkpoint", f"{name} is damaged: {problems[0]}", *_way_out(view, row, name, mend))
    else:
        yield ok("checkpoint", f"{name}: all {len(newest.manifest.files)} files have the right digest")


def _damaged(view: View, row: CampaignRow) -> Iterator[Check]:
    """Name the checkpoints that were found damaged earlier and were not saved again since."""
    in_force = {ledger.which: ledger for ledger in view.facts.ledger_of(row.uid)}
    for which, ledger in in_force.items():
        if ledger.damage is not None:
            name = f"{row.name}@{which}"
            mend = f"reconcile explain {name} says what mends it; nothing of it is deleted"
            sentence = f"{name} is damaged: {ledger.damage}"
            has_copies = _has_copies(view, ledger)
            yield fail("checkpoint", sentence, *(_way_out(view, row, name, mend) if has_copies else (mend,)))


def _has_copies(view: View, ledger: LedgerRow) -> bool:
    """Does another copy lie somewhere? A scrub of what is known to be damaged reads only these."""
    return any(copy.sequence == ledger.sequence for copy in view.facts.store.copies)


def _way_out(view: View, row: CampaignRow, name: str, mend: str) -> tuple[str, Fix | None]:
    """Return what mends a checkpoint, and the fix, unless somebody asked for that already."""
    for request in view.facts.store.requests:
        if request.kind == "scrub" and _names(view, request, row, name):
            return f"request {request.id} asks to read it again: the next reconcile apply answers it", None
    return mend, Fix(does="scrub", thing=name)


def _names(view: View, request: RequestRow, row: CampaignRow, name: str) -> bool:
    wish = msgspec.json.decode(request.details_json or "{}", type=ScrubWish)
    things = tuple(called_now(view.facts.store.campaigns, thing) for thing in wish.things)
    return bool(things) and is_named(msgspec.structs.replace(wish, things=things), row.name, name)
