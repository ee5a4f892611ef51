"""What stands in the place of a file or a folder of the realm is a fact, and nothing behind it is looked at."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.observed.folders import open_folder
from reconciler.observed.in_the_way import is_clear_in, observe_obstacles
from reconciler.observed.obstacle_records import Obstacle
from state.layout import Layout
from state.store.rows import CampaignRow

ROW = CampaignRow(uid="u", name="one/campaign-001", status="paused", created_at="2026-01-31T12:00:00Z")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root")
    places = layout.campaign(ROW.name)
    for folder in (places.checkpoints, places.runs, places.logs, places.status, layout.root / "control"):
        folder.mkdir(parents=True)
    for file in (places.record, places.saga, places.training_status, layout.active_pointer):
        file.write_text("{}")
    layout.active_link.symlink_to(ROW.name)
    return layout


def test_a_realm_as_it_should_be_has_nothing_in_the_way(layout: Layout) -> None:
    assert observe_obstacles(layout, [ROW]) == ()


@pytest.mark.parametrize(
    "place",
    [
        *("campaigns/one/campaign-001/status", "campaigns/one/campaign-001/saga.jsonl"),
        *("campaigns/one/campaign-001/campaign.json", "campaigns/one/campaign-001", "campaigns/one"),
        *("campaigns/archive", "campaigns/archive/one", "campaigns/archive/one/campaign-001-archived"),
        *("queue", "queue/high", "data", "trash", "control/active_campaign.json", "status/job_history.jsonl"),
    ],
)
def test_a_link_is_named_by_its_place(place: str, layout: Layout) -> None:
    path = layout.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.rename(layout.root / "aside")
    path.symlink_to("aside")

    (found,) = observe_obstacles(layout, [ROW])

    assert found.path == place
    assert found.message.startswith("is a symbolic link (not followed) where a")


def test_pipes_and_folders_in_the_place_of_files_are_named(layout: Layout) -> None:
    places = layout.campaign(ROW.name)
    places.record.unlink()
    places.record.mkdir()
    places.saga.unlink()
    os.mkfifo(places.saga)
    layout.active_link.unlink()
    layout.active_link.mkdir()

    assert {(one.path, one.message.partition(":")[0]) for one in observe_obstacles(layout, [ROW])} == {
        ("campaigns/active", "is a folder where a symbolic link belongs"),
        ("campaigns/one/campaign-001/campaign.json", "is a folder where a plain file belongs"),
        ("campaigns/one/campaign-001/saga.jsonl", "is a pipe where a plain file belongs"),
    }


def test_inside_a_campaign_that_was_seen_clear_nothing_is_looked_at_again(layout: Layout) -> None:
    places = layout.campaign(ROW.name)
    places.saga.unlink()
    os.mkfifo(places.saga)
    assert len(observe_obstacles(layout, [ROW])) == 1
    assert observe_obstacles(layout, [ROW], {ROW.name}) == ()


@pytest.mark.parametrize("name", ["saga.jsonl", "logs", "status/checkpoint_ledger.json", "campaign.json"])
def test_a_campaign_is_clear_until_something_stands_in_the_way(name: str, layout: Layout) -> None:
    with open_folder(layout.campaign(ROW.name).folder, layout.root) as folder:
        assert is_clear_in(folder)
        place = folder.path / name
        if place.exists():
            place.rename(layout.root / "aside")
        place.symlink_to("aside")
        assert not is_clear_in(folder)


@pytest.mark.parametrize(
    "place",
    ["campaigns", "campaigns/one", "campaigns/one/campaign-001", "campaigns/one/campaign-001/runs", "queue"],
)
def test_a_folder_that_cannot_be_read_is_named_once_and_is_not_a_wrong_one(
    place: str, layout: Layout, unreadable: Callable[[Path], None]
) -> None:
    (layout.root / place).mkdir(exist_ok=True)
    unreadable(layout.root / place)

    (found,) = observe_obstacles(layout, [ROW])

    assert found == Obstacle(
        path=place,
        message="cannot be read: Permission denied; nothing is read, written, moved or deleted there",
        is_unreadable=True,
    )
