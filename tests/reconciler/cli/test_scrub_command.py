"""`scrub` through the real command: what the disk damaged is found, named, set aside, and holds deletions."""

import json
from pathlib import Path

import pytest

from state.amounts import size

RULES = "campaigns: {active: {keep_checkpoints: 2}}\nminimum_age: 1s\n"


@pytest.fixture
def realm(resting, pass_time) -> Path:
    folder = resting({}, (100, 200, 300))
    pass_time(60)
    return folder


def size_of_all(run) -> str:
    """Return what the checkpoints take, as people read it."""
    items = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    return size(sum(item["size_bytes"] for item in items))


def test_a_scrub_dates_what_is_right_and_every_view_shows_it(run, realm: Path) -> None:
    assert "Asked to read checkpoints not read for a week again" in run("scrub").stdout
    plan = " ".join(run("plan").stdout.split())
    assert f"~ scrub 3 checkpoints {size_of_all(run)} read again" in plan

    done = run("apply", "--until-converged")

    assert done.exit_code == 0, done.stdout + done.stderr
    assert "3 checkpoints, 21 B read" in " ".join(done.stdout.split())
    items = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    assert [item["verified_at"] is not None for item in items] == [True, True, True]
    assert "read again" in run("explain", "checkpoint/pip/campaign-001@100").stdout
    assert "3 of 3 checkpoints, the oldest on" in " ".join(run("status").stdout.split())
    assert json.loads(run("status", "--json").stdout)["scrub"]["num_verified"] == 3
    assert "\nNothing to do" in run("plan").stdout


def test_damage_that_a_scrub_finds_is_named_set_aside_and_holds_deletions(
    run, realm: Path, lab: Path, git
) -> None:
    weights = realm / "checkpoint-100" / "model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(b"weighty")
    run("scrub", "pip/campaign-001@100")

    done = run("apply", "--until-converged")

    told = " ".join(done.stdout.split())
    assert "damaged: pip/campaign-001@100" in told
    assert not (realm / "checkpoint-100").exists()
    assert len(list(realm.glob(".damaged-100-*"))) == 1
    (lab / "specs/retention.yaml").write_text(RULES)
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "rules")
    plan = " ".join(run("plan").stdout.split())
    assert "pip/campaign-001@100 is missing or damaged" in plan
    assert "- drop" not in plan
    assert "1 damaged" in " ".join(run("status").stdout.split())


def test_a_scrub_by_the_rules_goes_on_by_itself_and_nobody_waits_for_it(
    run, realm: Path, lab: Path, git, pass_time
) -> None:
    (lab / "specs/retention.yaml").write_text("scrub: {every: 1d, rate: 200MB/s}\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "a scrub a day")
    told = f"~ scrub 3 checkpoints {size_of_all(run)} read again at 200 MB/s; last read more than 1d ago"
    assert told in " ".join(run("plan").stdout.split())

    assert run("apply", "--until-converged").exit_code == 0

    assert json.loads(run("status", "--json").stdout)["scrub"]["num_verified"] == 3
    assert "\nNothing to do" in run("plan").stdout
    pass_time(2 * 86400)
    assert told in " ".join(run("plan").stdout.split())


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["pip/campaign-009"], 5, 'there is no checkpoint or campaign "pip/campaign-009"'),
        (["--rate", "fast"], 64, '"fast" is no rate; expected an amount a second such as 50MB/s or 1GB/s'),
    ],
)
def test_what_cannot_be_read_again_is_refused(
    run, realm: Path, words: list[str], code: int, told: str
) -> None:
    refused = run("scrub", *words)
    assert refused.exit_code == code
    assert told in refused.stderr
