"""`archive: {to: ...}` through the real commands: an archived campaign makes room in the root, and comes back whole."""

import json
import shutil
from pathlib import Path

import pytest

from state.layout import Layout

NAME = "pip/campaign-001"
SPEC = "specs/campaigns/pip/campaign-001.yaml"


def plain(text: str) -> str:
    return " ".join(text.split())


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".ledger.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    """A folder outside of the root."""
    folder = tmp_path / "nas"
    folder.mkdir()
    return folder


@pytest.fixture
def realm(resting, nas: Path) -> Path:
    """A realm whose campaign rests with two recorded checkpoints; the campaign's folder."""
    rules = f"minimum_age: 1ms\narchive: {{to: {nas}}}\n"
    slow = "id: lab\napply: {retry: {backoff: 10m}}\n"
    return resting({"specs/realm.yaml": slow, "specs/retention.yaml": rules}, (100, 200)).parent


@pytest.fixture
def archive(root: Path) -> Path:
    return root / "campaigns/archive/pip/campaign-001-archived"


@pytest.fixture
def say(lab: Path, git):
    """Commit the campaign's spec with these lines."""

    def commit(*lines: str) -> None:
        (lab / SPEC).write_text("\n".join(["id: campaign-001", *lines, ""]))
        git(lab, "commit", "-qam", "another word about it")

    return commit


def converge(run) -> str:
    done = run("apply", "--until-converged")
    assert done.exit_code == 0, done.stdout + done.stderr
    return plain(done.stdout)


def let_it_be_purged(run, pass_time) -> None:
    """Let the time in the trash go by, and two clean ticks; the copies that stand for it are read then."""
    pass_time(3700)
    for _ in range(3):
        converge(run)
    pass_time(2)


def states(run) -> dict[int, str]:
    items = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    return {item["step"]: item["state"] for item in items}


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoints/checkpoint-*"))


def test_an_archived_campaign_makes_room_and_comes_back_to_the_byte(
    run, realm: Path, archive: Path, nas: Path, say, pass_time, root: Path
) -> None:
    before = contents(realm / "checkpoints")
    say("state: archived")
    converge(run)
    assert (there(archive), states(run)) == ([], {100: "elsewhere", 200: "elsewhere"})
    assert contents(nas / NAME) == before

    let_it_be_purged(run, pass_time)
    assert [path.name for path in (root / "trash").iterdir() if path.is_dir()] == []
    assert "\nNothing to do" in run("plan").stdout
    (legend,) = json.loads(run("get", "legends", "--json").stdout)["items"]
    assert (legend["num_checkpoints"], legend["num_elsewhere"], legend["elsewhere"]) == (
        0,
        2,
        [str(nas / NAME)],
    )
    assert f"0 (0 B), 2 in {nas}" in plain(run("get", "legends", "--wide").stdout)

    say()
    assert "Plan: 2 to bring back, 1 to restore" in run("plan").stdout
    converge(run)

    assert contents(realm / "checkpoints") == before
    assert states(run) == {100: "complete", 200: "complete"}
    assert contents(nas / NAME) == before
    assert "\nNothing to do" in run("plan").stdout
    events = [json.loads(line)["event"] for line in (realm / "saga.jsonl").read_text().splitlines()]
    assert [event for event in events if event in ("archived", "moved_out", "brought_back", "restored")] == [
        *("archived", "moved_out", "moved_out", "brought_back", "brought_back", "restored")
    ]


def test_a_disk_that_is_away_is_told_as_out_of_reach_and_the_campaign_waits_for_it(
    run, realm: Path, archive: Path, nas: Path, say, pass_time
) -> None:
    say("state: archived")
    converge(run)
    let_it_be_purged(run, pass_time)
    away = nas.rename(nas.with_name("unmounted"))

    told = plain(run("get", "checkpoints", "--wide").stdout)
    assert f"elsewhere: out of reach: {nas / NAME} is not there: is its disk mounted?" in told
    run("scrub", "--all")
    assert "out of reach: 2 of the copies elsewhere" in converge(run)
    assert states(run) == {100: "elsewhere", 200: "elsewhere"}
    say()
    waiting = run("apply", "--once")
    assert waiting.exit_code == 1
    assert "out of reach, and not lost" in plain(waiting.stdout + waiting.stderr)
    assert archive.is_dir()

    away.rename(nas)
    converge(run)
    assert there(realm) == ["checkpoint-100", "checkpoint-200"]


def test_a_purge_whose_copies_are_out_of_reach_is_told_as_failing_until_their_disk_is_back(
    run, realm: Path, archive: Path, nas: Path, say, pass_time, root: Path
) -> None:
    say("state: archived")
    converge(run)
    away = nas.rename(nas.with_name("unmounted"))
    pass_time(3700)
    for _ in range(4):
        run("apply", "--once")

    plan, status, doctor = (plain(run(view).stdout) for view in ("plan", "status", "doctor"))
    why = f"its copy is out of reach: {nas / NAME} is not there: is its disk mounted?"
    assert "2 to purge, 2 of them failed when last tried" in plan
    for told in (plan, status, doctor):
        assert why in told
        assert "purge failed 3 times, last at" in told or "; failed 3 times, last at" in told
    assert "are well" not in doctor
    items = json.loads(run("get", "trash", "--json").stdout)["items"]
    assert [item["is_held"] for item in items] == [True, True]
    assert len(list((root / "trash").glob("*/manifest.json"))) == 2

    away.rename(nas)
    converge(run)
    assert [path.name for path in (root / "trash").iterdir() if path.is_dir()] == []
    assert "failed" not in plain(run("status").stdout)


def test_a_restore_that_one_damaged_checkpoint_keeps_waiting_is_blocked_by_name(
    run, realm: Path, archive: Path, nas: Path, say, pass_time
) -> None:
    say("state: archived")
    converge(run)
    let_it_be_purged(run, pass_time)
    weights = nas / NAME / "checkpoint-100/model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(b"wEights")
    say()

    done = run("apply", "--until-converged")

    said = plain(done.stdout + done.stderr)
    assert done.exit_code == 3
    assert f"! blocked campaign/{NAME}: it cannot be restored: {NAME}@100: it was not brought back: " in said
    assert there(archive) == ["checkpoint-200"]
    plan, status = plain(run("plan").stdout), plain(run("status").stdout)
    assert "1 to bring back, 1 to restore, 1 of them failed when last tried" in plan
    assert "bring back failed once at" in status
    assert f"{NAME} step 200" not in status or "synced as the specs say" not in status.split(NAME)[1]


def test_a_person_who_takes_one_back_keeps_it_in_the_root(
    run, realm: Path, archive: Path, nas: Path, say, pass_time
) -> None:
    say("state: archived")
    converge(run)
    let_it_be_purged(run, pass_time)
    assert run("undelete", f"{NAME}@100").exit_code == 0
    converge(run)

    assert there(archive) == ["checkpoint-100"]
    assert states(run) == {100: "complete", 200: "elsewhere"}
    assert "\nNothing to do" in run("plan").stdout


def test_nothing_goes_while_the_place_elsewhere_is_none(
    run, realm: Path, archive: Path, nas: Path, say
) -> None:
    nas.rmdir()
    say("state: archived")

    done = run("apply", "--until-converged")

    why = f"{nas} is no folder: make it, or mount the disk"
    assert there(archive) == ["checkpoint-100", "checkpoint-200"]
    assert f"it stays in the root: no copy in {nas}: {why}" in plain(done.stdout + done.stderr)
    assert "2 to archive, 2 of them failed when last tried" in plain(run("plan").stdout)

    nas.mkdir()
    converge(run)  # mended: the next apply tries it at once
    assert there(archive) == []


def test_what_was_moved_out_can_still_be_proved(run, realm: Path, nas: Path, say, pass_time) -> None:
    say("state: archived")
    converge(run)
    let_it_be_purged(run, pass_time)

    proof = run("prove", f"{NAME}@200")

    assert proof.exit_code == 0, proof.stdout + proof.stderr


def test_what_was_moved_out_is_exported_from_where_it_lies(
    run, realm: Path, nas: Path, say, pass_time, tmp_path: Path
) -> None:
    before = contents(realm / "checkpoints")
    say("state: archived")
    converge(run)
    let_it_be_purged(run, pass_time)
    (usb := tmp_path / "usb").mkdir()

    assert run("export", NAME, "--to", str(usb)).exit_code == 0
    assert f"in {usb}, read back and as saved" in converge(run)

    assert contents(usb / NAME) == before == contents(nas / NAME)
    assert states(run) == {100: "elsewhere", 200: "elsewhere"}


def test_a_copy_in_the_archive_that_is_damaged_is_made_again_from_another(
    run, realm: Path, nas: Path, say, pass_time, tmp_path: Path
) -> None:
    before = contents(realm / "checkpoints")
    say("state: archived")
    converge(run)
    let_it_be_purged(run, pass_time)
    (usb := tmp_path / "usb").mkdir()
    run("export", NAME, "--to", str(usb))
    converge(run)
    (nas / NAME / "checkpoint-100/model.safetensors").unlink()

    run("scrub", "--all")
    converge(run)

    (aside,) = (nas / NAME).glob(".damaged-100-*")
    assert not (aside / "model.safetensors").exists()
    shutil.rmtree(aside)
    assert contents(nas / NAME) == before
    assert "\nNothing to do" in run("plan").stdout


@pytest.mark.parametrize("is_purged", [False, True], ids=["in the trash still", "only elsewhere"])
@pytest.mark.parametrize("is_away", [False, True], ids=["its disk there", "its disk away"])
def test_a_store_made_again_knows_what_lies_elsewhere_and_plans_no_other_deletion(
    run, realm: Path, nas: Path, root: Path, say, pass_time, is_purged: bool, is_away: bool
) -> None:
    say("state: archived")
    converge(run)
    if is_purged:
        let_it_be_purged(run, pass_time)
    if is_away:
        nas.rename(nas.with_name("unmounted"))
    before = planned(run), states(run)

    for is_lost in (True, False):
        if is_lost:
            Layout(root).store.unlink()
            Layout(root).epoch.unlink()
        assert run("doctor", "--rebuild").exit_code == 0

        assert (planned(run), states(run)) == before
    if is_purged and not is_away:
        let_it_be_purged(run, pass_time)
        assert (planned(run), states(run)) == before


def planned(run) -> object:
    """Return what is planned and what is not, but for how long something waits still."""
    found = json.loads(run("plan", "--json").stdout)
    blocked = [(item["subject"], item["code"]) for item in found["blocked"]]
    return found["changes"], blocked, found["warnings"]
