"""Rows of what lies outside the root are lost with the store: the places that the specs name tell them again."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from children import in_child
from cleanup_words import plain
from moved_out import ONE, RULES, kinds, known, lose, lying, planned, purge, states, view

from state import failpoints
from state.contract.manifest import MANIFEST_NAME, Manifest, with_digest

LOST = [["control/rows"], ["control"], ["control/rows/realm.json"], ["control/rows/campaigns"]]


@pytest.mark.parametrize("is_purged", [False, True], ids=["in the trash still", "only elsewhere"])
@pytest.mark.parametrize("lost", LOST, ids=" ".join)
def test_what_lies_elsewhere_is_found_again_where_the_specs_say(
    moved: Path, run: Any, nas: Path, pass_time: Callable[[float], None], lost: list[str], is_purged: bool
) -> None:
    if is_purged:
        purge(run, pass_time)
    before, told = known(moved), states(run)
    lose(moved, *lost)

    done = run("doctor", "--rebuild")

    assert done.exit_code == 0, done.output
    assert states(run)[200] == told[200]
    ledger, copies = known(moved)
    assert (copies, ledger[-1]) == (before[1], before[0][-1])
    plan = plain(run("plan").stdout)
    assert "no copy of it" not in plan
    found = lying(moved, nas)
    purge(run, pass_time)
    gone = {path for path in found - lying(moved, nas) if "checkpoint-200" not in path.name}
    assert gone <= {path for path in found if lost == ["control/rows/realm.json"]}


def test_the_plan_is_what_it_was_once_the_copies_are_found_again(moved: Path, run: Any) -> None:
    before = planned(run)
    lose(moved, "control/rows/realm.json")
    assert run("doctor", "--rebuild").exit_code == 0
    after = planned(run)
    assert [one["id"] for one in after["changes"]] == [one["id"] for one in before["changes"]]
    assert [one for one in after["blocked"] if one["code"] != "deletion-on-hold"] == before["blocked"]


@pytest.mark.parametrize("is_purged", [False, True], ids=["in the trash still", "only elsewhere"])
@pytest.mark.parametrize("lost", LOST, ids=" ".join)
def test_while_the_place_is_away_nothing_is_deleted_and_nothing_false_is_said(
    moved: Path, run: Any, nas: Path, pass_time: Callable[[float], None], lost: list[str], is_purged: bool
) -> None:
    if is_purged:
        purge(run, pass_time)
    before = known(moved)
    away = nas.rename(nas.with_name("unmounted"))
    lose(moved, *lost)

    done = run("doctor", "--rebuild")

    there = lying(moved, away)
    if lost != ["control/rows/campaigns"]:
        assert f"{nas} is not there: is its disk mounted?; nothing is deleted" in plain(done.output)
    purge(run, pass_time)
    assert lying(moved, away) == there
    told = plain(run("plan").stdout)
    assert "no copy of it" not in told
    assert "nothing is deleted" in told or "nobody knows" in told or "only its folder told" in told
    assert "BringBackCheckpoint" not in kinds(run)
    away.rename(nas)
    again = run("doctor", "--rebuild")
    assert again.exit_code == 0, again.output
    ledger, copies = known(moved)
    assert (copies, ledger[-1]) == (before[1], before[0][-1])
    assert view(moved).unseen_places == ()


def test_an_empty_mount_point_is_not_taken_for_the_place_of_what_was_moved_out(
    moved: Path, run: Any, nas: Path, pass_time: Callable[[float], None]
) -> None:
    purge(run, pass_time)
    nas.rename(nas.with_name("unmounted"))
    nas.mkdir()
    lose(moved, "control")
    assert f"{nas} is empty: is its disk mounted?" in plain(run("doctor", "--rebuild").output)
    assert [one["code"] for one in planned(run)["blocked"] if one["subject"] == "store"] == ["places-unseen"]


def test_a_place_that_the_specs_name_no_more_and_no_loss_needs_holds_nothing(
    moved: Path, run: Any, nas: Path, lab: Path, git: Callable[..., str], pass_time: Callable[[float], None]
) -> None:
    purge(run, pass_time)
    shutil.rmtree(nas)
    lose(moved, "control/rows/realm.json")
    run("doctor", "--rebuild")
    (lab / "specs/retention.yaml").write_text(f"{RULES}acknowledged_losses: ['{ONE}@200']\n")
    git(lab, "commit", "-qam", "it is lost")

    assert run("doctor", "--rebuild").exit_code == 0

    assert view(moved).unseen_places == ()
    assert planned(run)["blocked"] == []


def test_an_export_that_no_spec_names_is_found_by_the_saga_or_named(
    moved: Path, run: Any, tmp_path: Path
) -> None:
    (usb := tmp_path / "usb").mkdir()
    assert run("export", f"{ONE}@200", "--to", str(usb)).exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    before = known(moved)
    for is_away in (False, True):
        if is_away:
            usb.rename(tmp_path / "pulled out")
        lose(moved, "control/rows/realm.json")
        said = plain(run("doctor", "--rebuild").output)
        place = f"{usb}/{ONE}/checkpoint-200"
        assert ("copies that were made once and were not found now: " + place in said) == is_away
        assert (known(moved) == before) == (not is_away)
        assert view(moved).unseen_places == ()


def test_what_is_not_proven_to_be_ours_is_left_there(
    moved: Path, run: Any, nas: Path, pass_time: Callable[[float], None]
) -> None:
    purge(run, pass_time)
    whole = nas / ONE / "checkpoint-200"
    copies_of_others(whole, nas)
    lose(moved, "control")

    said = plain(run("doctor", "--rebuild").output)

    assert [copy.path for copy in view(moved).copies] == [str(whole)]
    assert f"{nas}/{ONE}/checkpoint-300: no row of the ledger and no tombstone tells of it" in said
    assert f"{nas}/{ONE}/checkpoint-400: model.safetensors is missing" in said
    assert "other/realm" not in said
    assert len(lying(nas, nas)) == 3


def copies_of_others(whole: Path, nas: Path) -> None:
    """Make a checkpoint of ours that nothing tells of, one that is torn, and one of another realm."""
    for name, changes in {
        f"{ONE}/checkpoint-300": {"step": 300},
        f"{ONE}/checkpoint-400": {"step": 400},
        "other/realm/checkpoint-5": {"step": 5, "campaign_uid": "ffffffffffffffff"},
    }.items():
        folder = Path(shutil.copytree(whole, nas / name))
        for path in (folder, *folder.iterdir()):
            path.chmod(0o700)
        manifest = msgspec.json.decode((folder / MANIFEST_NAME).read_bytes(), type=Manifest)
        manifest = with_digest(msgspec.structs.replace(manifest, **changes))
        (folder / MANIFEST_NAME).write_bytes(msgspec.json.encode(manifest))
    (nas / ONE / "checkpoint-400/model.safetensors").unlink()


def test_a_copy_that_was_only_found_is_read_before_anything_else_of_its_campaign_goes(
    moved: Path, run: Any, nas: Path, pass_time: Callable[[float], None]
) -> None:
    weights = nas / ONE / "checkpoint-200/model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(bytes(len(weights.read_bytes())))
    lose(moved, "control/rows/realm.json")
    assert run("doctor", "--rebuild").exit_code == 0
    for _ in range(2):
        run("apply", "--once")
    pass_time(3700)

    purged = [one["subject"] for one in planned(run)["changes"] if one["action"]["action"] == "PurgeTrash"]

    assert f"checkpoint/{ONE}@100" not in purged
    purge(run, pass_time)
    assert any(path.name.endswith("checkpoint-200") for path in lying(moved, moved)), "its copy is damaged"


def test_nothing_of_a_campaign_without_rows_is_deleted_until_a_person_lets_it_go_on(
    moved: Path, run: Any, pass_time: Callable[[float], None]
) -> None:
    lose(moved, "control/rows/campaigns")
    said = plain(run("doctor", "--rebuild").output)
    assert f"of {ONE} nothing tells any more: its jobs: which quests it has learnt" in said
    dropped = min((moved / "trash").glob("*-checkpoint-100"))
    purge(run, pass_time)
    assert dropped.is_dir()

    assert run("resume", ONE).exit_code == 0
    purge(run, pass_time)

    assert not dropped.exists()


def test_specs_that_cannot_be_read_are_places_that_were_not_seen(
    moved: Path, run: Any, lab: Path, pass_time: Callable[[float], None]
) -> None:
    hidden = (lab / ".git").rename(lab / "hidden")
    lose(moved, "control/rows/realm.json")
    run("doctor", "--rebuild", "--root", str(moved))
    assert "the places that the specs name" in view(moved).unseen_places[0]
    hidden.rename(lab / ".git")
    assert run("doctor", "--rebuild").exit_code == 0
    assert view(moved).unseen_places == ()


def test_a_copy_that_was_found_is_read_first_by_a_scrub(moved: Path, run: Any) -> None:
    lose(moved, "control/rows/realm.json")
    run("doctor", "--rebuild")
    assert [copy.checked_at for copy in view(moved).copies] == [""]
    assert run("scrub", ONE).exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert [copy.damage for copy in view(moved).copies if copy.checked_at] == [None]


@pytest.fixture
def again(moved: Path, tmp_path: Path) -> Callable[[], None]:
    """Put the root back as it is when this is asked for first."""
    copy = tmp_path / "as-it-was"

    def put_back() -> None:
        if not copy.exists():
            shutil.copytree(moved, copy, symlinks=True)
        shutil.rmtree(moved)
        shutil.copytree(copy, moved, symlinks=True)

    return put_back


def is_killed(run: Any, at: int) -> bool:
    """Rebuild in a child that dies at a failpoint; say whether it came that far."""

    def work() -> None:
        failpoints.arm(at, "kill")
        run("doctor", "--rebuild")

    return in_child(work) == -signal.SIGKILL


def test_killed_anywhere_a_rebuild_finds_the_copies_all_the_same(
    moved: Path, run: Any, again: Callable[[], None]
) -> None:
    before = known(moved)
    lose(moved, "control/rows/realm.json")
    at = 0
    while True:
        at += 1
        again()
        was_killed = is_killed(run, at)
        assert run("doctor", "--rebuild").exit_code == 0
        assert known(moved) == before
        if not was_killed:
            break
    assert at > 5


def test_killed_anywhere_the_later_look_is_made_again(
    moved: Path, run: Any, nas: Path, again: Callable[[], None]
) -> None:
    before = known(moved)
    away = nas.rename(nas.with_name("unmounted"))
    lose(moved, "control/rows/realm.json")
    run("doctor", "--rebuild")
    away.rename(nas)
    at, is_written = 0, False
    while not is_written:
        at += 1
        again()
        assert is_killed(run, at), "it writes derived files after it"
        is_written = known(moved) == before
        assert is_written == (view(moved).unseen_places == ())
        assert run("doctor", "--rebuild").exit_code == 0
        assert known(moved) == before
    assert at > 1


def test_the_active_campaign_is_known_by_its_own_row(
    resting: Callable[..., Path], run: Any, root: Path
) -> None:
    resting({}, (100,))
    run("apply", "--until-converged")
    before = planned(run)["changes"]
    lose(root, "control/rows/realm.json")
    assert run("doctor", "--rebuild").exit_code == 0
    assert [one["id"] for one in planned(run)["changes"]] == [one["id"] for one in before]


def test_doctor_fix_looks_again_into_a_place_that_could_not_be_seen(moved: Path, run: Any, nas: Path) -> None:
    away = nas.rename(nas.with_name("unmounted"))
    lose(moved, "control")
    run("doctor", "--rebuild")
    still = json.loads(run("doctor", "--fix", "--json").stdout)
    away.rename(nas)

    found = json.loads(run("doctor", "--fix", "--json").stdout)

    for one in (still, found):
        tried = [(each["check"], each["fix"]["does"], each["outcome"]) for each in one["fixes"]]
        assert tried == [("plan", "rebuild", "done")]
    assert "places-unseen" not in [one["code"] for one in planned(run)["blocked"]]
    assert view(moved).unseen_places == ()
