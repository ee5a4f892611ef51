"""How much of a campaign its rules keep now, and how much they drop: for the plan's last lines. Pure."""

from collections.abc import Collection

from reconciler.desired.desired import Source
from reconciler.desired.retention import Retention
from reconciler.plan.changes import KeptNow
from reconciler.plan.keeping.kept import checkpoint_id, set_name
from reconciler.plan.keeping.stock import Stock


def kept_now(stock: Stock, retention: Source[Retention], dropped: Collection[str]) -> KeptNow:
    """Return what stays of a campaign's checkpoints when those with these names go."""
    rows = stock.kept if dropped else ()
    gone = [one.size_bytes for one in rows if checkpoint_id(stock.row, one, gone=False) in dropped]
    return KeptNow(
        campaign=stock.row.name,
        cause=retention.where("campaigns", set_name(stock.row)),
        num_kept=len(stock.kept) - len(gone),
        kept_bytes=sum([one.size_bytes for one in stock.kept]) - sum(gone),
        num_dropped=len(gone),
        dropped_bytes=sum(gone),
    )
