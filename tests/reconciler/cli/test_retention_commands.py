"""Retention through the real command: what rolls out goes to the trash, and `undelete` takes it back."""

import json
from pathlib import Path

import pytest

from reconciler.app.looking.get import KINDS
from state.amounts import size

RULES = "campaigns: {active: {keep_checkpoints: 2}}\npins: [pip/campaign-001@100]\nminimum_age: 1s\n"


@pytest.fixture
def realm(resting, pass_time) -> Path:
    """A realm with five recorded checkpoints and rules that keep two of them, and a pinned one."""
    folder = resting({"specs/retention.yaml": RULES}, (100, 200, 300, 400, 1000))
    pass_time(3)  # the minimum age, in whole seconds
    return folder


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("checkpoint-*"))


def test_what_rolls_out_is_planned_dropped_and_taken_back(run, realm: Path, root: Path) -> None:
    """Kills: deleting step 100 matched 1000 and 10000; a window that deleted the newest."""
    plan = run("plan").stdout
    assert "checkpoint pip/campaign-001@200" in plan
    assert "rolled out of the last 2" in plan
    changes = json.loads(run("plan", "--json").stdout)["changes"]
    dropped = [change["thing"] for change in changes if change["verb"] == "drop"]
    assert dropped == ["checkpoint pip/campaign-001@200", "checkpoint pip/campaign-001@300"]

    done = run("apply", "--until-converged")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "\nStill to come while apply runs: deleted for good: 2 in the trash" in done.stdout
    assert "\nStill to come while apply runs: deleted for good: 2 in the trash" in run("plan").stdout
    assert "deleted for good: 2 in the trash" in " ".join(run("status").stdout.split())
    assert "; still to come: deleted for good: 2 in" in run("wait", "realm", "--for", "applied").stdout
    assert there(realm) == ["checkpoint-100", "checkpoint-1000", "checkpoint-400"]
    assert len([path for path in (root / "trash").iterdir() if path.is_dir()]) == 2

    assert "Asked to take pip/campaign-001@300 back" in run("undelete", "pip/campaign-001@300").stdout
    assert run("apply", "--until-converged").exit_code == 0
    assert there(realm) == ["checkpoint-100", "checkpoint-1000", "checkpoint-300", "checkpoint-400"]
    assert "\nNothing to do" in run("plan").stdout


def test_a_plan_says_what_is_kept_now_and_at_the_goal_and_what_becomes_free(
    run, realm: Path, lab: Path, git
) -> None:
    spec = lab / "specs/campaigns/pip/campaign-001.yaml"
    spec.write_text(spec.read_text().replace("2000", "5000"))
    git(lab, "commit", "-qam", "a goal")
    plan = run("plan").stdout
    told = " ".join(plan.split())
    assert max(len(line) for line in plan.splitlines()[1:] if "reconcile apply" not in line) <= 80
    document = json.loads(run("plan", "--json").stdout)
    [kept] = [one for one in document["retention"] if one["campaign"] == "pip/campaign-001"]
    assert (kept["num_kept"], kept["num_dropped"], kept["at_goal"]["num_kept"]) == (3, 2, 3)
    now = f"3 of 5 checkpoints now ({size(kept['kept_bytes'])})"
    assert f"Kept of pip/campaign-001: {now}; at its goal of 5,000 updates 3 of 13" in told
    assert document["cost"]["frees_later_bytes"] == kept["dropped_bytes"] > 0
    assert f"Cost: frees {size(kept['dropped_bytes'])} after 1 h in the trash." in told


def test_what_the_rules_would_keep_again_is_told_as_held_everywhere(run, realm: Path, lab: Path, git) -> None:
    assert run("apply", "--until-converged").exit_code == 0
    before = json.loads(run("get", "trash", "--json").stdout)["items"]
    (lab / "specs/retention.yaml").write_text(RULES.replace("keep_checkpoints: 2", "keep_checkpoints: 9"))
    git(lab, "commit", "-qam", "keep more")
    after = json.loads(run("get", "trash", "--json").stdout)["items"]
    assert [one["is_held"] for one in before + after] == [False, False, True, True]
    assert "2 checkpoints, 2 kB, held" in " ".join(run("status").stdout.split())
    assert "where it stays" in " ".join(run("plan").stdout.split())


def test_a_lost_checkpoint_holds_back_every_drop(run, realm: Path) -> None:
    (realm / "checkpoint-400" / "model.safetensors").unlink()
    plan = run("plan").stdout
    assert "nothing of it is dropped" in plan
    assert "drop  " not in plan


def test_undelete_of_what_is_not_in_the_trash_exits_5(run, realm: Path) -> None:
    result = run("undelete", "pip/campaign-001@7")
    assert result.exit_code == 5
    assert 'there is no checkpoint in the trash "pip/campaign-001@7"' in result.stderr


@pytest.mark.parametrize("name", ["pip/campaign-001@300", "pip/campaign-001"])
@pytest.mark.usefixtures("realm")
def test_undelete_of_what_was_never_dropped_says_that_it_is_not_in_the_trash(run, name: str) -> None:
    result = run("undelete", name)
    assert result.exit_code == 5
    assert (
        f"{name} is not in the trash: nothing has dropped it, so there is nothing to take back"
        in " ".join(result.stderr.split())
    )
    assert "did you mean" not in result.stderr


def test_undelete_of_no_checkpoint_exits_64(run) -> None:
    result = run("undelete", "pip@7")
    assert result.exit_code == 64
    assert '"pip@7" is no checkpoint and no campaign; expected <hero>/<campaign>@<step> or' in result.stderr


def test_the_trash_is_listed_counted_and_looked_into(run, realm: Path, root: Path) -> None:
    assert run("get", "trash").stdout == "the trash is empty\n"
    assert run("apply", "--until-converged").exit_code == 0
    listed = run("get", "trash").stdout
    assert "pip/campaign-001@200  trashed" in listed
    assert "rolled out of the last 2" in listed
    items = json.loads(run("get", "trash", "pip/campaign-001", "--json").stdout)["items"]
    assert [item["id"] for item in items] == ["pip/campaign-001@200", "pip/campaign-001@300"]
    assert all(3500 < item["left_seconds"] <= 3600 for item in items)
    assert "trash       2 checkpoints, " in run("status").stdout
    assert json.loads(run("status", "--json").stdout)["trash"]["num_checkpoints"] == 2
    assert "2 checkpoints, " in next(
        line for line in run("doctor").stdout.splitlines() if " trash " in f" {line} "
    )


def test_what_is_not_ours_in_the_trash_is_shown_and_stays(run, realm: Path, root: Path) -> None:
    assert run("apply", "--until-converged").exit_code == 0
    (root / "trash/thesis").mkdir()
    (root / "trash/thesis/only-copy.txt").write_text("mine")
    assert "thesis" in run("get", "trash").stdout
    assert "no tombstone names it: it is never deleted" in run("get", "trash", "--wide").stdout
    assert "1 not ours, never deleted" in " ".join(run("status").stdout.split())
    assert "1 thing not ours, such as" in " ".join(run("doctor").stdout.split())
    for _ in range(3):
        assert run("apply", "--once").exit_code == 0
    assert (root / "trash/thesis/only-copy.txt").read_text() == "mine"


def test_a_tombstone_that_somebody_deleted_is_written_again(run, realm: Path, root: Path) -> None:
    assert run("apply", "--until-converged").exit_code == 0
    stones = {path: path.read_bytes() for path in (root / "trash").glob("*.json")}
    for path in stones:
        path.unlink()
    plan = run("plan").stdout
    assert "tombstone of checkpoint pip/campaign-001@200" in plan
    assert run("apply", "--until-converged").exit_code == 0
    assert {path: path.read_bytes() for path in (root / "trash").glob("*.json")} == stones
    assert "\nNothing to do" in run("plan").stdout


def test_one_that_was_taken_out_of_the_trash_is_named(run, realm: Path, root: Path) -> None:
    import shutil

    assert run("apply", "--until-converged").exit_code == 0
    [folder] = (root / "trash").glob("*-checkpoint-300/")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o700)
    shutil.rmtree(folder)
    assert "vanished" in run("get", "trash").stdout
    assert "pip/campaign-001@300 is not there any more" in " ".join(run("doctor").stdout.split())


def test_one_whose_place_in_the_trash_a_link_has_is_told_once_and_nothing_is_deleted(
    run, realm: Path, root: Path, tmp_path: Path
) -> None:
    assert run("apply", "--until-converged").exit_code == 0
    [folder] = (root / "trash").glob("*-checkpoint-300/")
    folder.rename(tmp_path / "aside")
    folder.symlink_to(tmp_path / "aside")

    items = json.loads(run("get", "trash", "--json").stdout)["items"]

    told = [item for item in items if folder.name in item["path"]]
    assert [(item["state"], item["reason"]) for item in told] == [
        ("vanished", "somebody put something else in its place")
    ]
    codes = [one["code"] for one in json.loads(run("plan", "--json").stdout)["blocked"]]
    assert codes == ["replaced-in-the-trash"]
    assert (tmp_path / "aside/model.safetensors").exists()


def test_a_pin_is_kept_with_its_checkpoint_and_outlives_its_line(
    run, realm: Path, lab: Path, git, root: Path
) -> None:
    """Kills: a protection that vanished with the line of a YAML file; `plan` said nothing, and the weights were gone."""
    assert run("apply", "--until-converged").exit_code == 0
    sidecar = json.loads((realm / "checkpoint-100" / ".ledger.json").read_bytes())
    assert (sidecar["pinned"], sidecar["tags"]) == (True, [])
    assert "\nNothing to do" in run("plan").stdout

    (lab / "specs/retention.yaml").write_text(RULES.replace("pins: [pip/campaign-001@100]\n", ""))
    git(lab, "commit", "-qam", "lost a line")
    done = run("apply", "--until-converged")
    assert (done.exit_code, there(realm)) == (3, ["checkpoint-100", "checkpoint-1000", "checkpoint-400"])
    assert "no longer pinned" in " ".join(done.stdout.split())

    digest = json.loads(run("plan", "--json").stdout)["awaiting"]["digest"]
    assert run("approve", digest).exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    assert there(realm) == ["checkpoint-1000", "checkpoint-400"]
    [gone] = [
        item
        for item in json.loads(run("get", "trash", "--json").stdout)["items"]
        if item["id"].endswith("@100")
    ]
    assert (gone["kind"], gone["left_seconds"] > 71 * 3600) == ("asked", True)


def test_the_trash_lists_what_goes_at_the_same_time_by_step(run, store, rows) -> None:
    store.write([rows.trash(sequence=number, step=step) for number, step in ((1, 1000), (2, 500), (3, 90))])
    items = json.loads(run("get", "trash", "--json").stdout)["items"]
    assert [item["id"].partition("@")[2] for item in items] == ["90", "500", "1000"]


def test_the_help_of_get_names_every_kind(run) -> None:
    told = run("get", "--help").stdout
    assert [
        kind for kind in KINDS if f" {kind}" not in told.partition("Kinds:")[2].partition("ID is")[0]
    ] == []


def test_optimizer_state_in_the_trash_is_told_apart_from_checkpoints(run, store, rows) -> None:
    store.write([
        rows.trash(sequence=1, step=10), rows.trash(sequence=2, step=10, keeps="blake3:weights", path="trash/b"),
    ])  # fmt: skip

    listed = run("get", "trash").stdout
    assert listed.count("optimizer state of pip/campaign-001@10") == 1
    assert listed.count("pip/campaign-001@10") == 2
    assert "1 checkpoint, 1 optimizer state, 2 kB" in " ".join(run("status").stdout.split())
    told = json.loads(run("status", "--json").stdout)["trash"]
    assert (told["num_checkpoints"], told["num_optimizer_states"]) == (1, 1)
