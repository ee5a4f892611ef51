"""The rates of a campaign after the loss guard went back: a share of what the specs say. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from reconciler.desired.layers import Resolved
from state.store.rows import CampaignRow, SegmentRow

RATES = ("learning_rate", "muon_learning_rate")


def living_segment(row: CampaignRow, segments: Sequence[SegmentRow]) -> SegmentRow | None:
    """Return the living segment of a campaign; None while that is its first one."""
    return next((one for one in segments if one.number == row.segment), None)


def factor_of(row: CampaignRow | None, segments: Sequence[SegmentRow]) -> float:
    """Return what is left of the rates that the specs say."""
    found = living_segment(row, segments) if row is not None else None
    return found.rate_factor if found is not None else 1.0


def lowered(
    settings: Mapping[str, Resolved], row: CampaignRow | None, segments: Sequence[SegmentRow]
) -> dict[str, Resolved]:
    """Return the settings with the rates that are left, each with why."""
    factor, found = factor_of(row, segments), dict(settings)
    if factor == 1.0 or row is None:
        return found
    for key in RATES:
        setting = found[key]
        if setting.value is not None:
            origin = f"{setting.origin}, x {factor:g} since the rollback of segment {row.segment}"
            found[key] = msgspec.structs.replace(setting, value=setting.value * factor, origin=origin)
    return found
