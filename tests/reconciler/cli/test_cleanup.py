"""Clean-up from the command line: it waits for an approval, is done once, and comes back until the purge."""

import json
from pathlib import Path

import pytest
from cleanup_words import NAME, SPEC, approve, campaigns, changes, plain, say, there


@pytest.fixture
def realm(resting) -> Path:
    """A realm without an active campaign, whose campaign has two recorded checkpoints; its folder."""
    return resting({"specs/realm.yaml": "id: lab\n"}, (100, 200)).parent


@pytest.fixture
def archived(root: Path) -> Path:
    return root / "campaigns/archive/pip/campaign-001-archived"


def test_metrics_are_kept_and_every_checkpoint_goes_after_an_approval(
    run, realm: Path, archived: Path, lab: Path, git
) -> None:
    say(lab, git, "state: archived", "keep: metrics")
    assert run("apply", "--until-converged").exit_code == 3
    assert there(archived) == ["checkpoint-100", "checkpoint-200"]

    approve(run)
    assert run("apply", "--until-converged").exit_code == 0

    assert there(archived) == []
    assert json.loads((archived / "archive_summary.json").read_text())["final_checkpoint"]["step"] == 200
    items = json.loads(run("get", "checkpoints", "--json").stdout)["items"]
    assert [item["step"] for item in items] == [100, 200]
    saga = [json.loads(line) for line in (archived / "saga.jsonl").read_text().splitlines()]
    assert [line["event"] for line in saga[-3:]] == ["approved", "dropped", "dropped"]
    assert "archived" in [line["event"] for line in saga]
    assert (saga[-3]["why"], saga[-1]["why"]) == ("the disk is full", "its spec says keep: metrics")
    assert changes(run) == []
    (legend,) = json.loads(run("get", "legends", "--json").stdout)["items"]
    assert (legend["num_checkpoints"], legend["num_in_trash"], legend["trash_bytes"] > 0) == (0, 2, True)
    assert "0 (0 B), 2 in the trash (" in " ".join(run("get", "legends").stdout.split())


def test_a_checkpoint_taken_back_after_a_clean_up_stays(
    run, realm: Path, archived: Path, lab: Path, git
) -> None:
    say(lab, git, "state: archived", "keep: metrics")
    run("apply", "--until-converged")
    approve(run)
    run("apply", "--until-converged")

    assert run("undelete", f"{NAME}@100").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0

    assert there(archived) == ["checkpoint-100"]
    assert changes(run) == []
    assert "keep: metrics leaves pip/campaign-001@100, which a person took back" in plain(run("plan").stdout)


def test_a_clean_up_that_is_written_anew_takes_what_a_person_took_back_before(
    run, realm: Path, archived: Path, lab: Path, git
) -> None:
    say(lab, git, "state: archived", "keep: metrics")
    run("apply", "--until-converged")
    approve(run)
    run("apply", "--until-converged")
    run("undelete", f"{NAME}@100")
    run("apply", "--until-converged")

    say(lab, git, "state: archived")
    assert run("apply", "--until-converged").exit_code == 0
    say(lab, git, "state: archived", "keep: metrics")
    assert run("apply", "--until-converged").exit_code == 3
    assert f"for approval drop {NAME}@100: its spec says keep: metrics" in plain(run("explain", NAME).stdout)
    approve(run)
    assert run("apply", "--until-converged").exit_code == 0

    assert there(archived) == []


def test_restore_takes_both_lines_out(run, realm: Path, lab: Path, git) -> None:
    say(lab, git, "state: archived", "keep: metrics")
    assert run("restore", NAME).exit_code == 0
    assert (lab / SPEC).read_text() == "id: campaign-001\n"


def test_a_campaign_restored_after_a_clean_up_says_what_takes_its_checkpoints_back_and_how_far_it_was(
    run, realm: Path, lab: Path, git
) -> None:
    say(lab, git, "state: archived", "keep: metrics")
    run("apply", "--until-converged")
    approve(run)
    run("apply", "--until-converged")

    assert "deleted for good in" in plain(run("explain", f"{NAME}@200").stdout)
    told = plain(run("restore", NAME).stderr)
    assert "2 checkpoints of it lie in the trash." in told
    assert f"reconcile undelete {NAME}@200" in told
    run("apply", "--until-converged")
    assert {one["id"]: one["step"] for one in campaigns(run)}[NAME] == 200

    held = plain(run("explain", f"{NAME}@200").stdout)
    assert "deleted for good not while nothing asks for it to go" in held
    assert "nothing is in its way" in held
    assert "deleted for good in" not in held


def test_restore_says_nothing_of_the_trash_where_nothing_of_the_campaign_lies_there(
    run, realm: Path, lab: Path, git
) -> None:
    say(lab, git, "state: archived")
    assert run("apply", "--until-converged").exit_code == 0
    assert "trash" not in run("restore", NAME).stderr


def test_a_new_campaign_that_is_archived_at_once_lies_in_the_archive_after_one_apply_as_planned(
    run, realm: Path, root: Path, lab: Path, git
) -> None:
    """Its starting checkpoint, which the plan names, is not taken over."""
    (lab / "specs/campaigns/pip/second.yaml").write_text(
        f"id: second\nstarting_checkpoint: {NAME}@100\nstate: archived\n"
    )
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "another, archived at once")
    planned = [one for one in changes(run) if one["subject"] == "campaign/pip/second"]
    assert [one["verb"] for one in planned] == ["create", "archive"]
    assert f"{NAME}@100 is not taken over, unless it is restored" in plain(run("plan").stdout)

    assert run("apply", "--once").exit_code == 0

    assert there(root / "campaigns/archive/pip/second-archived") == []
    assert not (root / "campaigns/pip/second").exists()
    assert changes(run) == []


@pytest.mark.parametrize(("there_again", "goes_on"), [(200, True), (100, False)])
def test_restore_says_to_take_back_the_newest_only_where_none_as_late_is_there(
    run, realm: Path, lab: Path, git, *, there_again: int, goes_on: bool
) -> None:
    say(lab, git, "state: archived", "keep: metrics")
    run("apply", "--until-converged")
    approve(run)
    run("apply", "--until-converged")
    run("undelete", f"{NAME}@{there_again}")
    run("apply", "--until-converged")

    told = plain(run("restore", NAME).stderr)

    assert (
        "1 checkpoint of it lies in the trash; once it is restored, it goes on from @200" in told
    ) == goes_on
    assert ("To go on from the newest of them, once it is restored: " in told) != goes_on
    assert f"reconcile undelete {NAME}@{300 - there_again}" in told
