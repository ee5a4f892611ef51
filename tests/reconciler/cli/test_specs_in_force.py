"""A typing error in a commit, while training goes on: what looks and what asks go on, by the specs in force."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from state.store.connection import open_writer
from state.store.tables import put_meta

Git = Callable[..., str]


def nothing_to_learn(lab: Path, git: Git) -> None:
    """Commit an empty queue, so that no apply starts a trainer."""
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")


@pytest.fixture
def typo(lab: Path, store, git: Git) -> str:
    """Commit a typing error above a commit that apply has taken up; return that commit."""
    nothing_to_learn(lab, git)
    good = git(lab, "rev-parse", "HEAD").strip()
    with closing(open_writer(store.layout.store)) as connection:
        put_meta(connection, "attempted_commit", good)
    realm = lab / "specs/realm.yaml"
    realm.write_text(realm.read_text().replace("active: pip", "active: pipp"))
    git(lab, "commit", "-qam", "a typing error")
    return good


@pytest.mark.parametrize(
    "words",
    [["status"], ["get", "campaigns"], ["explain", "realm"], ["history"], ["pause"], ["resume"], ["stop"]],
)
def test_what_looks_and_what_asks_goes_on_and_warns_in_one_line(run, typo: str, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 0
    warning = result.stderr.splitlines()[0]
    assert warning.startswith("Warning: the specs at main@")
    assert "have 1 mistake and are not in force (see reconcile validate --ref HEAD)" in warning


def test_the_status_is_of_the_commit_that_apply_took_up_last(run, typo: str) -> None:
    result = run("status", "--json")
    report = json.loads(result.stdout)
    assert report["commit"] == typo
    assert report["campaigns"][1]["is_active"]
    assert report["complaint"].endswith(f"; what follows is {typo[:7]}")
    assert f"{typo[:7]} in force" in run("status").stdout


@pytest.mark.parametrize("words", [["plan"], ["validate"]])
def test_what_is_about_the_commit_itself_still_fails_with_the_mistake(
    run, typo: str, words: list[str]
) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert '"pipp/campaign-001" is not a campaign' in result.stderr + result.stdout


def test_an_apply_begins_on_the_last_good_commit_and_names_the_mistake_its_commit_and_since_when(
    run, typo: str, lab: Path, git: Git
) -> None:
    since = git(lab, "log", "-1", "--format=%ct")
    git(lab, "commit", "-q", "--allow-empty", "-m", "another commit does not mend it")
    newest = git(lab, "rev-parse", "--short=7", "HEAD").strip()

    result = run("apply", "--once")

    assert result.exit_code == 3, result.stderr
    assert 'specs/realm.yaml:2:9: "pipp/campaign-001" is not a campaign' in result.stderr
    at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(int(since)))
    assert f"{typo[:7]} stay in force; those at main@{newest} are not, since {at}." in result.stderr
    assert f"at specs/realm.yaml:2:9, since {at}; what follows is" in run("status", "--json").stdout


def test_a_commit_with_a_mistake_on_another_branch_keeps_no_apply_from_the_branch_that_it_follows(
    run, lab: Path, store, git: Git
) -> None:
    nothing_to_learn(lab, git)
    run("apply", "--once")
    good = git(lab, "rev-parse", "HEAD").strip()
    git(lab, "switch", "-qc", "draft")
    realm = lab / "specs/realm.yaml"
    realm.write_text(realm.read_text().replace("active: pip", "active: pipp"))
    git(lab, "commit", "-qam", "a typing error")

    result = run("apply", "--once")

    assert result.exit_code == 0, result.stderr
    assert "stay in force" not in result.stderr
    assert json.loads(run("status", "--json").stdout)["commit"] == good


def test_an_apply_on_a_realm_that_has_no_good_commit_does_not_begin(run, lab: Path, git: Git) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: nobody/campaign-001\n")
    git(lab, "commit", "-qam", "a typing error")
    result = run("apply", "--once")
    assert result.exit_code == 1
    assert '"nobody/campaign-001" is not a campaign' in result.stderr


def test_mistakes_before_the_first_apply_are_shown(run, lab: Path, git: Git) -> None:
    (lab / "specs/realm.yaml").write_text("id: lab\nactive: nobody/campaign-001\n")
    git(lab, "commit", "-qam", "a typing error")
    result = run("status")
    assert result.exit_code == 1
    assert '"nobody/campaign-001" is not a campaign' in result.stderr


def test_doctor_fails_the_specs_and_goes_on_with_its_other_checks(run, typo: str) -> None:
    checks = {one["name"]: one for one in json.loads(run("doctor", "--json").stdout)["checks"]}
    assert checks["specs"]["state"] == "fail"
    assert "are not in force" in checks["specs"]["sentence"]
    assert {"root", "store", "lock", "queue", "plan"} <= checks.keys()


def test_the_root_is_found_by_the_newest_commit_without_mistakes(run, typo: str, lab: Path, store) -> None:
    result = run("--repo", str(lab), "stop", anywhere=True)
    assert (result.exit_code, "nothing has been applied yet" in result.stderr) == (5, True)
    assert "/realm/lab" in result.stderr


def test_waiting_in_vain_while_the_specs_have_mistakes_says_to_mend_them_first(run, typo: str) -> None:
    result = run("pause", "--wait")
    assert result.exit_code == 3
    assert "stays in the store; mend the specs (reconcile validate), then `reconcile apply --once`" in (
        result.stderr
    )
