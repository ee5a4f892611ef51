"""A local branch that does not go on from what was taken up: followed, but nothing is deleted until it is accepted."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.applying.ticking import Ticker

ALL = "campaigns: {active: {keep_checkpoints: 20}}\nminimum_age: 1s\n"
TWO = "campaigns: {active: {keep_checkpoints: 2}}\nminimum_age: 1s\n"
STEPS = (1, 2, 3, 4, 5, 6)


@pytest.fixture
def commit(lab: Path, git):
    """Write the rules of retention, commit them, and return the commit."""

    def make(rules: str, *amend: str) -> str:
        (lab / "specs/retention.yaml").write_text(rules)
        git(lab, "add", ".")
        git(lab, "commit", "-qm", f"keep {len(rules)}", *amend)
        return git(lab, "rev-parse", "HEAD").strip()

    return make


@pytest.fixture
def moved_back(resting, run, lab: Path, git, commit) -> tuple[str, str]:
    """A branch set back to the commit before the one that was applied; its rules would drop four checkpoints."""
    resting({"specs/retention.yaml": TWO}, ())
    early = git(lab, "rev-parse", "HEAD").strip()
    late = commit(ALL)
    assert run("apply", "--once").exit_code == 0
    git(lab, "reset", "-q", "--hard", early)
    return early, late


@pytest.fixture
def saved(root: Path, publish, run, pass_time):
    """Publish six checkpoints, as a trainer does, and let them be recorded and grow older than the minimum age."""

    def make() -> None:
        publish(root / "campaigns/pip/campaign-001/checkpoints", *STEPS)
        run("apply", "--once")
        assert len(lying(root)) == len(STEPS)
        pass_time(3)

    return make


def lying(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "campaigns/pip/campaign-001/checkpoints").iterdir())


def trouble(run) -> dict[str, Any]:
    plan = json.loads(run("plan", "--json").stdout)
    found = [one for one in plan["blocked"] if one["subject"] == "source"]
    return found[0] if found else {}


def test_what_a_branch_moved_back_would_drop_waits_and_says_how_to_go_on(
    moved_back: tuple[str, str], run, root: Path, saved
) -> None:
    early, late = moved_back
    saved()
    assert run("apply", "--once").exit_code == 3
    told = trouble(run)
    assert told["code"] == "source-rewritten"
    assert told["message"] == (
        f"main@{early[:7]} does not go on from {late[:7]}, which was taken up before: "
        "it lacks 1 commit that led there; 4 deletions wait meanwhile"
    )
    assert told["hint"] == (
        f"if it is meant: reconcile refresh --accept {early[:12]}; else: git merge {late[:7]}"
    )
    assert run("apply", "--until-converged").exit_code == 3
    assert lying(root) == [f"checkpoint-{step}" for step in STEPS]


def test_once_a_person_has_accepted_this_very_commit_the_drops_are_done(
    moved_back: tuple[str, str], run, root: Path, saved
) -> None:
    early, _ = moved_back
    saved()
    assert run("apply", "--once").exit_code == 3
    wrong = run("refresh", "--accept", "0123456789ab")
    assert (wrong.exit_code, f"the source offers {early[:12]}, not 0123456789ab" in wrong.stderr) == (3, True)
    assert run("refresh", "--accept", early[:12], "--why", "meant").exit_code == 0
    assert trouble(run) == {}  # the plan shows what apply is about to do
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == ["checkpoint-5", "checkpoint-6"]
    again = run("refresh", "--accept", early[:12])
    assert (again.exit_code, "nothing to accept" in again.stderr) == (3, True)


def test_merged_with_what_it_had_left_it_goes_on_again(
    moved_back: tuple[str, str], run, root: Path, saved, lab: Path, git
) -> None:
    saved()
    assert run("apply", "--once").exit_code == 3
    git(lab, "merge", "-q", moved_back[1])
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == [f"checkpoint-{step}" for step in STEPS]


def test_with_nothing_to_delete_it_is_a_warning_and_no_obstacle(moved_back: tuple[str, str], run) -> None:
    early, late = moved_back
    assert run("apply", "--until-converged").exit_code == 0
    assert run("apply", "--until-converged").exit_code == 0
    plan = json.loads(run("plan", "--json").stdout)
    (warning,) = [one for one in plan["warnings"] if "does not go on" in one]
    assert f"{late[:7]}, which was taken up before" in warning
    assert f"reconcile refresh --accept {early[:12]}" in warning


def test_what_lies_in_the_trash_is_held_and_no_time_is_promised(
    resting, run, saved, lab: Path, git, commit
) -> None:
    resting({"specs/retention.yaml": ALL}, ())
    saved()
    commit(TWO)
    commit(f"{TWO}# and a word more\n")
    assert run("apply", "--until-converged").exit_code == 0
    assert "the first for good in" in " ".join(run("status").stdout.split())
    git(lab, "reset", "-q", "--hard", "HEAD~1")

    assert [one["is_held"] for one in json.loads(run("get", "trash", "--json").stdout)["items"]] == [True] * 4
    assert run("get", "trash").stdout.count(" held ") == 4
    status = " ".join(run("status").stdout.split())
    assert (", held" in status, "the first for good in" in status) == (True, False)
    assert "held while the source of the specs is in doubt" in " ".join(run("plan").stdout.split())
    told = " ".join(run("explain", "pip/campaign-001@1").stdout.split())
    assert "deleted for good held while the source of the specs is in doubt" in told


def test_while_the_followed_branch_is_gone_nothing_goes_and_its_name_is_told(
    resting, run, saved, lab: Path, git, commit
) -> None:
    resting({"specs/retention.yaml": ALL}, ())
    saved()
    commit(TWO)
    assert run("apply", "--until-converged").exit_code == 0
    git(lab, "switch", "-q", "--detach")
    assert trouble(run) == {}  # the branch is there: only another commit is looked at
    git(lab, "branch", "-q", "-D", "main")
    assert "which is not there any more" in run("apply", "--once").stderr
    told = trouble(run)
    assert told["code"] == "source-branch-gone"
    assert told["message"] == (
        "apply follows the branch main, which is not there any more: no apply begins without it"
    )
    head = git(lab, "rev-parse", "HEAD").strip()
    assert f"git branch main {head[:7]}" in told["hint"]
    status = " ".join(run("status").stdout.split())
    assert (", held" in status, "the first for good in" in status) == (True, False)
    git(lab, "branch", "-q", "main", head)
    assert trouble(run) == {}


@pytest.mark.parametrize("lost", ["branch-gone", "no-access"])
def test_a_branch_that_vanishes_while_apply_runs_holds_what_its_last_specs_would_delete(
    resting, run, root: Path, saved, lab: Path, git, commit, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    resting({"specs/retention.yaml": ALL}, ())
    saved()
    head, tick = commit(TWO), Ticker.tick

    def then_ticked(ticker: Ticker) -> Any:
        """As it begins the branch is there; as it looks again it is not."""
        if lost == "branch-gone":
            git(lab, "switch", "-q", "--detach")
            git(lab, "branch", "-q", "-D", "main")
        else:
            (lab / ".git").rename(lab / ".git-away")
        return tick(ticker)

    with monkeypatch.context() as patched:
        patched.setattr(Ticker, "tick", then_ticked)
        done = run("apply", "--once")
    assert lying(root) == [f"checkpoint-{step}" for step in STEPS]
    assert "4 deletions wait meanwhile" in " ".join(done.stdout.split())

    if lost == "branch-gone":
        assert trouble(run)["code"] == "source-branch-gone"
        git(lab, "branch", "-q", "main", head)
        git(lab, "switch", "-q", "main")
    else:
        (lab / ".git-away").rename(lab / ".git")
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == ["checkpoint-5", "checkpoint-6"]


def test_a_merge_goes_on_from_both_its_sides(resting, run, root: Path, saved, lab: Path, git, commit) -> None:
    resting({"specs/retention.yaml": ALL}, ())
    saved()
    git(lab, "switch", "-q", "-c", "side")
    commit(TWO)
    git(lab, "switch", "-q", "main")
    git(lab, "commit", "-q", "--allow-empty", "-m", "beside")
    assert run("apply", "--once").exit_code == 0
    git(lab, "merge", "-q", "--no-edit", "side")
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == ["checkpoint-5", "checkpoint-6"]


def test_a_commit_amended_without_other_specs_goes_on(
    resting, run, root: Path, saved, lab: Path, git, commit
) -> None:
    resting({"specs/retention.yaml": ALL}, ())
    saved()
    git(lab, "commit", "-q", "--amend", "-m", "the same in other words")
    assert run("apply", "--once").exit_code == 0
    commit(TWO)
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == ["checkpoint-5", "checkpoint-6"]


def test_an_amended_commit_with_other_specs_waits(resting, run, root: Path, saved, commit) -> None:
    resting({}, ())
    commit(ALL)
    assert run("apply", "--once").exit_code == 0
    saved()
    commit(TWO, "--amend")
    assert run("apply", "--once").exit_code == 3
    assert len(lying(root)) == len(STEPS)


def test_another_branch_that_a_person_chose_may_come_from_anywhere(
    moved_back: tuple[str, str], run, root: Path, saved, lab: Path, git
) -> None:
    git(lab, "switch", "-q", "-c", "other")
    source = json.loads((root / "source.json").read_text())
    (root / "source.json").write_text(json.dumps({**source, "branch": "other"}))
    saved()
    assert run("apply", "--until-converged").exit_code == 0
    assert lying(root) == ["checkpoint-5", "checkpoint-6"]


def test_a_shallow_clone_that_cannot_tell_deletes_nothing(
    moved_back: tuple[str, str], run, root: Path, saved, lab: Path, git
) -> None:
    (lab / ".git/shallow").write_text(f"{moved_back[0]}\n")
    git(lab, "commit", "-q", "--allow-empty", "-m", "a cut history")
    saved()
    assert run("apply", "--once").exit_code == 3
    told = trouble(run)
    assert told["code"] == "source-shallow"
    assert "as far as this shallow clone shows; 4 deletions wait" in told["message"]
    assert told["hint"].endswith("else: git fetch --unshallow")


def test_a_commit_that_git_threw_away_is_no_proof(
    moved_back: tuple[str, str], run, root: Path, saved, lab: Path, git
) -> None:
    git(lab, "reflog", "expire", "--expire=now", "--all")
    git(lab, "gc", "-q", "--prune=now")
    saved()
    assert run("apply", "--once").exit_code == 3
    early, late = moved_back
    told = trouble(run)
    assert told["code"] == "source-commit-gone"
    assert told["message"] == (
        f"main@{early[:7]} does not go on from {late[:7]}, which was taken up before and is not here any more; "
        "4 deletions wait meanwhile"
    )
    ways = (
        f"if it is meant: reconcile refresh --accept {early[:12]}; "
        f"else: fetch {late[:7]} from a clone that has it, then git merge {late[:7]}"
    )
    assert told["hint"] == ways
    assert f"Mend it: {ways}" in " ".join(run("plan").stdout.split())


def test_a_store_of_before_goes_by_the_commit_that_was_attempted(
    moved_back: tuple[str, str], run, root: Path, saved, store_of_before
) -> None:
    store_of_before(root)
    saved()
    for _ in range(2):
        assert run("apply", "--once").exit_code == 3
    assert len(lying(root)) == len(STEPS)


@pytest.fixture
def store_of_before():
    """Take out of a store what an older version did not write."""
    from contextlib import closing

    from state.layout import Layout
    from state.store.connection import open_writer

    def make(root: Path) -> None:
        with closing(open_writer(Layout(root).store)) as store:
            store.execute("DELETE FROM meta WHERE key LIKE 'trusted%'")

    return make
