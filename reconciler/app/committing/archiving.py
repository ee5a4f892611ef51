"""`archive` and `restore`: one line of a campaign's spec, committed. Apply moves the campaign."""

from collections.abc import Sequence

from reconciler.app.committing.line_edits import CannotEdit, with_line, without_line
from reconciler.app.committing.spec_edits import (
    Base,
    Committing,
    SpecCommit,
    campaign_named,
    commit_edits,
    read_base,
)
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked
from reconciler.app.surroundings.place import Options, root_of
from reconciler.app.surroundings.realm_store import read_store
from state.amounts import count
from state.contract.manifest import MANIFEST_NAME
from state.layout import Layout
from state.store.rows import LedgerRow, StoreView, TrashRow

NAMING_LINES = ("name", "id")
"""Keys of a campaign's spec under which a line about it reads well."""
_MOST_QUESTS = 5


def archive(environment: Environment, options: Options, name: str, committing: Committing) -> SpecCommit:
    """Commit that a campaign rests in the Hall of Legends.

    Raises:
        NotFound: it has no spec.
        Blocked: it is archived already, or is the active one; or its spec has edits that are not committed.
    """
    base = read_base(environment, options)
    campaign = campaign_named(environment, options, base, name)
    path = campaign.path
    _refuse_active(base, campaign.name)
    if campaign.spec.state == "archived":
        raise Blocked(f"{campaign.name} is archived already ({campaign.where('state')}); nothing to commit")
    texts, notes = (
        {path: archived_text(base, path)},
        (afterwards_note(base), *waiting_note(base, campaign.name)),
    )
    return commit_edits(environment, options, base, texts, f"Archive {campaign.name}", committing, notes)


def restore(environment: Environment, options: Options, name: str, committing: Committing) -> SpecCommit:
    """Commit that a campaign comes out of the archive; it is paused then.

    Raises:
        NotFound: it has no spec.
        Blocked: it is not archived; or its spec has edits that are not committed.
    """
    base = read_base(environment, options)
    campaign = campaign_named(environment, options, base, name)
    path = campaign.path
    if campaign.spec.state != "archived":
        raise Blocked(f"{campaign.name} is not archived: {path} has no state; nothing to commit")
    try:
        text = without_line(base.text(path), "state")
        text = without_line(text, "keep") if campaign.spec.keep is not None else text
    except CannotEdit as error:
        raise Blocked(f"{path}: {error}") from error
    notes = (*_trash_note(environment, options, base, campaign.name), _paused_note(campaign.name))
    return commit_edits(
        environment, options, base, {path: text}, f"Restore {campaign.name}", committing, notes
    )


def _paused_note(name: str) -> str:
    return f"It is paused then. To train it:  specs/realm.yaml: active: {name}"


def _trash_note(environment: Environment, options: Options, base: Base, name: str) -> tuple[str, ...]:
    """Return which of the campaign's checkpoints lie in the trash, and what takes the newest of them back."""
    layout = Layout(root_of(environment, options, base.desired.realm.spec, base.commit))
    store = read_store(layout) if layout.store.exists() else None
    mine = [stone for stone in store.trash if stone.campaign == name] if store is not None else []
    lying = [one for one in mine if one.state == "trashed" and not (one.is_campaign or one.is_moved)]
    away = [one for one in mine if one.is_moved and one.state != "restored"]
    back = f"First {count(len(away), 'checkpoint')} of it come back from where they were moved"
    notes = (back,) if away else ()
    if not lying or store is None:
        return notes
    return (*notes, _told_trash(lying, _goes_on_from(layout, store, name)))


def _told_trash(lying: Sequence[TrashRow], here: LedgerRow | None) -> str:
    """Return how many lie in the trash, and whether the newest of them is needed to go on from it."""
    newest = max(lying, key=lambda stone: stone.sequence)
    lie = "lies" if len(lying) == 1 else "lie"
    told = f"{count(len(lying), 'checkpoint')} of it {lie} in the trash"
    is_enough = here is not None and all(one.segment is not None or one.step <= here.step for one in lying)
    if here is not None and is_enough:
        return (
            f"{told}; once it is restored, it goes on from @{here.which}. To take the newest back, "
            f"too:  reconcile undelete {newest.thing}"
        )
    return (
        f"{told}. To go on from the newest of them, once it is restored:  reconcile undelete {newest.thing}"
    )


def _goes_on_from(layout: Layout, store: StoreView, name: str) -> LedgerRow | None:
    """Return the newest whole checkpoint of the campaign's living history that is there, or comes back."""
    uids = {row.uid for row in store.campaigns if row.name == name}
    gone = {stone.sequence for stone in store.trash if stone.state != "restored" and not stone.is_moved}
    moved = {stone.sequence for stone in store.trash if stone.state != "restored" and stone.is_moved}
    whole = (
        row
        for row in store.ledger
        if row.campaign_uid in uids and row.is_living and row.healthy and row.damage is None
    )
    there = (
        row
        for row in whole
        if row.sequence in moved
        or (row.sequence not in gone and (layout.root / row.path / MANIFEST_NAME).is_file())
    )
    return max(there, key=lambda row: (row.step, row.sequence), default=None)


def afterwards_note(base: Base) -> str:
    """Return what becomes of an archived campaign's checkpoints, by the rules as they are committed."""
    retention = base.desired.retention
    rules = retention.spec.campaigns.archived if retention is not None else None
    if retention is None or rules is None or not rules.delete_intermediate:
        return "Every checkpoint of it stays: no rule lets one of an archived campaign go"
    line = retention.where("campaigns", "archived")
    return (
        f"It moves whole. Then {line} decides: what it does not keep goes to the trash, for "
        f"{retention.spec.trash.rolled}. Which:  reconcile plan"
    )


def waiting_note(base: Base, name: str) -> tuple[str, ...]:
    """Return which quests of the queue name the campaign: what it has not learnt of them waits."""
    quests = [quest.id for quest in base.desired.quests if name in quest.for_]
    if not quests or base.desired.queue is None:
        return ()
    which = ", ".join(quests[:_MOST_QUESTS])
    more = f" and {len(quests) - _MOST_QUESTS:,} more" if len(quests) > _MOST_QUESTS else ""
    verb = "names" if len(quests) == 1 else "name"
    them = "it" if len(quests) == 1 else "them"
    return (
        f"{count(len(quests), 'quest')} of {base.desired.queue.path} {verb} it ({which}{more}): what it has "
        f"not learnt of {them} waits until it is restored, or `for:` names another",
    )


def archived_text(base: Base, path: str) -> str:
    """Return a campaign's spec with `state: archived`.

    Raises:
        Blocked: no line edit fits.
    """
    try:
        return with_line(base.text(path), "state", "archived", after=NAMING_LINES)
    except CannotEdit as error:
        raise Blocked(f"{path}: {error}") from error


def _refuse_active(base: Base, name: str) -> None:
    if base.desired.realm.spec.active == name:
        hero = name.partition("/")[0]
        raise Blocked(
            f"{name} is the active campaign ({base.desired.realm.where('active')}); name another one there "
            f"first, or begin anew: reconcile start-over {hero}"
        )
