"""Where a campaign's folder really lies: at home, or half-way between its home and the archive.

Moving a campaign renames its folder first and writes that down after. A kill between the two leaves the
folder at the other place; whoever reads or writes there asks here, so that nothing of it is taken for lost.
"""

import os
from typing import Literal, NamedTuple

from state.layout import CampaignLayout, Layout
from state.store.rows import CampaignRow

HomeState = Literal["home", "moved", "both", "missing"]
"""At home; only at the other place; at both, so one is in the other's way; nowhere."""


class Home(NamedTuple):
    """The places of a campaign, and how they were found."""

    places: CampaignLayout
    state: HomeState


def find_home(layout: Layout, row: CampaignRow) -> Home:
    """Return where the campaign's files are now; where nothing is, where they belong."""
    own, other = layout.home_of(row), layout.other_home_of(row)
    is_here, is_there = os.path.lexists(own.folder), os.path.lexists(other.folder)
    if is_there and not is_here:
        return Home(other, "moved")
    if is_there:
        return Home(own, "both")
    return Home(own, "home" if is_here else "missing")
