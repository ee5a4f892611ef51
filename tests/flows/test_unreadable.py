"""What cannot be read is named and left alone; everything else of the realm goes on."""

import subprocess
import sys

import pytest
from lab import Lab, found_realm, rows
from weak_root import weak_command

ONE = "one/campaign-001"


def weak_apply(lab: Lab) -> "subprocess.CompletedProcess[str]":
    """Apply as somebody whom the modes of files bind."""
    command = weak_command(sys.executable, "-m", "reconciler.cli", "apply", "--until-converged")
    environment = lab.environment()
    return subprocess.run(
        command, cwd=lab.repository, env=environment, capture_output=True, text=True, timeout=90, check=False
    )


@pytest.mark.parametrize(
    ("place", "named"),
    [
        pytest.param(
            "inbox",
            "blocked inbox: inbox cannot be read: Permission denied",
            marks=pytest.mark.long,
            id="inbox",
        ),
        pytest.param(
            "campaigns/two",
            "blocked root: campaigns/two cannot be read: Permission denied",
            id="campaign",
        ),
    ],
)
def test_training_goes_on_beside_a_folder_that_cannot_be_read_and_nothing_is_deleted(
    place: str, named: str, the_lab: Lab
) -> None:
    found_realm(the_lab, ["one", "two"], ONE, [])
    the_lab.converge()
    the_lab.write("data/a.jsonl", rows(range(4)))
    the_lab.spec("queue", quests=[{"id": "a", "file": "data/a.jsonl"}])
    the_lab.commit("a quest for one")
    folder = the_lab.layout.root / place
    before = sorted(folder.rglob("*"))
    folder.chmod(0)

    try:
        done = weak_apply(the_lab)
    finally:
        folder.chmod(0o700)

    assert done.returncode == 3, done.stdout + done.stderr
    assert named in done.stdout, done.stdout
    assert [(job.quest_id, job.status) for job in the_lab.store().jobs] == [("a", "completed")]
    assert sorted(folder.rglob("*")) == before
    assert the_lab.plan()["changes"] == []
