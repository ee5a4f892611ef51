"""Clean-up from the command line: it waits for an approval, is done once, and comes back until the purge."""

import json
from pathlib import Path

import pytest

NAME = "pip/campaign-001"
SPEC = "specs/campaigns/pip/campaign-001.yaml"


@pytest.fixture
def realm(resting) -> Path:
    """A realm without an active campaign, whose campaign has two recorded checkpoints; its folder."""
    return resting({"specs/realm.yaml": "id: lab\n"}, (100, 200)).parent


def say(lab: Path, git, *lines: str) -> None:
    """Commit a campaign's spec with these lines."""
    (lab / SPEC).write_text("\n".join(["id: campaign-001", *lines, ""]))
    git(lab, "commit", "-qam", "another word about it")


def approve(run) -> None:
    digest = json.loads(run("plan", "--json").stdout)["awaiting"]["digest"]
    assert run("approve", digest, "--why", "the disk is full").exit_code == 0


def plain(text: str) -> str:
    return " ".join(text.split())


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoints/checkpoint-*"))


def changes(run) -> list[object]:
    return json.loads(run("plan", "--json").stdout)["changes"]


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


def campaigns(run) -> list[dict[str, object]]:
    return json.loads(run("get", "campaigns", "--json").stdout)["items"]


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
