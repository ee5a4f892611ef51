"""Where a campaign's folder really lies: at home, or half-way between its home and the archive.

Moving a campaign renames its folder first and writes that down after. A kill between the two leaves the
folder at the other place; whoever reads or writes there asks here, so that nothing of it is taken for lost.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from state.ids import campaign_folder, recorded_folder
from state.layout import CampaignLayout, Layout
from state.store.rows import CampaignRow

HomeState = Literal["home", "moved", "both", "missing"]
"""At home; only at the other place; at both, so one is in the other's way; nowhere."""


class Home(msgspec.Struct, frozen=True):
    """The places of a campaign, and how they were found."""

    folder: str
    state: HomeState

    @property
    def places(self) -> CampaignLayout:
        """What lies in it; a thousand folders are looked at without a Path for each."""
        return CampaignLayout(Path(self.folder))


def find_home(layout: Layout, row: CampaignRow) -> Home:
    """Return where the campaign's files are now; where nothing is, where they belong."""
    return _home(layout, row, lambda place: os.path.lexists(layout.root / place))


def find_homes(layout: Layout, rows: Iterable[CampaignRow]) -> Iterator[tuple[CampaignRow, Home]]:
    """Yield each campaign with its home; a folder of campaigns is listed once for all that are in it."""
    listed: dict[str, frozenset[str] | None] = {}

    def is_there(place: str) -> bool:
        folder, _, name = place.rpartition("/")
        if folder not in listed:
            listed[folder] = _names(layout.root / folder)
        names = listed[folder]
        return os.path.lexists(layout.root / place) if names is None else name in names

    for row in rows:
        yield row, _home(layout, row, is_there)


def _home(layout: Layout, row: CampaignRow, is_there: Callable[[str], bool]) -> Home:
    name, is_archived = row.folder_name, row.status == "archived"
    home, away = campaign_folder(name, archived=is_archived), recorded_folder(name, archived=not is_archived)
    is_home, is_away = is_there(home), is_there(away)
    if is_away and not is_home:
        return Home(str(layout.other_home_of(row).folder), "moved")
    state: HomeState = "both" if is_away else "home" if is_home else "missing"
    return Home(f"{layout.root}/{home}", state)


def _names(folder: Path) -> frozenset[str] | None:
    """Return the names in a folder; None where it cannot be listed, though what is in it may be there."""
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 - names, without a path for each
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError:
        return None
