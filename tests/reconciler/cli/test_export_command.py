"""`export` through the real command: copied elsewhere, remembered, shown."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def test_a_campaign_is_exported_and_every_view_shows_where(run, resting, tmp_path: Path) -> None:
    resting({}, (100, 200))
    to = tmp_path / "usb"
    to.mkdir()

    assert (
        "Asked to export pip/campaign-001 (request 1)"
        in run("export", "pip/campaign-001", "--to", str(to)).stdout
    )
    plan = " ".join(run("plan").stdout.split())
    assert "+ export checkpoint pip/campaign-001@100" in plan
    assert run("apply", "--until-converged").exit_code == 0

    assert sorted(path.name for path in (to / "pip/campaign-001").iterdir()) == [
        "checkpoint-100",
        "checkpoint-200",
    ]
    items = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    assert [item["locations"] for item in items] == [
        [f"{to}/pip/campaign-001/checkpoint-{n}"] for n in (100, 200)
    ]
    told = " ".join(run("explain", "checkpoint/pip/campaign-001@100").stdout.split())
    assert "copies elsewhere" in told
    assert "\nNothing to do" in run("plan").stdout


def test_the_latest_is_exported_by_that_word_and_its_place_is_told_without_dots(
    run, resting, tmp_path: Path
) -> None:
    resting({}, (100, 200))
    (tmp_path / "usb").mkdir()

    said = run("export", "pip/campaign-001@latest", "--to", str(tmp_path / "root/../usb"))

    assert "Asked to export pip/campaign-001@200 (request 1)" in said.stdout, said.stderr
    (change,) = json.loads(run("plan", "--json").stdout)["changes"]
    assert (change["thing"], change["action"]["to"]) == (
        "checkpoint pip/campaign-001@200",
        str(tmp_path / "usb"),
    )
    refused = run("export", "pip/campaign-001@best", "--to", str(tmp_path / "usb"))
    assert (refused.exit_code, "has no complete checkpoint with a held-out loss yet" in refused.stderr) == (
        5,
        True,
    )


def test_a_place_that_is_gone_by_the_time_of_the_export_is_told_by_the_plan(
    run, resting, tmp_path: Path
) -> None:
    resting({}, (100,))
    to = tmp_path / "usb"
    to.mkdir()
    run("export", "pip/campaign-001", "--to", str(to))
    to.rmdir()

    plan = " ".join(run("plan").stdout.split())

    assert "+ export" not in plan
    assert f"was not exported: {to} is no folder: make it, or mount the disk that it is on" in plan


RULES = "campaigns: {active: {keep_checkpoints: 1, keep_best: []}}\nminimum_age: 10s\n"


@pytest.mark.parametrize("is_damaged", [False, True], ids=["whole", "damaged"])
def test_what_is_exported_is_read_before_anything_is_dropped_so_that_its_damage_holds_that(
    run, resting, pass_time, tmp_path: Path, is_damaged: bool
) -> None:
    checkpoints = resting({"specs/retention.yaml": RULES}, (100, 200, 300))
    (tmp_path / "usb").mkdir()
    if is_damaged:
        weights = checkpoints / "checkpoint-300/model.safetensors"
        weights.chmod(0o600)
        weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    pass_time(60)
    run("export", "pip/campaign-001@300", "--to", str(tmp_path / "usb"))

    done = run("apply", "--once")

    said = " ".join(done.stdout.split())
    assert said.index("export checkpoint pip/campaign-001@300") < said.index("drop checkpoint")
    left = sorted(path.name for path in checkpoints.iterdir())
    whole = ["checkpoint-100", "checkpoint-200", "checkpoint-300"]
    assert left == (whole if is_damaged else ["checkpoint-300"])


@pytest.mark.parametrize(
    ("thing", "to", "code", "told"),
    [
        ("pip/campaign-001@7", ".", 5, 'there is no checkpoint or campaign "pip/campaign-001@7"'),
        ("pip/campaign-001", "nowhere", 5, "is no folder; make it first: mkdir -p"),
        ("pip/campaign-001", "root", 64, "lies in the realm's root"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    run, resting, root: Path, tmp_path: Path, thing: str, to: str, code: int, told: str
) -> None:
    resting({}, (100,))
    place = root / "campaigns" if to == "root" else tmp_path / to

    refused = run("export", thing, "--to", str(place))

    assert refused.exit_code == code
    assert told in " ".join(refused.stderr.split())


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the realm's root."""
    memory = Path("/dev/shm")  # noqa: S108
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip(f"{memory} is no second file system here")
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


def test_best_and_final_get_a_copy_on_another_disk_and_a_lost_copy_is_made_again(
    run, resting, pass_time, other_disk: Path
) -> None:
    resting({"specs/retention.yaml": f"copies: {{to: [{other_disk}]}}\n"}, (100, 200))
    assert run("apply", "--until-converged").exit_code == 0
    copies = other_disk / "pip/campaign-001"
    assert [path.name for path in copies.iterdir()] == [
        "checkpoint-200"
    ]  # no held-out loss: only the final one

    shutil.rmtree(copies)
    pass_time(5)
    run("scrub", "--all")
    assert "damaged: " in " ".join(run("apply", "--until-converged").stdout.split())

    assert [path.name for path in copies.iterdir()] == ["checkpoint-200"]
    assert "\nNothing to do" in run("plan").stdout


def test_a_copy_on_the_disk_of_the_root_is_refused_by_name(run, resting, tmp_path: Path) -> None:
    resting({"specs/retention.yaml": f"copies: {{to: [{tmp_path}]}}\n"}, (100,))

    run("apply", "--once")

    plan = " ".join(run("plan").stdout.split())
    assert "is on the same file system as the root" in plan
    assert "what takes one takes the other" in plan


def test_a_clean_up_with_an_export_copies_first_and_then_asks(
    run, resting, lab: Path, git, tmp_path: Path
) -> None:
    resting({}, (100, 200))
    to = tmp_path / "cold"
    to.mkdir()
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text(f"{spec.read_text()}state: archived\nkeep: metrics\nexport_to: {to}\n")
    git(lab, "commit", "-qam", "to the cold store")

    assert run("apply", "--until-converged").exit_code == 3  # it waits for the approval
    assert len(list((to / "pip/campaign-001").glob("checkpoint-*"))) == 2
    digest = json.loads(run("plan", "--json").stdout)["awaiting"]["digest"].removeprefix("sha256:")[:12]
    run("approve", digest)
    assert run("apply", "--until-converged").exit_code == 0

    states = {item["state"] for item in json.loads(run("get", "checkpoints", "--json").stdout)["items"]}
    assert states == {"trashed"}


def test_what_waits_to_be_made_whole_again_is_told_once_and_leaves_its_campaign_ill(
    run, resting, tmp_path: Path
) -> None:
    checkpoints = resting({}, (100, 200))
    (tmp_path / "usb").mkdir()
    run("export", "pip/campaign-001@100", "--to", str(tmp_path / "usb"))
    assert run("apply", "--until-converged").exit_code == 0
    (checkpoints / "checkpoint-100").rename(tmp_path / "moved")
    (checkpoints / "checkpoint-100").symlink_to(tmp_path / "usb")

    blocked = json.loads(run("plan", "--json").stdout)["blocked"]
    told = [one["code"] for one in blocked if one["subject"] == "checkpoint/pip/campaign-001@100"]
    assert told == ["mend-in-the-way"]
    campaigns = json.loads(run("status", "--json").stdout)["campaigns"]
    (pip,) = (one for one in campaigns if one["is_active"])
    assert (pip["healthy"]["state"], pip["healthy"]["reason"]) == ("degraded", "mend-in-the-way")
