"""A store that is an older copy of itself, put back: it is named, and nothing is deleted by what it says.

It knows neither what was done since nor what people asked since: an approval that was used lies in it as if
it had not been, and what somebody took back as if it had never gone. The files beside it know both. So it
holds nothing but deletions, until `doctor --rebuild` has made it again from them.
"""

from reconciler.plan.actions import TakeApproval
from reconciler.plan.changes import Blocked
from reconciler.plan.draft import Draft
from reconciler.plan.trash.names import told_since
from reconciler.plan.world import World
from state.amounts import count

_OF_DELETIONS = ("needs-approval", "retention-on-hold", "deletion-on-hold")
"""What stands against a deletion, by name: as nothing is deleted, the one fault says it all."""


def plan_older_store(world: World, draft: Draft) -> None:
    """Name an older copy, and take out of the plan whatever would delete, with what waits for an approval."""
    if world.facts.store.older_copy is None:
        return
    num_held = take_out_deletions(draft)
    told = _told_since(world)
    num_told = sum(_is_missing(one, told) for one in set(draft.blocked))
    draft.blocked = [one for one in draft.blocked if not _is_missing(one, told)]
    name_older_store(world, draft, num_held, num_told)


def take_out_deletions(draft: Draft) -> int:
    """Take out whatever would delete, with what waits for an approval; return how many deletions that are."""
    held = [change for change in draft.changes if change.action.destroys]
    uses = [change for change in draft.changes if isinstance(change.action, TakeApproval)]
    num_held = len(held) + (len(draft.awaiting.changes) if draft.awaiting is not None else 0)
    draft.take_out([*held, *uses])
    draft.awaiting = None
    draft.blocked = [one for one in draft.blocked if one.code not in _OF_DELETIONS]
    return num_held


def words_on_held(num_held: int) -> str:
    """Say how many deletions wait; nothing where none does."""
    return f"; {count(num_held, 'deletion')} wait{'s' if num_held == 1 else ''} meanwhile" if num_held else ""


def _told_since(world: World) -> frozenset[str]:
    """Return what the trash tells of and the store does not, as plans call it."""
    names = {row.uid: row.name for row in world.facts.store.campaigns}
    return frozenset(f"checkpoint/{names[one.campaign_uid]}@{one.which}" for one in told_since(world.facts))


def _is_missing(one: Blocked, told: frozenset[str]) -> bool:
    return one.code == "checkpoint-missing" and one.subject in told


def name_older_store(world: World, draft: Draft, num_held: int = 0, num_told: int = 0) -> None:
    """Say that the store is an older copy, how that shows, and how it becomes whole."""
    lies = "does" if num_told == 1 else "do"
    told = f"; of {count(num_told, 'checkpoint')} that {lies} not lie where it says the trash tells"
    more = words_on_held(num_held) + (told if num_told else "")
    draft.block(
        "store",
        code="store-older",
        message=f"the store is an older copy that was put back ({world.facts.store.older_copy}): it does not "
        f"know what was done and asked since, so nothing is deleted{more}",
        cause=f"{world.facts.disk.root}/realm.db",
        hint="end apply, then: reconcile doctor --rebuild, which makes it again from the files beside it",
    )
