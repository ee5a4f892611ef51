"""A branch that apply follows and that is not there any more: status and doctor say so, with what to do."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def _gone(run, lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")
    assert run("apply", "--until-converged").exit_code == 0
    git(lab, "switch", "-q", "-c", "other")
    git(lab, "branch", "-q", "-D", "main")


@pytest.mark.usefixtures("_gone")
def test_status_says_that_the_branch_is_gone(run) -> None:
    said = " ".join(run("status").stdout.split())
    assert "apply follows main, which is not there any more (see reconcile doctor)" in said
    assert json.loads(run("status", "--json").stdout)["is_followed_gone"] is True


@pytest.mark.usefixtures("_gone")
def test_doctor_fails_and_says_how_to_bring_it_back(run, lab: Path, git, root: Path) -> None:
    result = run("doctor", "--json")
    (check,) = [one for one in json.loads(result.stdout)["checks"] if one["name"] == "branch"]
    assert (result.exit_code, check["state"]) == (1, "fail")
    assert check["sentence"] == f"apply follows main, which is not there any more in {lab}"
    applied = git(lab, "rev-parse", "HEAD")
    assert f"git branch main {applied[:12]}; or follow another" in check["mend"]
    assert f'write its name as "branch" into {root}/source.json' in check["mend"]
    git(lab, "branch", "main", applied[:12])
    assert run("doctor").exit_code == 0


def test_before_the_first_apply_no_branch_is_followed(run) -> None:
    assert "branch" not in {one["name"] for one in json.loads(run("doctor", "--json").stdout)["checks"]}


def test_a_root_where_none_may_lie_is_named_with_where_else(run, lab: Path) -> None:
    plan = run("plan", "--root", str(lab / "root")).stdout
    assert "Mend it:  choose a place outside: --root, REALM_ROOT or realm.yaml: root" in plan
