"""`export`: ask the loop for a verified copy of a checkpoint, or of a campaign's, in a folder elsewhere."""

from pathlib import Path

import msgspec

from reconciler.app.asking.requests import Asked, leave_request
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Misused, NotFound
from reconciler.app.surroundings.ground import named_now, not_found, refuse_trashed, store_of
from reconciler.app.surroundings.place import Options
from reconciler.observed.stock import rows_in_force
from state.layout import Layout
from state.store.rows import ExportWish, StoreView


def export(
    environment: Environment, options: Options, thing: str, to: Path, why: str | None
) -> tuple[Layout, Asked]:
    """Leave a request to copy a checkpoint, or all of a campaign, and wake the loop.

    What was moved out of the root is copied from where it lies.

    Raises:
        Misused: the folder lies in the root.
        Blocked: it lies in the trash.
        NotFound: nothing was applied, there is no such folder, or no such thing.
    """
    layout = layout_of(environment, options)
    name = _known(store_of(layout), thing)
    target = to.expanduser().absolute()
    target = target.resolve() if ".." in target.parts else target
    if not target.is_dir():
        raise NotFound(f"{target} is no folder; make it first: mkdir -p {target}")
    if target.resolve().is_relative_to(layout.root.resolve()):
        raise Misused(f"{target} lies in the realm's root {layout.root}; an export belongs outside of it")
    details = msgspec.json.encode(ExportWish(to=str(target))).decode()
    return layout, leave_request(environment, layout, "export", name, why, details_json=details)


def _known(store: StoreView, thing: str) -> str:
    name = named_now(store.campaigns, thing.removeprefix("checkpoint/").removeprefix("campaign/"))
    names = {row.uid: row.name for row in store.campaigns if row.status != "deleted"}
    gone = {stone.sequence for stone in store.trash if stone.state != "restored" and not stone.is_moved}
    known = {
        f"{names[one.campaign_uid]}@{one.which}"
        for one in rows_in_force(store.ledger)
        if one.campaign_uid in names and one.sequence not in gone
    }
    if name not in known | {*names.values()}:
        refuse_trashed(store, name)
        raise not_found("checkpoint or campaign", name, known | {*names.values()})
    return name
