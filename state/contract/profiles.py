"""Data profiles by name: how rows are written for training. `trainer/data/profiles` does it."""

from typing import Literal

import msgspec

ProfileName = Literal["plain", "emoji_think", "symbolic"]


class RowProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each row before it is rendered: of the same row at the same place always the same."""

    name: ProfileName = "plain"
    date: str | None = None
    """The day that the text says it is, `YYYY-MM-DD`; None: it says none. It never comes from a clock."""
