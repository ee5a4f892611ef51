"""The store is lost, and whatever lay beside it but for one thing: no command takes the root for a new one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from state.layout import Layout
from state.lock import read_epoch
from state.store.connection import open_reader
from state.store.older_copy import written
from state.store.traces import newest_epoch

RULES = "campaigns: {active: {keep_checkpoints: 2}}\nminimum_age: 1s\n"
HOME = "campaigns/pip/campaign-001"
LEFT = {
    "epoch": "control/epoch",
    "written": "control/written",
    "written beside the weights": "campaigns/.written",
    "rows of the realm": "control/rows/realm.json",
    "rows of a campaign": "control/rows/campaigns/*.json",
    "manifests": "control/rows/manifests/*.json",
    "a copy of the store": "backups/store/*.db",
    "tombstones": "trash/*.json",
    "the campaign's record": f"{HOME}/campaign.json",
    "a checkpoint": f"{HOME}/checkpoints/checkpoint-3/*",
}
REFUSED = (
    *(["plan"], ["apply", "--once"], ["apply", "--until-converged"], ["status"], ["get", "checkpoints"]),
    *(["pause"], ["stop"], ["refresh"], ["scrub", "--all"], ["undelete", "pip/campaign-001@1"], ["events"]),
    *(["history"], ["explain", "pip/campaign-001"]),
)


@pytest.fixture
def used(resting: Callable[..., Path], run: Any, root: Path, pass_time: Callable[[float], None]) -> Path:
    """A root with three checkpoints, one of them dropped."""
    resting({"specs/retention.yaml": RULES}, (1, 2, 3))
    pass_time(3)
    assert run("apply", "--until-converged").exit_code == 0
    assert (root / "trash").is_dir()
    return root


def keep_only(root: Path, pattern: str) -> Path:
    """Remove all but what lies at these places; return the first."""
    aside = root.with_name("aside")
    root.rename(aside)
    kept = sorted(aside.glob(pattern))
    for path in kept:
        place = root / path.relative_to(aside)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    return root / kept[0].relative_to(aside)


def everything(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("pattern", LEFT.values(), ids=LEFT)
def test_one_thing_that_is_left_is_enough_to_refuse_the_root_by_name(
    used: Path, run: Any, pattern: str
) -> None:
    keep_only(used, pattern)
    before = everything(used)
    for command in REFUSED:
        done = run(*command)
        said = plain(done.stderr)
        assert done.exit_code == 1, (command, done.output)
        assert f"{used / 'realm.db'} is gone or empty, but this root was in use (see {used}/" in said, command
        assert "let reconcile doctor --rebuild make it again" in said, command
    told = run("doctor")
    assert (told.exit_code, "fail store" in plain(told.stdout)) == (1, True)
    assert everything(used) == before


@pytest.mark.parametrize("pattern", LEFT.values(), ids=LEFT)
def test_a_rebuild_works_from_one_thing_that_is_left_and_loses_nothing_of_it(
    used: Path, run: Any, pattern: str
) -> None:
    keep_only(used, pattern)
    weights = set(used.rglob("*.safetensors"))

    done = run("doctor", "--rebuild")

    assert done.exit_code == 0, done.output
    with open_reader(used / "realm.db") as store:
        assert written(store).epoch == newest_epoch(Layout(used)) + 1
    done = run("apply", "--once")
    assert done.exit_code in (0, 3), done.output
    assert weights <= set(used.rglob("*.safetensors"))
    assert "older copy" not in run("plan").stdout


@pytest.mark.parametrize(
    "lost",
    ["control/epoch", "control/epoch control/written", "control/epoch control/written campaigns/.written"],
)
def test_without_the_store_and_its_epoch_a_rebuild_brings_back_the_very_plan(
    used: Path, run: Any, lost: str
) -> None:
    before = planned(run), checkpoints(run)
    for place in ("realm.db", *lost.split()):
        (used / place).unlink()
    assert run("plan").exit_code == 1
    assert run("doctor", "--rebuild").exit_code == 0
    assert (planned(run), checkpoints(run)) == before


def planned(run: Any) -> object:
    found = json.loads(run("plan", "--json").stdout)
    return found["changes"], [(item["subject"], item["code"]) for item in found["blocked"]], found["warnings"]


def checkpoints(run: Any) -> list[dict[str, Any]]:
    return json.loads(run("get", "checkpoints", "--json").stdout)["items"]


def test_a_root_with_foreign_things_only_is_new_and_begins(run: Any, root: Path) -> None:
    older = root / HOME / "campaign.json"
    older.parent.mkdir(parents=True)
    older.write_text('{"id": "campaign-001", "hero_id": "pip"}')
    (root / "notes.txt").write_text("theirs")
    assert "was in use" not in run("plan").output
    told = run("doctor", "--rebuild")
    assert "has no store and never had one: reconcile apply makes it" in plain(told.stderr)
    assert run("apply", "--once").exit_code in (0, 1, 3)
    assert (root / "realm.db").exists()


@pytest.mark.parametrize("lost", ["control/epoch", "control"])
def test_a_store_beside_which_all_is_lost_is_made_again_above_its_own_epoch(
    used: Path, run: Any, lost: str
) -> None:
    before, epoch = planned(run), read_epoch(Layout(used).epoch)
    place = used / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert run("doctor", "--rebuild").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert read_epoch(Layout(used).epoch) > epoch
    assert planned(run) == before


def test_a_copied_root_whose_store_is_lost_is_made_again_and_is_a_copy_still(used: Path, run: Any) -> None:
    for name, lost in (("one", ["control/epoch"]), ("two", ["control/epoch", "control/written"])):
        copy = Path(shutil.copytree(used, used.with_name(name), symlinks=True))
        for place in ("realm.db", *lost):
            (copy / place).unlink()
        assert "was in use" in plain(run("--root", str(copy), "plan").stderr)
        assert run("--root", str(copy), "doctor", "--rebuild").exit_code == 0
        refused = run("--root", str(copy), "apply", "--once")
        assert f"the root {copy} is a copy of {used}, which is there still" in plain(refused.stderr)


def test_events_of_a_realm_that_never_was_are_told_as_such(run: Any) -> None:
    assert "nothing has been applied yet" in run("events").stderr
