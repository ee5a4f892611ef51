"""Releases that no branch can be made for: a rate that falls by itself leaves nothing to let fall. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from reconciler.desired.campaign import Release
from reconciler.desired.layers import Resolved
from reconciler.desired.schedulers import STEADY


class FallingRate(msgspec.Struct, frozen=True, kw_only=True):
    """A release of a campaign whose rate does not stay."""

    place: int
    """Which of the campaign's releases, from 0."""
    message: str
    hint: str


def with_falling_rate(releases: Sequence[Release], settings: Mapping[str, Resolved]) -> list[FallingRate]:
    """Return the releases that cannot be made with these settings of their campaign."""
    scheduler = settings["lr_scheduler"]
    if scheduler.value in STEADY:
        return []
    return [
        FallingRate(
            place=place,
            message=f"the release at step {one.at} needs a rate that stays, and lr_scheduler is "
            f"{scheduler.value}",
            hint=f"set lr_scheduler: wsd ({scheduler.origin}), or remove the release",
        )
        for place, one in enumerate(releases)
    ]
