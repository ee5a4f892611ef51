"""`undelete`: ask the loop to take a dropped checkpoint back out of the trash."""

from reconciler.app.asking.requests import Asked, leave_request
from reconciler.app.planning.in_force import layout_of
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Blocked, Misused, NotFound
from reconciler.app.surroundings.ground import named_now, not_found, store_of
from reconciler.app.surroundings.place import Options
from reconciler.desired.retention import is_checkpoint_name
from state.ids import is_campaign_name
from state.layout import Layout
from state.store.rows import StoreView


def undelete(
    environment: Environment, options: Options, checkpoint: str, why: str | None
) -> tuple[Layout, Asked]:
    """Leave a request to take back `<hero>/<campaign>@<step>`, or a whole campaign, and wake the loop.

    Raises:
        Misused: this is no name of a checkpoint or campaign.
        Blocked: its campaign is deleted, and comes back first.
        NotFound: nothing was applied, or neither the trash nor a known copy has such a thing.
    """
    name = checkpoint.removeprefix("checkpoint/").removeprefix("campaign/")
    if not is_checkpoint_name(name) and not is_campaign_name(name):
        raise Misused(
            f'"{checkpoint}" is no checkpoint and no campaign; expected <hero>/<campaign>@<step> or '
            "<hero>/<campaign>"
        )
    layout = layout_of(environment, options)
    store = store_of(layout)
    name = named_now(store.campaigns, name)
    copied = {(copy.sequence, copy.digest) for copy in store.copies if copy.damage is None}
    there = [
        one.thing
        for one in store.trash
        if one.state == "trashed" or (one.state == "purged" and (one.sequence, one.digest) in copied)
    ]
    if name not in there:
        if _was_never_dropped(store, name):
            raise NotFound(
                f"{name} is not in the trash: nothing has dropped it, so there is nothing to take back"
            )
        kind = "checkpoint" if "@" in name else "campaign"
        raise not_found(f"{kind} in the trash", name, there)
    campaign, at, _ = name.partition("@")
    if at and any(row.name == campaign and row.status == "deleted" for row in store.campaigns):
        raise Blocked(
            f"{campaign} is deleted, its checkpoints with it; first: reconcile undelete {campaign}, and apply"
        )
    return layout, leave_request(environment, layout, "undelete", name, why)


def _was_never_dropped(store: StoreView, name: str) -> bool:
    """Is it a campaign or checkpoint of the realm without a tombstone, and without a known damage?"""
    names = {row.uid: row.name for row in store.campaigns}
    dropped = {one.thing for one in store.trash if one.state != "restored"}
    if name in dropped or name.partition("@")[0] in dropped:
        return False
    whole = (row for row in store.ledger if row.damage is None)
    return name in {*names.values(), *(f"{names.get(row.campaign_uid)}@{row.which}" for row in whole)}
