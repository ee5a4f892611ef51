"""Campaigns that take names of other ones: chains and swaps, followed as one permutation.

A name may be known to the store while the file of its spec was another campaign's: only where its file came
from shows whose it is. Such a move is followed where the campaign that has the name leaves it in the same go.
"""

from collections.abc import Mapping
from typing import NamedTuple

from reconciler.desired.base import NO_FORMER_NAME
from reconciler.desired.desired import Desired
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.renames import Rename, Unfollowed
from state.store.rows import CampaignRow, StoreView


class Exchanged(NamedTuple):
    """What becomes of names that are known."""

    renames: tuple[Rename, ...] = ()
    unfollowed: tuple[Unfollowed, ...] = ()


def find_exchanged(
    desired: Desired, store: StoreView, moved: Mapping[str, str], doubtful: Mapping[str, str]
) -> Exchanged:
    """Return the renames that touch a name which another campaign has, or whose old name has a spec anew.

    `moved`, `doubtful`: new name → old one since the names were last certain, where git says so, and where
    git and the contents of the files do not say the same.
    """
    rows = {row.name: row for row in store.campaigns}
    said = _said_by_specs(desired, rows)
    sure, in_doubt = (_not_contradicted(desired, rows, moves) for moves in (moved, doubtful))
    wanted = {**{new: old for new, old in sure.items() if new not in in_doubt}, **said}
    touched = {new: old for new, old in wanted.items() if new in rows or old in desired.campaigns}
    kept = _possible(wanted, rows) if touched else {}
    refused = {new: old for new, old in {**in_doubt, **touched}.items() if new not in kept}
    return Exchanged(
        renames=tuple(
            Rename(campaign_uid=rows[old].uid, old=old, new=new, how="said" if new in said else "moved")
            for new, old in sorted(kept.items())
            if new in touched or old in touched
        ),
        unfollowed=tuple(
            Unfollowed(old=old, new=new, is_said=new in said) for new, old in sorted(refused.items())
        ),
    )


def _possible(wanted: Mapping[str, str], rows: Mapping[str, CampaignRow]) -> dict[str, str]:
    """Return what is left where nobody takes a name that is not given up, and no campaign gets two."""
    kept = dict(wanted)
    while True:
        given_up = list(kept.values())
        refused = [
            new
            for new, old in kept.items()
            if given_up.count(old) > 1 or (new in rows and new not in given_up)
        ]
        if not refused:
            return kept
        for new in refused:
            del kept[new]


def _said_by_specs(desired: Desired, rows: Mapping[str, CampaignRow]) -> dict[str, str]:
    """Return what `was:` says of campaigns that are known; a line whose work is done may stay."""
    found = {}
    for name, source in desired.campaigns.items():
        was, row = source.spec.was, rows.get(name)
        if row is None and was is not None and was in rows and rows[was].status == "deleted":
            continue  # `renames` names it
        if was is not None and was in rows and was != name and (row is None or was not in row.former):
            found[name] = was
    return found


def _not_contradicted(
    desired: Desired, rows: Mapping[str, CampaignRow], moves: Mapping[str, str]
) -> dict[str, str]:
    """Return the moves of campaigns that are there to specs whose own word is not another one."""
    found = {}
    for new, old in moves.items():
        row, source = rows.get(old), desired.campaigns.get(new)
        if row is None or source is None or new == old or row.status == "deleted":
            continue
        if source.spec.was in (None, old, *row.former) and source.spec.was != NO_FORMER_NAME:
            found[new] = old
    return found


def warn_of_kept_names(world: World, draft: Draft) -> None:
    """Say which campaigns keep an exchanged name though the line that gave it to them is gone."""
    for one in world.facts.kept_names:
        draft.warnings.append(
            f"{world.where(f'campaign/{one.name}')}: its spec no longer says was: {one.was}, which exchanges "
            f"no names back: {one.name} stays the campaign, with the weights, that {one.was} was before; "
            "to exchange them back, move the files with git mv by way of a free name, a commit for each move"
        )
