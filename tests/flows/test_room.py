"""A disk that runs low: training pauses before a save can fail, with what it learnt saved, and goes on by itself."""

from pathlib import Path

import pytest
from lab import Lab, found_realm, realm, rows, wait_until
from small_disk import on_a_small_disk

from state.contract.files import ContractError, read
from state.contract.status import RunStatus

ONE = "one/campaign-001"
MORE_THAN_ANY_DISK = "999999TB"


def phase(lab: Lab) -> str | None:
    """Return what the newest trainer says it does."""
    try:
        return read(lab.runs()[-1] / "status.json", RunStatus).phase
    except (IndexError, FileNotFoundError, ContractError):
        return None


def floor(lab: Lab, least: str) -> None:
    lab.spec("realm", **realm(ONE, disk={"floor": least}))
    lab.commit(f"{least} stay free")


def test_training_pauses_before_a_save_can_fail_and_goes_on_when_there_is_room(the_lab: Lab) -> None:
    lab = the_lab
    lab.write("data/long.jsonl", rows(range(500)))
    found_realm(lab, ["one"], ONE, [{"id": "long", "file": "data/long.jsonl", "epochs": 500}])
    process = lab.start("apply")
    wait_until(lambda: lab.has_store() and lab.newest_step(ONE) > 0, 100, "it has saved", say=lab.said)

    floor(lab, MORE_THAN_ANY_DISK)
    wait_until(lambda: phase(lab) == "paused", 100, "it pauses", say=lab.said)
    status = read(lab.runs()[-1] / "status.json", RunStatus)
    (told,) = [item for item in lab.plan()["blocked"] if item["code"] == "disk-low"]
    floor(lab, "0MB")
    wait_until(lambda: lab.newest_step(ONE) > status.step, 100, "it goes on", say=lab.said)
    process.terminate()
    process.wait()

    assert lab.manifests(ONE)[status.step].step == status.step  # nothing that was learnt is unsaved meanwhile
    assert told["message"].startswith("training waits for room: ")
    assert "as much for that of a pause, and the floor of 999999 TB" in told["message"]
    assert len(lab.runs()) == 1


@pytest.mark.train
@pytest.mark.timeout(900)
def test_the_save_of_the_pause_itself_fits_above_the_floor(tmp_path: Path) -> None:
    found = on_a_small_disk("low_disk.py", tmp_path)

    assert found["step"] == found["newest_step"]  # all that was learnt is saved
    assert found["waited"] == []
    assert found["least_free_bytes"] >= 2_000_000
    assert found["least_free_bytes"] < 2_000_000 + 2 * found["save_bytes"]
    assert len(found["blocked"]) == 1


def test_nothing_is_launched_without_room_for_its_save(the_lab: Lab) -> None:
    lab = the_lab
    lab.write("data/a.jsonl", rows(range(8)))
    found_realm(lab, ["one"], ONE, [{"id": "a", "file": "data/a.jsonl"}])
    floor(lab, MORE_THAN_ANY_DISK)

    done = lab.converge()

    assert done.returncode == 3
    assert lab.runs() == []
    assert "training waits for room" in lab.reconcile("status").stdout
