"""Campaigns deleted whole from the command line: after an approval, and taken back until the purge."""

import json
from pathlib import Path

import pytest
from cleanup_words import NAME, SPEC, approve, campaigns, changes, plain, say, there


@pytest.fixture
def realm(resting) -> Path:
    """A realm without an active campaign, whose campaign has two recorded checkpoints; its folder."""
    return resting({"specs/realm.yaml": "id: lab\n"}, (100, 200)).parent


def test_a_campaign_is_deleted_whole_after_an_approval_and_comes_back(
    run, realm: Path, lab: Path, git, root: Path
) -> None:
    before = sorted(str(path.relative_to(realm)) for path in realm.rglob("*"))
    say(lab, git, "state: deleted")
    assert run("apply", "--until-converged").exit_code == 3
    assert there(realm) == ["checkpoint-100", "checkpoint-200"]
    assert "all of it (2 checkpoints, 2 kB) would be deleted" in " ".join(run("plan").stdout.split())

    approve(run)
    assert run("apply", "--until-converged").exit_code == 0
    assert not realm.exists()
    (state,) = (one["state"] for one in campaigns(run) if one["id"] == NAME)
    assert state == "deleted"
    assert [item["id"] for item in json.loads(run("get", "trash", "--json").stdout)["items"]] == [NAME]
    assert changes(run) == []

    assert run("undelete", NAME).exit_code == 0
    done = run("apply", "--until-converged")
    assert done.exit_code == 0
    assert changes(run) == []
    assert "state: deleted counts no more: a person took pip/campaign-001 back" in plain(run("plan").stdout)
    assert "overruled: you took it back; the spec still says state: deleted" in plain(run("status").stdout)
    assert {one["id"]: one["synced"] for one in campaigns(run)}[NAME] == "out of sync"
    assert set(before) <= {str(path.relative_to(realm)) for path in realm.rglob("*")}
    say(lab, git)
    assert run("apply", "--until-converged").exit_code == 0
    assert changes(run) == []
    assert {one["id"]: one["synced"] for one in campaigns(run)}[NAME] == "synced"


@pytest.fixture
def deleted(run, realm: Path, lab: Path, git) -> Path:
    """A campaign that was deleted whole after an approval: where its folder was."""
    say(lab, git, "state: deleted")
    run("apply", "--until-converged")
    approve(run)
    assert run("apply", "--until-converged").exit_code == 0
    assert not realm.exists()
    return realm


def test_a_deleted_campaign_that_its_spec_wants_again_comes_back_and_goes_only_by_another_approval(
    run, deleted: Path, lab: Path, git, pass_time
) -> None:
    say(lab, git)
    assert "its spec wants it" in plain(run("plan").stdout)
    assert run("apply", "--until-converged").exit_code == 0
    assert there(deleted) == ["checkpoint-100", "checkpoint-200"]
    assert changes(run) == []

    for _ in range(4):
        pass_time(20 * 3600)
        run("apply", "--once")
    say(lab, git, "state: deleted")
    assert run("apply", "--until-converged").exit_code == 3
    assert there(deleted) == ["checkpoint-100", "checkpoint-200"]

    git(lab, "rm", "-q", SPEC)
    git(lab, "commit", "-qm", "an orphan")
    for _ in range(4):
        pass_time(20 * 3600)
        run("apply", "--once")
    assert there(deleted) == ["checkpoint-100", "checkpoint-200"]


def test_a_deleted_campaign_that_was_wanted_and_could_not_come_back_is_not_purged_once_its_spec_is_gone(
    run, deleted: Path, lab: Path, git, pass_time, root: Path
) -> None:
    deleted.mkdir()
    say(lab, git)
    assert "call off deletion of campaign pip/campaign-001" in plain(run("plan").stdout)
    run("apply", "--once")
    git(lab, "rm", "-q", SPEC)
    git(lab, "commit", "-qm", "an orphan")
    for _ in range(5):
        pass_time(20 * 3600)
        run("apply", "--once")
    assert "its spec wanted it since, so it stays in the trash" in plain(run("plan").stdout)
    (item,) = json.loads(run("get", "trash", "--json").stdout)["items"]
    assert (item["id"], item["is_held"]) == (NAME, True)

    assert run("doctor", "--rebuild").exit_code == 0
    deleted.rmdir()
    assert run("apply", "--until-converged").exit_code == 0
    assert there(deleted) == ["checkpoint-100", "checkpoint-200"]
    assert changes(run) == []


def test_a_deleted_campaign_whose_spec_is_moved_is_not_begun_anew_and_goes_on_once_it_is_taken_back(
    run, deleted: Path, lab: Path, git, pass_time, root: Path
) -> None:
    git(lab, "mv", SPEC, SPEC.replace("001", "009"))
    (lab / SPEC.replace("001", "009")).write_text("id: campaign-009\nwas: pip/campaign-001\n")
    git(lab, "commit", "-qam", "another name")
    assert "its spec says was: pip/campaign-001, which is deleted" in plain(run("plan").stdout)
    for _ in range(4):
        pass_time(20 * 3600)
        run("apply", "--once")
    assert not (root / "campaigns/pip/campaign-009").exists()

    assert run("undelete", NAME).exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert there(deleted) == ["checkpoint-100", "checkpoint-200"]
    assert "pip/campaign-009" in {one["id"] for one in campaigns(run)}


def test_a_deleted_campaign_in_the_trash_is_told_as_a_campaign(
    run, realm: Path, lab: Path, git, root: Path
) -> None:
    say(lab, git, "state: deleted")
    run("apply", "--until-converged")
    approve(run)
    assert "after 3 d in the trash" in run("plan").stdout
    run("apply", "--until-converged")

    (item,) = json.loads(run("get", "trash", "--json").stdout)["items"]
    assert (item["id"], item["thing"], item["state"]) == (NAME, "campaign", "trashed")
    assert f"{NAME} (whole)" in run("get", "trash").stdout
    told = json.loads(run("status", "--json").stdout)["trash"]
    assert (told["num_campaigns"], told["num_checkpoints"], told["num_foreign"]) == (1, 0, 0)
    assert "trash       1 campaign, " in run("status").stdout
    (checked,) = (line for line in run("doctor").stdout.splitlines() if " trash " in f" {line} ")
    assert "1 campaign, " in checked
    assert "checkpoint" not in checked
    assert "not ours" not in checked


def test_the_number_of_a_deleted_campaign_is_never_used_again(run, realm: Path, lab: Path, git) -> None:
    say(lab, git, "state: deleted")
    run("apply", "--until-converged")
    approve(run)
    run("apply", "--until-converged")
    git(lab, "rm", "-q", SPEC)
    git(lab, "commit", "-qm", "forgotten")
    assert run("apply", "--until-converged").exit_code == 0
    assert "has no spec any more; everything of it stays" not in run("plan").stdout

    assert "pip/campaign-002" in run("new", "campaign", "pip").stdout


def test_what_is_neither_checkpoint_nor_campaign_is_not_taken_back(run, store) -> None:
    refused = run("undelete", "pip")
    assert refused.exit_code == 64
    assert '"pip" is no checkpoint and no campaign; expected <hero>/<campaign>@<step> or' in refused.stderr
    missing = run("undelete", "pip/campaign-009")
    assert (missing.exit_code, "campaign in the trash" in missing.stderr) == (5, True)


def test_a_campaign_with_a_persons_files_is_named_and_waits_for_no_approval(
    run, realm: Path, lab: Path, git
) -> None:
    mine = [realm / name for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt", "g.txt")]
    for path in mine:
        path.write_text("mine")
    say(lab, git, "state: deleted")

    run("apply", "--until-converged")
    plan = json.loads(run("plan", "--json").stdout)

    (blocked,) = plan["blocked"]
    assert (blocked["code"], plan["awaiting"]) == ("not-ours", None)
    where = "campaigns/pip/campaign-001 holds what is not ours"
    assert blocked["message"] == (f"it is not deleted: {where}: a.txt, b.txt, c.txt, d.txt, e.txt and 2 more")
    for path in mine:
        path.unlink()
    assert json.loads(run("plan", "--json").stdout)["awaiting"]["checkpoints"]


RULES = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\n"


@pytest.fixture
def rolled(resting, pass_time, run) -> Path:
    """A realm whose campaign has one checkpoint in the trash, rolled out, and two that lie there; its folder."""
    folder = resting({"specs/realm.yaml": "id: lab\n", "specs/retention.yaml": RULES}, (100, 200)).parent
    pass_time(3)
    assert run("apply", "--until-converged").exit_code == 0
    assert there(folder) == ["checkpoint-200"]
    return folder


def test_what_rolled_out_before_its_campaign_was_deleted_goes_when_its_own_hour_is_over(
    run, rolled: Path, lab: Path, git, pass_time
) -> None:
    say(lab, git, "state: deleted")
    run("apply", "--until-converged")
    approve(run)
    done = run("apply", "--until-converged")

    assert (done.exit_code, "blocked" in done.stdout) == (0, False), done.stdout
    still = json.loads(run("status", "--json").stdout)["to_come"]
    assert (still["num_purges"], still["purge_in_seconds"] <= 3600.0) == (2, True)
    way_back = f"to take back reconcile undelete {NAME}, and then reconcile undelete {NAME}@100"
    assert way_back in plain(run("explain", f"{NAME}@100").stdout)
    pass_time(3700)
    assert run("apply", "--until-converged").exit_code == 0
    items = json.loads(run("get", "trash", "--json").stdout)["items"]
    assert [item["id"] for item in items] == [NAME]


def test_a_checkpoint_of_a_deleted_campaign_is_not_asked_back_before_its_campaign(
    run, rolled: Path, lab: Path, git
) -> None:
    say(lab, git, "state: deleted")
    run("apply", "--until-converged")
    approve(run)
    run("apply", "--until-converged")

    refused = run("undelete", f"{NAME}@100")

    assert refused.exit_code == 3
    assert f"{NAME} is deleted, its checkpoints with it; first: reconcile undelete {NAME}" in refused.stderr
    assert changes(run) == []
    assert run("undelete", NAME).exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert run("undelete", f"{NAME}@100").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert there(rolled) == ["checkpoint-100", "checkpoint-200"]
