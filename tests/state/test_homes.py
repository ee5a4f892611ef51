"""Where a campaign lies is found the same for one and for many."""

import itertools
import os
from pathlib import Path

import pytest

from state.homes import find_home, find_homes
from state.layout import Layout
from state.store.rows import CampaignRow


def campaign(number: int, status: str = "paused") -> CampaignRow:
    return CampaignRow(uid=f"{number}", name=f"tiny/campaign-{number:03}", status=status, created_at="")


@pytest.fixture
def rows(tmp_path: Path) -> tuple[Layout, list[CampaignRow]]:
    """Campaigns at home and archived, each in every state that its folder can be in."""
    layout, rows = Layout(tmp_path), []
    cases = itertools.product(("paused", "archived"), (True, False), (True, False))
    for number, (status, is_home, is_away) in enumerate(cases):
        row = campaign(number, status)
        for places, is_there in ((layout.home_of(row), is_home), (layout.other_home_of(row), is_away)):
            if is_there:
                places.folder.mkdir(parents=True)
        rows.append(row)
    return layout, rows


def test_many_are_found_where_each_alone_is(rows) -> None:
    layout, campaigns = rows
    found = list(find_homes(layout, campaigns))
    assert found == [(row, find_home(layout, row)) for row in campaigns]
    assert [home.state for _, home in found] == ["both", "home", "moved", "missing"] * 2


def test_a_link_that_leads_nowhere_is_there_for_many_as_for_one(tmp_path) -> None:
    layout, row = Layout(tmp_path), campaign(1)
    layout.home_of(row).folder.parent.mkdir(parents=True)
    layout.home_of(row).folder.symlink_to(tmp_path / "nowhere")
    ((_, home),) = find_homes(layout, [row])
    assert home == find_home(layout, row)
    assert home.state == "home"


def test_where_nothing_is_yet_they_are_missing(tmp_path) -> None:
    ((_, home),) = find_homes(Layout(tmp_path / "root"), [campaign(1)])
    assert home.state == "missing"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_in_a_folder_that_cannot_be_listed_each_is_looked_for(rows) -> None:
    layout, campaigns = rows
    (layout.campaigns / "tiny").chmod(0o300)
    try:
        assert [home.state for _, home in find_homes(layout, campaigns)] == [
            find_home(layout, row).state for row in campaigns
        ]
    finally:
        (layout.campaigns / "tiny").chmod(0o700)
