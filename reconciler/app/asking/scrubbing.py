"""`scrub`: ask the loop to read checkpoints again, and how far that is; what is due is the plan's to say."""

from collections.abc import Sequence

import msgspec

from reconciler.app.asking.requests import Asked, leave_request
from reconciler.app.planning.in_force import layout_of
from reconciler.app.planning.look import View
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.errors import Misused
from reconciler.app.surroundings.ground import named_now, not_found, store_of
from reconciler.app.surroundings.place import Options
from reconciler.desired.retention import is_rate, rate_bytes
from reconciler.observed.stock import rows_in_force
from reconciler.plan.checkpoints.scrubs import DEFAULT_EVERY_SECONDS, before_of
from state.layout import Layout
from state.store.rows import ScrubWish, StoreView

_SHOWN = 3


class ScrubStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far all checkpoints that lie somewhere were read again."""

    num_checkpoints: int
    num_verified: int
    """Read again at least once since they were recorded, and as they were saved."""
    oldest_at: str | None
    """When that one of them was read that was not for longest; null: none was yet."""
    num_damaged: int
    """Full forms in the trash of what keeps its weights only, too."""
    num_copies: int
    """Outside the root."""
    num_damaged_copies: int
    num_unreachable_copies: int = 0
    """On disks that were away when they were last looked at: nothing is known against them."""


def scrub(
    environment: Environment,
    options: Options,
    things: Sequence[str],
    rate: str | None,
    why: str | None,
    *,
    again: bool,
) -> tuple[Layout, Asked]:
    """Leave a request to read checkpoints again, and wake the loop.

    `things`: checkpoints and campaigns; none: all. `again`: those, too, that were read lately.

    Raises:
        Misused: the rate is none.
        NotFound: nothing was applied, or there is no such thing.
    """
    if rate is not None and not is_rate(rate):
        raise Misused(f'"{rate}" is no rate; expected an amount a second such as 50MB/s or 1GB/s')
    layout = layout_of(environment, options)
    store = store_of(layout)
    names = tuple(dict.fromkeys(_known(store, thing) for thing in things))
    now = environment.now()
    before = now if names or again else before_of(now, DEFAULT_EVERY_SECONDS)
    wish = ScrubWish(things=names, before=before, rate_bytes=rate_bytes(rate) if rate else None)
    details = msgspec.json.encode(wish).decode()
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    of_all = "all checkpoints" if again else "checkpoints not read for a week"
    about = f"{', '.join(names[:_SHOWN])}{more}" if names else of_all
    return layout, leave_request(environment, layout, "scrub", about, why, details_json=details)


def _known(store: StoreView, thing: str) -> str:
    """Return the name of a campaign or a checkpoint that the store knows."""
    name = named_now(store.campaigns, thing.removeprefix("checkpoint/").removeprefix("campaign/"))
    names = {row.uid: row.name for row in store.campaigns}
    known = {*names.values()} | {f"{names[one.campaign_uid]}@{one.which}" for one in store.ledger}
    if name not in known:
        raise not_found("checkpoint or campaign", name, known)
    return name


def scrub_status(view: View) -> ScrubStatus:
    """Return how far checkpoints were read again."""
    facts = view.facts
    there = {found.digest for seen in facts.campaigns.values() for found in seen.all_complete}
    rows = [one for one in facts.store.ledger if one.damage is None and one.digest in there]
    moments = [one.verified_at for one in rows if one.verified_at is not None]
    return ScrubStatus(
        num_checkpoints=len(rows),
        num_verified=len(moments),
        oldest_at=min(moments, default=None),
        num_damaged=sum(one.damage is not None for one in rows_in_force(facts.store.ledger))
        + sum(stone.damage is not None for stone in facts.in_trash),
        num_copies=len(facts.store.copies),
        num_damaged_copies=sum(copy.damage is not None for copy in facts.store.copies),
        num_unreachable_copies=sum(copy.unreachable is not None for copy in facts.store.copies),
    )
