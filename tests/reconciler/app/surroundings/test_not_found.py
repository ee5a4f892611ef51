"""A name that nothing has: the error names the nearest; of a campaign's checkpoints that is the nearest step."""

import pytest

from reconciler.app.surroundings.ground import not_found

STEPS = [f"pip/campaign-001@{step}" for step in (21, 27, 500, 1000, 1121)]


def meant(name: str, known: list[str]) -> str:
    return str(not_found("checkpoint", name, known)).partition("did you mean ")[2]


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        pytest.param("499", "500", id="499 looks most like 27 or 1000, and is next to 500"),
        pytest.param("30", "27", id="30"),
        pytest.param("2000", "1121", id="beyond the last"),
        pytest.param("24", "27", id="of two as near the later"),
    ],
)
def test_the_nearest_checkpoint_is_that_of_the_nearest_step(asked: str, nearest: str) -> None:
    assert meant(f"pip/campaign-001@{asked}", STEPS) == f'"pip/campaign-001@{nearest}"?'


def test_a_step_of_another_segment_or_campaign_is_not_near() -> None:
    known = ["pip/campaign-001@1:498", "pip/campaign-002@499", "pip/campaign-001@700"]
    assert meant("pip/campaign-001@499", known) == '"pip/campaign-001@700"?'
    assert meant("pip/campaign-001@1:1", known) == '"pip/campaign-001@1:498"?'


def test_a_campaign_that_is_mistyped_is_found_by_its_letters() -> None:
    assert meant("pop/campaign-001@500", STEPS) == '"pip/campaign-001@500"?'
    assert meant("tiny-adamv", ["tiny-adamw", "tiny-muon"]) == '"tiny-adamw"?'


def test_the_very_step_in_another_segment_is_nearer_than_another_step() -> None:
    """A rewind moved it aside: that is the checkpoint which was asked for."""
    known = ["pip/campaign-001@200", "pip/campaign-001@1:395", "pip/campaign-002@395"]
    assert meant("pip/campaign-001@395", known) == '"pip/campaign-001@1:395"?'
    assert meant("pip/campaign-001@2:395", known) == '"pip/campaign-001@1:395"?'


def test_of_that_step_in_several_segments_the_living_one_is_meant() -> None:
    known = ["pip/campaign-001@395", "pip/campaign-001@1:395", "pip/campaign-001@2:395"]
    assert meant("pip/campaign-001@3:395", known) == '"pip/campaign-001@395"?'
