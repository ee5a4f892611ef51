import os
from pathlib import Path

import pytest

from reconciler.observed.derived_files import observe_campaign_folders, observe_derived
from state.layout import Layout

NAME = "tiny/campaign-001"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root")
    layout.campaign(NAME).folder.mkdir(parents=True)
    layout.active_pointer.parent.mkdir()
    return layout


def test_missing_files_are_neither_content_nor_problem(layout: Layout) -> None:
    facts = observe_derived(layout, {})
    assert (facts.active_pointer.content, facts.active_pointer.problem) == (None, None)
    assert (facts.active_link.target, facts.active_link.problem) == (None, None)


def test_what_is_there_is_returned_byte_for_byte(layout: Layout) -> None:
    layout.active_pointer.write_bytes(b'{"hero_id": "tiny", "_comment": "kept"}\n')
    layout.active_link.symlink_to(NAME)
    facts = observe_derived(layout, {})
    assert facts.active_pointer.content == b'{"hero_id": "tiny", "_comment": "kept"}\n'
    assert facts.active_link.target == NAME


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b'{"hero', "is not JSON"),
        (b"[1]", "is not a JSON object"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": "\xff"}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b" " * (8 * 1024 * 1024 + 1), "is larger than 8388608 bytes"),
    ],
    ids=["empty", "torn", "list", "NaN", "bytes", "deep", "huge"],
)
def test_a_spoilt_file_is_a_problem(layout: Layout, content: bytes, message: str) -> None:
    layout.active_pointer.write_bytes(content)
    pointer = observe_derived(layout, {}).active_pointer
    assert pointer.content is None
    assert pointer.problem is not None
    assert message in pointer.problem


def test_a_linked_pointer_is_not_followed(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    layout.active_pointer.symlink_to(tmp_path / "other.json")
    assert observe_derived(layout, {}).active_pointer.problem == "is a symbolic link, which is not followed"


def test_a_folder_in_place_of_the_active_link_is_a_problem(layout: Layout) -> None:
    layout.active_link.mkdir()
    assert observe_derived(layout, {}).active_link.problem == "is not a symbolic link"


def test_campaigns_are_listed_and_everything_else_is_foreign(layout: Layout, tmp_path: Path) -> None:
    campaigns = layout.campaigns
    layout.active_link.symlink_to(NAME)
    (campaigns / "archive").mkdir()
    (campaigns / ".staging-x").mkdir()
    (campaigns / "Bad Hero").mkdir()
    (campaigns / "file").write_text("")
    (campaigns / "tiny" / "campaign-002").symlink_to(tmp_path)
    (campaigns / "tiny" / "..\x1b").mkdir()
    (campaigns / "linked").symlink_to(tmp_path)
    facts = observe_campaign_folders(layout)
    assert facts.names == (NAME,)
    assert {one.name: one.reason for one in facts.foreign} == {
        "Bad Hero": "the name is not the id of a hero",
        "file": "is not a folder",
        "linked": "is a symbolic link, which is not followed",
        "..\\x1b": "the name is not the id of a campaign",
        "campaign-002": "is a symbolic link, which is not followed",
    }


def test_a_root_without_campaigns_has_none(tmp_path: Path) -> None:
    assert observe_campaign_folders(Layout(tmp_path)).names == ()


def test_a_file_in_place_of_the_campaigns_is_a_problem_not_emptiness(tmp_path: Path) -> None:
    (tmp_path / "campaigns").write_text("")
    assert observe_campaign_folders(Layout(tmp_path)).problem == f"{tmp_path / 'campaigns'}: is not a folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_folder_is_a_problem(layout: Layout) -> None:
    layout.campaigns.chmod(0)
    problem = observe_campaign_folders(layout).problem
    layout.campaigns.chmod(0o700)
    assert problem is not None
    assert "Permission denied" in problem
