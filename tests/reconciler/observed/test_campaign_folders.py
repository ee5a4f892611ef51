"""A campaign's folder is opened once; what lies in it, and what stands in the way, is a fact."""

import shutil
from pathlib import Path

import pytest

from reconciler.observed.campaign_folders import FolderCaches, observe_campaign_folder
from reconciler.observed.folders import Neighbours
from state.homes import Home
from state.layout import CampaignLayout, Layout

LINK = "is a symbolic link, which is not followed"


@pytest.fixture
def campaign(tmp_path: Path) -> CampaignLayout:
    campaign = Layout(tmp_path / "root").campaign("tiny/campaign-001")
    for folder in (campaign.status, campaign.runs):
        folder.mkdir(parents=True)
    return campaign


@pytest.fixture
def observe(tmp_path: Path, campaign: CampaignLayout):
    def look():
        with Neighbours(tmp_path / "root") as below:
            return observe_campaign_folder(Home(str(campaign.folder), "moved"), below, "aaaa", FolderCaches())

    return look


def test_what_lies_in_the_folder_is_found(observe, campaign, save_checkpoint) -> None:
    save_checkpoint(campaign.checkpoints, 5)
    (campaign.runs / "g1-a1").mkdir()
    campaign.record.write_bytes(b'{"id":"campaign-001"}')
    campaign.training_status.write_bytes(b'{"status":"idle"}')
    seen = observe()
    assert [found.path for found in seen.checkpoints.complete] == [str(campaign.checkpoint(5))]
    assert [run.folder for run in seen.runs.runs] == [str(campaign.runs / "g1-a1")]
    assert (seen.record.path, seen.record.content) == (str(campaign.record), b'{"id":"campaign-001"}')
    status = seen.training_status
    assert (status.path, status.content) == (str(campaign.training_status), b'{"status":"idle"}')
    assert seen.home == "moved"


@pytest.mark.parametrize("what", ["campaign", "status", "nothing"])
def test_what_is_not_there_is_neither_found_nor_a_problem(observe, campaign, what) -> None:
    if what != "nothing":
        shutil.rmtree(campaign.folder if what == "campaign" else campaign.status)
    seen = observe()
    assert (seen.checkpoints.complete, seen.checkpoints.problem) == ((), None)
    assert (seen.runs.runs, seen.runs.problems) == ((), ())
    for file in (seen.record, seen.training_status):
        assert (file.content, file.problem) == (None, None)


def test_a_link_in_place_of_the_folder_is_a_problem_of_everything_in_it(observe, campaign, tmp_path) -> None:
    campaign.folder.rename(tmp_path / "elsewhere")
    campaign.folder.symlink_to(tmp_path / "elsewhere")
    seen = observe()
    assert seen.checkpoints.problem == f"{campaign.folder}: {LINK}"
    assert seen.runs.problems == (f"{campaign.folder}: {LINK}",)
    assert (seen.record.problem, seen.training_status.problem) == (LINK, LINK)


@pytest.mark.parametrize("name", ["checkpoints", "runs", "status", "campaign.json"])
def test_a_link_in_the_folder_is_a_problem_of_what_it_stands_for(observe, campaign, tmp_path, name) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(campaign.folder / name, ignore_errors=True)
    (campaign.folder / name).symlink_to(tmp_path / "elsewhere")
    seen = observe()
    problems = {
        "checkpoints": seen.checkpoints.problem,
        "runs": seen.runs.problems[0] if seen.runs.problems else None,
        "status": seen.training_status.problem,
        "campaign.json": seen.record.problem,
    }
    assert (problems.pop(name) or "").endswith(LINK)
    assert set(problems.values()) == {None}
