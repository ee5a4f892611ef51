"""Milestones: steps that people marked. Which checkpoints stand for them, and which lie in the past already.

One in the past is accepted, since marking what was good is what people do after they have seen it; the plan
that brings it in says which checkpoint stands for it now.
"""

from collections.abc import Iterator

from reconciler.desired.campaign import Campaign
from reconciler.desired.desired import Source
from reconciler.plan.actions import ImportCheckpoint, TakeOverCheckpoint
from reconciler.plan.draft import Draft
from reconciler.plan.keeping.stock import Stock
from reconciler.plan.world import World
from state.cards import decode_card
from state.store.rows import CampaignRow, LedgerRow


def milestone_steps(world: World, row: CampaignRow) -> tuple[int, ...]:
    """Return the marked steps: those of the spec, else those that the campaign's row still has.

    Protection is kept with the campaign, so a spec that vanished takes none away. Where no spec speaks of
    milestones, those that campaign.json tells count, whoever wrote them: `milestones: []` removes them.
    """
    wanted = _wanted(world, row.name)
    return tuple(sorted(_before(world, row) if wanted is None else wanted))


def stood_for(world: World, stock: Stock) -> dict[int, tuple[int, ...]]:
    """Return which checkpoints stood for milestones that the spec takes out now: ledger row to their steps.

    As the rule has it, each segment has its own: the first from there on that lies there.
    """
    from state.campaign_file import first_at_or_after

    wanted = _wanted(world, stock.row.name)
    former = _before(world, stock.row) - wanted if wanted is not None else set()
    found: dict[int, tuple[int, ...]] = {}
    for stretch in _by_segment(stock) if former else ():
        for step in sorted(former):
            one = first_at_or_after(stretch, step)
            if one is not None:
                found[one.sequence] = (*found.get(one.sequence, ()), step)
    return found


def plan_milestones(world: World, draft: Draft) -> None:
    """Say which checkpoint stands for a new milestone that training has passed, and which are left behind."""
    begins = _beginnings(draft)
    for name, source in world.desired.campaigns.items():
        row = world.facts.campaign_row(name)
        if row is not None and source.spec.milestones is None and (left := _known(row)):
            draft.warnings.append(
                f"{source.path}: {name} keeps its milestones ({', '.join(map(str, sorted(left)))}), of which "
                "its spec says nothing any more; milestones: [] takes them out"
            )
        if source.spec.milestones and name in begins:
            _warn_of_a_later_start(draft, name, source, begins[name])
        if row is None or not source.spec.milestones:
            continue
        living = _living(world, row)
        for place, milestone in enumerate(source.spec.milestones):
            is_new = milestone.step not in _known(row)
            if is_new and living and living[-1].step > milestone.step:
                where = source.where("milestones", place)
                draft.warnings.append(f"{where}: {_passed(world, row, living, milestone.step)}")


def _beginnings(draft: Draft) -> dict[str, int]:
    """Return at which step campaigns begin that this plan begins with a checkpoint."""
    begins = {one.campaign: one.step for one in draft.actions(TakeOverCheckpoint)}
    return begins | {one.campaign: one.step for one in draft.actions(ImportCheckpoint)}


def _warn_of_a_later_start(draft: Draft, name: str, source: Source[Campaign], begins_at: int) -> None:
    """Name the milestones of a campaign that begins with a checkpoint of a later step."""
    for place, milestone in enumerate(source.spec.milestones or ()):
        if milestone.step < begins_at:
            where = source.where("milestones", place)
            said = f"{name} begins at step {begins_at}, with the checkpoint that stands for it"
            draft.warnings.append(f"{where}: milestone {milestone.step} is in the past: {said}")


def _wanted(world: World, name: str) -> set[int] | None:
    """Return the steps that the spec marks; None where it does not speak of milestones."""
    source = world.desired.campaigns.get(name)
    if source is None or source.spec.milestones is None:
        return None
    return {one.step for one in source.spec.milestones}


def _before(world: World, row: CampaignRow) -> set[int]:
    """Return the steps that were marked until now."""
    return _known(row) | _told(world, row)


def _by_segment(stock: Stock) -> Iterator[list[LedgerRow]]:
    found: dict[int, list[LedgerRow]] = {}
    for one in stock.kept:
        if stock.is_there(one):
            found.setdefault(stock.row.segment if one.is_living else one.segment, []).append(one)
    yield from found.values()


def _known(row: CampaignRow) -> set[int]:
    card = decode_card(row.card_json)
    return {one.step for one in (card.milestones or ())} if card else set()


def _told(world: World, row: CampaignRow) -> set[int]:
    """Return the steps that campaign.json marks, where the row knows nothing of milestones."""
    card = decode_card(row.card_json)
    return set() if card and card.milestones is not None else set(_in_file(world, row.name))


def _in_file(world: World, campaign: str) -> Iterator[int]:
    found = world.facts.derived.campaign_records.get(campaign)
    marks = found.values.get("milestones") if found else None
    for mark in marks if isinstance(marks, list) else ():
        step = mark.get("step") if isinstance(mark, dict) else None
        if isinstance(step, int) and step > 0:
            yield step


def _living(world: World, row: CampaignRow) -> list[LedgerRow]:
    ledger = world.facts.ledger_of(row.uid)
    return [one for one in ledger if one.is_living and one.damage is None]


def _passed(world: World, row: CampaignRow, living: list[LedgerRow], step: int) -> str:
    from state.campaign_file import first_at_or_after

    found = first_at_or_after(living, step)
    here = f"milestone {step} is in the past: {row.name} stands at step {living[-1].step}"
    if found is None:
        return f"{here}; no checkpoint stands for it"
    return f"{here}; the first checkpoint from there on is {found.step}: {_kept(world, row, found)}"


def _kept(world: World, row: CampaignRow, found: LedgerRow) -> str:
    """Say what there is still of the checkpoint that stands for a milestone, and how it comes back."""
    stone = world.facts.tombstone(found)
    if stone is None:
        return "it stands for it, and is kept"
    if stone.state == "trashed":
        return (
            f"it lies in the trash, where it stays; reconcile undelete {row.name}@{found.which} takes it back"
        )
    return "only its metrics are kept, its weights were dropped"
