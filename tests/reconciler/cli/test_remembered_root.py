"""The repository remembers a root that was named for one command only, so that no second realm is begun."""

from pathlib import Path

import pytest

from reconciler.app.surroundings.remembered_root import remembered_root
from reconciler.desired.git_source import resolve


@pytest.fixture(autouse=True)
def _nothing_to_learn(lab: Path, git) -> None:
    (lab / "specs/queue.yaml").write_text("quests: []\n")
    git(lab, "commit", "-qam", "nothing to learn")


def test_the_first_apply_makes_the_repository_remember_the_root_for_the_next_terminal(run, lab, root) -> None:
    assert str(root) not in run("--repo", str(lab), "status", anywhere=True).stdout
    first = run("apply", "--once")
    assert f"this repository remembers its root from now on: {root} (git config realm.root)" in first.stderr
    assert remembered_root(resolve(lab)) == root
    assert f"root        {root}\n" in run("--repo", str(lab), "status", anywhere=True).stdout


def test_a_root_named_beside_one_in_use_is_told_and_not_remembered(run, lab, root, tmp_path) -> None:
    run("apply", "--once")
    other = run("--repo", str(lab), "--root", str(tmp_path / "other"), "apply", "--once", anywhere=True)
    assert f"the root of this repository, {root}, is in use; --root or REALM_ROOT named" in other.stderr
    assert remembered_root(resolve(lab)) == root


def test_what_realm_yaml_says_comes_before_what_the_repository_remembers(
    run, lab, root, tmp_path, git
) -> None:
    run("apply", "--once")
    text = (lab / "specs/realm.yaml").read_text()
    (lab / "specs/realm.yaml").write_text(f"{text}root: {tmp_path / 'said'}\n")
    git(lab, "commit", "-qam", "the root by name")
    assert str(tmp_path / "said") in run("--repo", str(lab), "status", anywhere=True).stdout


def test_looking_remembers_nothing(run, lab) -> None:
    run("plan")
    run("status")
    assert remembered_root(resolve(lab)) is None


def test_a_linked_work_tree_knows_the_root_too(run, lab, root, tmp_path, git) -> None:
    run("apply", "--once")
    git(lab, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    assert remembered_root(resolve(tmp_path / "linked")) == root
