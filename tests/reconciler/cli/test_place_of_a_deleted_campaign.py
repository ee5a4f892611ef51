"""While something has the place of a deleted campaign that its spec wants again, it is named: what, and where."""

import json
import shutil
from pathlib import Path

import pytest
from cleanup_words import NAME, approve, plain, say

HOME, ARCHIVE = "campaigns/pip/campaign-001", "campaigns/archive/pip/campaign-001-archived"


@pytest.fixture
def deleted(resting, run, lab: Path, git, root: Path) -> Path:
    """A campaign with two checkpoints that was deleted whole; the root."""
    resting({"specs/realm.yaml": "id: lab\n"}, (100, 200))
    say(lab, git, "state: deleted")
    run("apply", "--until-converged")
    approve(run)
    assert run("apply", "--until-converged").exit_code == 0
    return root


def copy(root: Path, place: str) -> None:
    (trashed,) = (root / "trash").glob("*-campaign")
    shutil.copytree(trashed, root / place)


def some_folder(root: Path, place: str) -> None:
    (root / place / "checkpoints/best").mkdir(parents=True)


def link(root: Path, place: str) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).symlink_to("/srv/elsewhere")


def blocker(run) -> dict[str, str]:
    blocked = json.loads(run("explain", NAME, "--json").stdout)["blocked"]
    (one,) = [one for one in blocked if one["code"] == "deleted"]
    return one


@pytest.mark.parametrize(
    ("place", "put", "what"),
    [
        (HOME, copy, "is a folder with 2 checkpoints"),
        (ARCHIVE, copy, "is a folder with 2 checkpoints"),
        (HOME, some_folder, "is a folder with best, which is no checkpoint"),
        (HOME, link, "is something else: "),
    ],
)
def test_what_has_its_place_is_named_and_once_it_is_moved_away_the_campaign_is_back(
    deleted: Path, run, lab: Path, git, tmp_path: Path, place: str, put, what: str
) -> None:
    say(lab, git)
    put(deleted, place)
    one = blocker(run)
    assert (
        f"its spec wants it, so it stays in the trash: its place is taken; {place} {what}" in one["message"]
    )
    assert one["hint"] == f"move {place} away (nothing of it is deleted here): then it comes back by itself"
    assert f"{place} {what}"[:60] in plain(run("plan").stdout)
    (item,) = json.loads(run("get", "trash", "--json").stdout)["items"]
    assert item["reason"] == "its spec wants it"

    (deleted / place).rename(tmp_path / "away")
    assert run("apply", "--until-converged").exit_code == 0
    assert (deleted / HOME / "checkpoints/checkpoint-200").is_dir()
    assert json.loads(run("get", "trash", "--json").stdout)["items"] == []


def test_what_lies_there_while_the_trash_holds_it_no_more_is_named_too(
    deleted: Path, run, lab: Path, git, tmp_path: Path
) -> None:
    say(lab, git)
    copy(deleted, HOME)
    shutil.rmtree(deleted / HOME / "checkpoints/checkpoint-200")
    (trashed,) = (deleted / "trash").glob("*-campaign")
    trashed.rename(tmp_path / "taken")
    one = blocker(run)
    assert "it does not lie in the trash any more; campaigns/pip/campaign-001 is a folder" in one["message"]
    assert one["hint"].startswith(f"put trash/{trashed.name} back, and move {HOME} away")
    assert one["hint"].endswith(f"; or, where that is the campaign: reconcile undelete {NAME}")

    assert run("undelete", NAME).exit_code == 0
    done = run("apply", "--until-converged")
    assert f"✓ take back  campaign {NAME}" in done.stdout  # and that a checkpoint is missing is named then
    assert (deleted / HOME / "checkpoints/checkpoint-100").is_dir()
