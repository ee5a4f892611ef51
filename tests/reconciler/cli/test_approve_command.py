"""The guard, and `approve`: much is destroyed only when a person approved exactly that; and a desired state that
is empty, shrunken, unreadable or gone destroys nothing."""

import json
import shutil
from pathlib import Path

import pytest

REALM = "id: lab\nactive: pip/campaign-001\napply: {approve_above: {checkpoints: 2}}\n"
RULES = "campaigns: {active: {keep_checkpoints: 1}}\nminimum_age: 1s\n"
STEPS = (100, 200, 300, 400, 1000)


@pytest.fixture
def realm(resting) -> Path:
    """A realm with five recorded checkpoints and no rule yet."""
    return resting({"specs/realm.yaml": REALM}, STEPS)


@pytest.fixture
def shrunk(realm: Path, run, lab: Path, git, pass_time) -> Path:
    """The same with rules that keep one of the five, committed, and old enough."""
    (lab / "specs/retention.yaml").write_text(RULES)
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "keep only the newest")
    pass_time(3)  # the minimum age, in whole seconds
    return realm


def there(folder: Path) -> list[int]:
    return sorted(int(path.name.removeprefix("checkpoint-")) for path in folder.glob("checkpoint-*"))


def digest(run) -> str:
    return str(json.loads(run("plan", "--json").stdout)["awaiting"]["digest"])


def test_a_plan_above_a_limit_waits_exits_3_and_says_how_to_approve_it(run, shrunk: Path) -> None:
    plan = run("plan").stdout
    short = digest(run).removeprefix("sha256:")[:12]
    assert "4 checkpoints, @100 to @400, would be dropped" in " ".join(plan.split())
    assert "one plan would destroy 4 checkpoints (limit 2)" in " ".join(plan.split())
    assert f"Approve it:  reconcile approve {short}" in plan
    assert run("apply", "--until-converged").exit_code == 3
    assert there(shrunk) == list(STEPS)


def test_the_plan_as_json_names_each_checkpoint_that_waits(run, shrunk: Path) -> None:
    awaiting = json.loads(run("plan", "--json").stdout)["awaiting"]
    assert [change["thing"] for change in awaiting["changes"]] == [
        f"checkpoint pip/campaign-001@{step}" for step in STEPS[:-1]
    ]
    assert (awaiting["checkpoints"], awaiting["gpu_hours"]) == (4, 0.0)


def test_an_approved_plan_is_done_once_and_recorded_with_who_and_why(run, shrunk: Path) -> None:
    short = digest(run).removeprefix("sha256:")[:12]
    said = run("approve", short, "--why", "the disk is full")
    assert (said.exit_code, said.stdout.startswith("Approved that 4 checkpoints, ")) == (0, True), said.stderr
    assert "No reconciler is running; the next `reconcile apply` handles it." in said.stderr
    assert "approved it: the disk is full" in " ".join(run("plan").stdout.split())
    assert run("apply", "--until-converged").exit_code == 0
    assert there(shrunk) == [1000]
    again = run("approve", short)
    assert (again.exit_code, "nothing waits for an approval at main@" in again.stderr) == (5, True)


def test_an_approval_holds_for_what_is_left_of_it_when_less_is_dropped(
    run, shrunk: Path, lab: Path, git
) -> None:
    run("approve", digest(run))
    (lab / "specs/retention.yaml").write_text(RULES.replace("keep_checkpoints: 1", "keep_checkpoints: 2"))
    git(lab, "commit", "-qam", "keep two")
    done = run("apply", "--until-converged")
    assert (done.exit_code, "3 checkpoints to drop" in done.stdout) == (0, True), done.stderr
    assert there(shrunk) == [400, 1000]


def test_an_approval_lets_nothing_go_that_it_was_not_given_for(run, shrunk: Path, publish, pass_time) -> None:
    """Kills: an approval of a plan that let go whatever the plan was by then."""
    run("approve", digest(run))
    publish(shrunk, 1100, 1200, 1300, 1400)
    assert run("apply", "--once").exit_code == 0
    pass_time(3)
    done = run("apply", "--until-converged")
    assert (done.exit_code, there(shrunk)) == (3, [1000, 1100, 1200, 1300, 1400])
    assert "4 checkpoints, @1000 to @1300, would be dropped" in " ".join(done.stdout.split())


def test_an_approval_of_what_is_dropped_no_longer_is_not_used(run, shrunk: Path, lab: Path, git) -> None:
    run("approve", digest(run))
    (lab / "specs/retention.yaml").write_text(RULES.replace("keep_checkpoints: 1", "keep_checkpoints: 9"))
    git(lab, "commit", "-qam", "keep nine")
    done = run("apply", "--until-converged")
    assert (done.exit_code, "not used: the plan has changed, nothing waits for one" in done.stdout) == (
        0,
        True,
    )
    assert there(shrunk) == list(STEPS)


def test_approving_something_else_is_refused_with_what_waits(run, shrunk: Path) -> None:
    refused = run("approve", "0123456789ab")
    assert refused.exit_code == 3
    assert "waits for an approval of" in refused.stderr
    assert "not of 0123456789ab: it has changed; look at it again: reconcile plan" in refused.stderr


@pytest.mark.parametrize("word", ["yes", "0123456", "sha256:", "0123456789AB"])
def test_what_is_no_digest_is_refused(run, store, word: str) -> None:
    refused = run("approve", word)
    assert refused.exit_code == 64
    assert f'"{word}" is no digest; expected 8 to 64 hex digits, as plan shows them' in refused.stderr


def test_nothing_can_be_approved_before_the_first_apply(run) -> None:
    refused = run("approve", "0123456789ab")
    assert (refused.exit_code, "nothing has been applied yet" in refused.stderr) == (5, True)


def emptied(lab: Path, git) -> None:
    shutil.rmtree(lab / "specs")


def unreadable(lab: Path, git) -> None:
    (lab / "specs/retention.yaml").write_text("campaigns: {active: {keep_checkpoints: [}}\n")


def without_the_campaign(lab: Path, git) -> None:
    (lab / "specs/campaigns/pip/campaign-001.yaml").unlink()
    (lab / "specs/realm.yaml").write_text("id: lab\n")


def without_any_campaign(lab: Path, git) -> None:
    shutil.rmtree(lab / "specs/campaigns")
    shutil.rmtree(lab / "specs/heroes")
    (lab / "specs/realm.yaml").write_text("id: lab\n")


def without_rules(lab: Path, git) -> None:
    (lab / "specs/retention.yaml").unlink()


def with_empty_rules(lab: Path, git) -> None:
    (lab / "specs/retention.yaml").write_text("campaigns: {}\n")


def with_a_conflict(lab: Path, git) -> None:
    (lab / "specs/retention.yaml").write_text("<<<<<<< ours\n" + RULES + "=======\n>>>>>>> theirs\n")


@pytest.mark.parametrize(
    "lose",
    [
        emptied,
        unreadable,
        without_the_campaign,
        without_any_campaign,
        without_rules,
        with_empty_rules,
        with_a_conflict,
    ],
)
def test_a_desired_state_that_lost_something_destroys_nothing(
    run, realm: Path, lab: Path, git, root: Path, lose
) -> None:
    (lab / "specs/retention.yaml").write_text("campaigns: {active: {keep_checkpoints: 40}}\n")
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "keep forty")
    lose(lab, git)
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "lost")
    for _ in range(3):
        run("apply", "--once")
    assert there(realm) == list(STEPS)
    assert not any((root / "trash").glob("*/"))


def test_a_branch_that_is_gone_destroys_nothing(run, shrunk: Path, lab: Path, git, root: Path) -> None:
    git(lab, "switch", "-q", "-c", "other")
    git(lab, "branch", "-q", "-D", "main")
    refused = run("apply", "--once")
    assert (refused.exit_code, "apply follows the branch main, which is not there" in refused.stderr) == (
        5,
        True,
    )
    assert there(shrunk) == list(STEPS)


def test_a_saved_plan_in_which_everything_waits_is_empty_and_says_so_before_and_after(
    run, shrunk: Path, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    saved = run("plan", "--out", str(file)).stderr
    assert f"Saved to {file}: nothing is in it that apply could do; 4 checkpoints, " in saved
    run("approve", digest(run).removeprefix("sha256:"))
    done = " ".join(run("apply", str(file)).stdout.split())
    assert f"Nothing is in {file}: 4 checkpoints, " in done
    assert "waited for an approval when it was saved. Nothing was done." in done
    assert there(shrunk) == list(STEPS)


def test_what_waits_for_an_approval_in_the_base_already_is_none_of_the_branch(
    run, shrunk: Path, lab: Path, git
) -> None:
    git(lab, "switch", "-qc", "side")
    (lab / "specs/realm.yaml").write_text(f"{REALM}name: Another\n")
    git(lab, "commit", "-qam", "A name")
    assert json.loads(run("plan", "side", "--json").stdout)["awaiting"]["checkpoints"] == 4
    assert json.loads(run("plan", "main..side", "--json").stdout)["awaiting"] is None
    shown = run("plan", "main..side", "--format", "markdown").stdout + run("plan", "main..side").stdout
    assert "pproval" not in shown
    assert "reconcile approve" not in shown
    rules = RULES.replace("keep_checkpoints: 1", "keep_checkpoints: 2")
    (lab / "specs/retention.yaml").write_text(rules)
    git(lab, "commit", "-qam", "Other drops")
    assert json.loads(run("plan", "main..side", "--json").stdout)["awaiting"]["checkpoints"] == 3
