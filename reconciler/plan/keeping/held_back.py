"""What lies in the trash and is protected: dropped before a person wrote the line that protects it. Pure.

Such a thing is named at once, with how it comes back, and is not deleted for good meanwhile. What does
not stand against a clean-up that a person asked for, as milestones and tags, does not hold its purge either.
"""

from collections.abc import Iterator

import msgspec

from reconciler.plan.draft import Draft
from reconciler.plan.keeping.kept import rules_for
from reconciler.plan.keeping.milestones import milestone_steps
from reconciler.plan.keeping.stock import Stock, stock_of
from reconciler.plan.retention.records import MalformedRecords
from reconciler.plan.segments.rollbacks import open_rewind
from reconciler.plan.world import World
from state.store.rows import CampaignRow, LedgerRow, TrashRow

_LINE = "remove that line"


class Protection(msgspec.Struct, frozen=True):
    """Why something in the trash is not deleted for good, and the line that says so."""

    why: str
    cause: str
    otherwise: str = ""
    """What lets it go, where a line of the specs does."""

    def hint(self, way_back: str) -> str:
        return f"{way_back}; or {self.otherwise}" if self.otherwise else way_back


def is_held_back(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Is it protected, or is that not known? Then it is named; half deleted already, it is not.

    What protects a checkpoint does not hold what a copy elsewhere stands for: the copy is kept.
    """
    if stone.state != "trashed" or stone.is_moved:
        return False
    if is_wanted_back(world, stone):
        return True  # `campaigns/deletions` names it
    if _block_claimed(world, draft, stone):
        return True
    try:
        protection = next(_protections(world, stone), None)
    except MalformedRecords as error:
        protection = Protection(f"{stone.thing} may be protected: {error}", stone.path)
    if protection is not None:
        draft.block(
            stone.subject,
            code="protected-in-the-trash",
            message=f"{protection.why} but {_what(stone)} in the trash, where it stays",
            cause=protection.cause,
            hint=protection.hint(_way_back(world, stone)),
        )
    return protection is not None


def _what(stone: TrashRow) -> str:
    return "its optimizer state lies" if stone.keeps else "lies"


def is_wanted_back(world: World, stone: TrashRow) -> bool:
    """Is it a campaign that was deleted whole, and whose spec does not say so any more, or once did not?"""
    is_said = stone.wanted_at is not None and stone.state == "trashed"
    return stone.is_campaign and (is_said or is_wanted_by_its_spec(world, stone))


def is_wanted_by_its_spec(world: World, stone: TrashRow) -> bool:
    """Has the campaign of a tombstone a spec that does not say `state: deleted`?"""
    source = world.desired.campaigns.get(stone.campaign)
    return source is not None and source.spec.state != "deleted"


def _block_claimed(world: World, draft: Draft, stone: TrashRow) -> bool:
    """Name a deleted campaign whose name a new spec says that it had, or whose file that spec's was."""
    uses = (one for one in world.facts.unfollowed if one.is_deleted and one.old == stone.campaign)
    claim = next(uses, None) if stone.is_campaign else None
    if claim is not None:
        draft.block(
            stone.subject,
            code="deleted",
            message=f"{claim.new} is to be this campaign under a new name, so it stays in the trash",
            cause=world.misnamed[claim.new].where(*(("was",) if claim.is_said else ())),
            hint=f"reconcile undelete {stone.thing}; or write was: none there if it is another",
        )
    return claim is not None


def _way_back(world: World, stone: TrashRow) -> str:
    """Return the command that takes it back; a checkpoint comes back after its campaign."""
    is_second = not stone.is_campaign and world.is_deleted(stone.campaign)
    before = f"reconcile undelete {stone.campaign}, and then " if is_second else ""
    return f"{before}reconcile undelete {stone.thing} takes it back"


def _protections(world: World, stone: TrashRow) -> Iterator[Protection]:
    row = world.facts.campaign_row(stone.campaign)
    if row is None:
        yield Protection(f"{stone.thing} is of no campaign that the store knows", stone.path)
        return
    stock = stock_of(world, row)
    if stone.keeps is not None:
        yield from _of_its_optimizer(world, stock, stone.keeps)
        return
    held = _held(stock, stone)
    names = frozenset(f"{row.name}@{one.which}" for one in held)
    yield from _pins(world, names)
    yield from _starts(world, stone, names)
    yield from _rewind(world, row, names)
    if held and not stone.is_campaign and not world.wants_cleanup(row):
        yield from _tags(world, names, _tags_that_hold(world, row, stone))
        yield from _milestones(world, stock, held[0])


def _held(stock: Stock, stone: TrashRow) -> list[LedgerRow]:
    """Return the checkpoints in force that lie there under a tombstone: all of a campaign's, or one."""
    if stone.is_campaign:
        return list(stock.in_force.values())
    one = stock.by_sequence.get(stone.sequence)
    return [one] if one is not None else []


def _of_its_optimizer(world: World, stock: Stock, keeps: str) -> Iterator[Protection]:
    """Yield what asks for the full form of the checkpoint that stayed, whose digest is given.

    A campaign that begins with it needs its weights alone, and a milestone is its step.
    """
    row = stock.row
    kept = stock.by_digest.get(keeps)
    names = frozenset({f"{row.name}@{kept.which}"} if kept is not None else ())
    yield from _pins(world, names)
    yield from _rewind(world, row, names)
    if world.retention is not None and not world.wants_cleanup(row):
        yield from _tags(world, names, tuple(sorted(world.retention.spec.tags)))


def _pins(world: World, names: frozenset[str]) -> Iterator[Protection]:
    retention = world.retention
    for place, pin in enumerate(retention.spec.pins if retention else ()):
        if retention is not None and pin in names:
            yield Protection(f"{pin} is pinned", retention.where("pins", place), _LINE)


def _starts(world: World, stone: TrashRow, names: frozenset[str]) -> Iterator[Protection]:
    for name, checkpoint in world.starting_points.get(stone.campaign, ()):
        if checkpoint in names or stone.is_campaign:
            has_spec = name in world.desired.campaigns
            spec = world.where(f"campaign/{name}", "starting_checkpoint") if has_spec else None
            cause = spec or f"campaigns/{name}"
            why = f"{checkpoint} is the starting point of {name}"
            yield Protection(why, cause, _LINE if spec else "")


def _rewind(world: World, row: CampaignRow, names: frozenset[str]) -> Iterator[Protection]:
    rewind = open_rewind(world, row)
    if rewind is not None and (name := f"{row.name}@{rewind.to}") in names:
        where = world.where(f"campaign/{row.name}", "rewind")
        yield Protection(f"{name} is what {row.name} is to go back to", where, _LINE)


def _tags(world: World, names: frozenset[str], tags: tuple[str, ...]) -> Iterator[Protection]:
    retention = world.retention
    for tag in tags:
        for place, name in enumerate(retention.spec.tags.get(tag, ()) if retention else ()):
            if retention is not None and name in names:
                where = retention.where("tags", tag, place)
                yield Protection(f"{name} is tagged {tag}", where, _LINE)


def _tags_that_hold(world: World, row: CampaignRow, stone: TrashRow) -> tuple[str, ...]:
    """Return those that rules name; all of them where rules alone dropped it, and no person approved that."""
    if world.retention is None:
        return ()
    spec = world.retention.spec
    return tuple(sorted(spec.tags)) if stone.kind == "rolled" else rules_for(spec, row).tags


def _milestones(world: World, stock: Stock, one: LedgerRow) -> Iterator[Protection]:
    """Name the milestone that it stands for: of those not deleted for good it is the first from there on."""
    from state.campaign_file import first_at_or_after

    lying = [
        other
        for other in stock.in_force.values()
        if (other.is_living or other.segment) == (one.is_living or one.segment)
        and ((stone := world.facts.tombstone(other)) is None or stone.state == "trashed")
    ]
    for step in milestone_steps(world, stock.row):
        if first_at_or_after(lying, step) == one:
            why = f"{stock.row.name}@{one.which} stands for milestone {step:,}"
            yield Protection(why, *_line_of_milestone(world, stock.row, step))


def _line_of_milestone(world: World, row: CampaignRow, step: int) -> tuple[str, str]:
    """Return where a milestone stands, and what takes it out: one that left the spec unsaid is kept."""
    source = world.desired.campaigns.get(row.name)
    if source is None:
        record = f"campaigns/{row.folder_name}/campaign.json"
        return record, f"give {row.name} a spec again, with milestones: []"
    steps = [one.step for one in source.spec.milestones or ()]
    if step not in steps:
        return source.path, "write milestones: [] there, which takes it out"
    where = source.where("milestones", steps.index(step))
    is_last = set(steps) == {step}
    return where, "write milestones: [] in its place" if is_last else "take it out of that list"
