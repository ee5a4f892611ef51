"""Older roots as anybody may have left them: what cannot be understood is a problem by its path, never an error."""

import os
from pathlib import Path

import pytest
from older_root import checkpoint, single_hero, with_campaigns, write

from reconciler.observed.older_roots import observe_older_root
from reconciler.observed.open_files import writers_below


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return with_campaigns(tmp_path / "old")


def test_live_and_archived_campaigns_are_found_with_their_records_and_checkpoints(root: Path) -> None:
    found = {one.name: one for one in observe_older_root(root).campaigns}
    assert {name: one.is_archived for name, one in found.items()} == {
        "dio/campaign-002": False,
        "titan/campaign-001": True,
    }
    live = found["dio/campaign-002"]
    assert [one.step for one in live.checkpoints] == [200, 300]
    assert [one.record.get("train_loss") for one in live.checkpoints] == [None, 0.3]
    assert live.record is not None
    assert live.record["own_key"] == "kept"


def test_the_ledger_index_says_what_no_sidecar_says(tmp_path: Path) -> None:
    (loose,) = observe_older_root(single_hero(tmp_path / "old")).loose
    assert loose.path == "current_model"
    assert {one.step: one.record.get("train_loss") for one in loose.checkpoints} == {
        500: 0.25,
        700: None,
        900: None,
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{torn", "is no JSON that can be understood"),
        (b"[1, 2]", "is no JSON object"),
        (b"[" * 100_000, "is no JSON that can be understood"),
        (b"\xff\xfe", "is no JSON that can be understood"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named_and_the_rest_is_read(
    root: Path, content: bytes, says: str
) -> None:
    path = root / "campaigns/dio/campaign-002/campaign.json"
    path.write_bytes(content)
    seen = observe_older_root(root)
    assert seen.problems == (f"campaigns/dio/campaign-002/campaign.json {says}",)
    assert {one.name: one.record is None for one in seen.campaigns} == {
        "dio/campaign-002": True,
        "titan/campaign-001": False,
    }


def test_numbers_that_are_none_are_read_as_older_trainers_wrote_them(root: Path) -> None:
    path = root / "campaigns/dio/campaign-002/checkpoints/checkpoint-300/.ledger.json"
    path.write_text('{"train_loss": NaN, "val_loss": Infinity}')
    (_, last) = observe_older_root(root).campaigns[0].checkpoints
    assert set(last.record) == {"train_loss", "val_loss"}


def test_no_link_below_the_root_is_followed(root: Path, tmp_path: Path) -> None:
    elsewhere = checkpoint(tmp_path / "elsewhere", 7)
    checkpoints = root / "campaigns/dio/campaign-002/checkpoints"
    (checkpoints / "checkpoint-7").symlink_to(elsewhere)
    (root / "campaigns/linked").symlink_to(root / "campaigns/dio")
    (root / "current_model").symlink_to(elsewhere)
    seen = observe_older_root(root)
    assert [one.step for one in seen.campaigns[0].checkpoints] == [200, 300]
    assert {one.hero for one in seen.campaigns} == {"dio", "titan"}
    assert seen.loose == ()


def test_names_that_a_terminal_must_not_see_are_passed_over(root: Path) -> None:
    (root / "campaigns/evil\n\x1b[31m/campaign-001").mkdir(parents=True)
    assert {one.hero for one in observe_older_root(root).campaigns} == {"dio", "titan"}


def test_a_link_to_the_active_campaign_may_be_a_text_where_git_made_no_links(root: Path) -> None:
    (root / "campaigns/active").unlink()
    write(root / "campaigns/active", "/somewhere/campaigns/dio/campaign-002\n")
    assert observe_older_root(root).link == "/somewhere/campaigns/dio/campaign-002"


def test_what_stands_where_ours_belongs_is_named(root: Path) -> None:
    (root / "campaigns/active").unlink()
    (root / "campaigns/active").mkdir()
    write(root / "queue", "mine")
    assert observe_older_root(root).in_the_way == (
        "queue is no folder",
        "campaigns/active is a folder where a link belongs",
    )


def test_whoever_writes_below_a_folder_is_found_and_who_only_reads_is_not(root: Path) -> None:
    path = root / "config.json"
    with path.open("rb"):
        assert writers_below(root) == ()
    with path.open("ab"):
        (writer,) = writers_below(root)
    assert writer.endswith(f"(pid {os.getpid()})")
