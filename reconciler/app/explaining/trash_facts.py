"""What is known of the trash, and of a thing that lies in it."""

from collections.abc import Iterator

from reconciler.app.explaining.item_facts import Fact
from reconciler.app.looking.items import TrashItem
from reconciler.app.looking.status import status_of
from reconciler.app.looking.trash_items import trash
from reconciler.app.planning.look import View
from reconciler.plan.keeping.to_come import HOLDS
from state.amounts import counts, duration, size


def trash_facts(view: View, _name: str) -> Iterator[Fact]:
    held = status_of(view).trash
    things = counts(campaign=held.num_campaigns, checkpoint=held.num_checkpoints)
    yield Fact(name="holds", text=f"{things}, {size(held.size_bytes)}" if things else "nothing of ours")
    if held.is_held and held.next_seconds is not None:
        yield Fact(name="for good", text=f"held while {view.facts.purges_wait_while}")
    elif held.next_seconds is not None:
        yield Fact(name="first for good in", text=duration(held.next_seconds) or "two clean ticks")
    if held.num_unknown:
        yield Fact(name="not known", text=f"{held.num_unknown:,}, dropped since the store was copied")
    if held.num_foreign:
        yield Fact(name="not ours", text=f"{held.num_foreign:,}, never deleted")
    if things:
        yield Fact(name="to take back", text="reconcile get trash, then reconcile undelete NAME")


def way_back_facts(view: View, name: str) -> Iterator[Fact]:
    """Yield until when something can be taken back out of the trash, and how."""
    for item in trash(view):
        if item.id == name and item.state == "trashed":
            yield _end_of(view, item)
            first = _before_it(view, name)
            yield Fact(name="to take back", text=f"{first}reconcile undelete {name}")


def _end_of(view: View, item: TrashItem) -> Fact:
    """Return when something in the trash is deleted for good; where the plan names what holds it, that."""
    subject = f"{item.thing}/{item.id}"
    if any(one.subject == subject and one.code in HOLDS for one in view.plan.blocked):
        return Fact(name="deleted for good", text="not while what is in its way stands (below)")
    if any(one.subject == subject for one in view.plan.unasked):
        return Fact(name="deleted for good", text="not while nothing asks for it to go: no rule, or no spec")
    if item.is_held:
        return Fact(name="deleted for good", text=_why_held(view, subject))
    left = duration(item.left_seconds) if item.left_seconds else "two clean ticks"
    return Fact(name="deleted for good in", text=left)


def _why_held(view: View, subject: str) -> str:
    """Say why something stays in the trash: nothing is deleted for now, or its own deletion fails."""
    if (why := view.facts.purges_wait_while) is not None:
        return f"held while {why}"
    failed = (one.setback.text for one in view.plan.changes if one.subject == subject and one.setback)
    return f"not yet: {next(failed, 'its deletion fails')}"


def _before_it(view: View, name: str) -> str:
    """Return what comes before a checkpoint is taken back whose campaign is deleted: that one comes back."""
    campaign, at, _ = name.partition("@")
    row = view.facts.campaign_row(campaign)
    is_second = bool(at) and row is not None and row.status == "deleted"
    return f"reconcile undelete {campaign}, and then " if is_second else ""
