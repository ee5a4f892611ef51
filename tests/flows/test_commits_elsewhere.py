"""A realm whose specs are elsewhere is edited in a clone of them: each hint says so, and works as it is printed."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from remote_repository import commit, git

from reconciler.cli.group import reconcile

Run = Callable[..., Result]


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The repository elsewhere, to which clones push: a realm in which nothing trains."""
    seed, folder = tmp_path / "seed", tmp_path / "there.git"
    (seed / "specs").mkdir(parents=True)
    git(seed, "init", "-q", "-b", "main")
    commit(seed, {"specs/realm.yaml": "id: lab\n"})
    git(seed, "clone", "-q", "--bare", ".", str(folder))
    return folder


@pytest.fixture
def run(tmp_path: Path, there: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command about a root that follows `there`, from a folder that is no repository."""
    for name in [name for name in os.environ if name.startswith(("REALM_", "XDG_", "GIT_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path / "empty")

    def call(*words: str) -> Result:
        line = ["--root", str(tmp_path / "root"), *words]
        return CliRunner().invoke(reconcile, line, prog_name="reconcile")

    assert call("apply", "--once", "--source", str(there)).exit_code == 0
    return call


@pytest.fixture
def clone(there: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", str(there), "clone")
    return tmp_path / "clone"


def evened(text: str) -> str:
    return " ".join(text.split())


def test_after_a_commit_in_a_clone_the_push_is_named_by_which_it_counts(
    run: Run, there: Path, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone)
    made = run("suspend", "realm", "--why", "new card")
    assert made.exit_code == 0, made.stderr
    assert f"Apply follows main of {there}, which has it once it is there:  git push\n" in made.stderr
    assert "Do it:" not in made.stderr
    git(clone, "push", "-q")
    assert run("apply", "--once").exit_code in (0, 3)
    assert "new card" in run("status").stdout


def test_a_commit_on_another_branch_of_a_clone_is_to_be_merged_and_pushed(
    run: Run, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone)
    git(clone, "switch", "-qc", "work")
    assert "once it is there:  merge it, then git push\n" in run("suspend", "realm", "--why", "x").stderr


@pytest.mark.parametrize("look", [("status",), ("plan",), ("explain", "realm")], ids=" ".join)
def test_the_way_out_of_a_suspension_is_told_for_a_clone_and_works_there(
    run: Run, there: Path, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: tuple[str, ...]
) -> None:
    commit(clone, {"specs/realm.yaml": "id: lab\nsuspend: {reason: new card}\n"})
    git(clone, "push", "-q")
    assert run("apply", "--once").exit_code in (0, 3)
    told = evened(run(*look).stdout)
    found = re.search(rf"in a clone of {re.escape(str(there))}: (reconcile .*? realm), then: git push", told)
    assert found, told
    words = found[1].split()
    assert words == ["reconcile", "--root", str(tmp_path / "root"), "unsuspend", "realm"]
    monkeypatch.chdir(clone)
    assert run(*words[3:]).exit_code == 0
    git(clone, "push", "-q")
    assert run("apply", "--once").exit_code == 0
    assert "suspended" not in run("status").stdout


def test_what_a_root_has_fetched_takes_no_commit_and_says_where_to_make_it(run: Run, there: Path) -> None:
    refused = run("suspend", "realm", "--why", "x")
    assert refused.exit_code == 3
    assert f"do this in a clone: git clone {there}, then: git push" in evened(refused.stderr)
    assert run("suspend", "realm", "--why", "x", "--dry-run").exit_code == 0
