"""Which source a root follows: `apply --source`, and every command after it."""

import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from followed_root import REALM, Run, status
from remote_repository import commit, commit_on_bare, git, with_commits

from reconciler.cli.group import reconcile


def test_the_source_is_given_once_and_every_later_command_needs_the_root_alone(
    run: Run, there: Path, root: Path
) -> None:
    assert run("apply", "--once", "--source", str(there)).exit_code == 0
    newer = commit(there, {"specs/realm.yaml": f"{REALM}name: The lab\n"})
    assert run("apply", "--once").exit_code == 0
    seen = status(run)
    specs = next(line for line in run("status").stdout.splitlines() if line.startswith("  specs "))
    assert " in force, apply follows main" in specs  # in a mirror nothing is checked out
    assert (seen["commit"], seen["applied_commit"], seen["source"]["commit"]) == (newer, newer, newer)
    assert (seen["source"]["url"], seen["source"]["trouble"]) == (str(there), None)
    assert run("plan").stdout.startswith(f"lab   main@{newer[:7]}")
    assert git(root / "source.git", "config", "core.bare") == "true"


def test_a_source_needs_a_root_and_a_root_follows_one_source(run: Run, there: Path, tmp_path: Path) -> None:
    run("apply", "--once", "--source", str(there))
    other = run("apply", "--once", "--source", "https://example.org/other.git")
    assert other.exit_code == 1
    assert f"follows {there}, branch main, not https://example.org/other.git, branch main" in other.stderr
    branch = run("apply", "--once", "--branch", "next")
    assert "branch main, not" in branch.stderr
    alone = CliRunner().invoke(reconcile, ["apply", "--source", str(there)], prog_name="reconcile")
    assert alone.exit_code == 64
    assert "--source needs a root of its own on this machine: --root DIR" in alone.stderr


def test_from_another_clone_what_looks_at_a_root_tells_the_specs_that_the_root_follows(
    run: Run, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone's own commit, with its mistakes, was never fetched by the root: it is no matter of the root's."""
    assert run("apply", "--once", "--source", str(there)).exit_code == 0
    clone = tmp_path / "clone"
    git(there, "clone", "-q", str(there), str(clone))
    mine = commit(clone, {"specs/realm.yaml": f"{REALM}activ: nobody\n"})
    monkeypatch.chdir(clone)

    assert status(run)["commit"] == git(there, "rev-parse", "HEAD")
    told = run("status")
    assert "mistake" not in told.stdout + told.stderr
    assert "mistake" not in run("history").stderr
    assert f"the specs at main@{mine[:7]}" in run("--repo", str(clone), "history").stderr


@pytest.mark.parametrize("folder", ["clone", "foreign"])
def test_in_any_repository_a_named_root_is_applied_from_its_source(
    run: Run, there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    assert run("apply", "--source", str(there), "--once").exit_code == 0
    git(tmp_path, "clone", "-q", str(there), "clone")
    git(tmp_path, "init", "-q", "foreign")
    git(tmp_path / "foreign", "commit", "-q", "--allow-empty", "-m", "no specs")
    newest = commit(there, {"specs/realm.yaml": REALM + "labels: {a: b}\n"})
    monkeypatch.chdir(tmp_path / folder)
    applied = run("apply", "--once")
    assert (applied.exit_code, status(run)["applied_commit"]) == (0, newest), applied.stderr
    plan = run("plan")
    assert plan.exit_code == 0, plan.stderr
    assert "reconcile init" not in plan.stdout + plan.stderr


def test_a_repository_that_is_named_and_is_not_the_source_is_refused_with_the_right_way_out(
    run: Run, there: Path, tmp_path: Path
) -> None:
    run("apply", "--source", str(there), "--once")
    git(tmp_path, "clone", "-q", str(there), "clone")
    refused = run("--repo", str(tmp_path / "clone"), "apply", "--once")
    assert refused.exit_code == 1
    assert f"not {tmp_path / 'clone'}; give another --root, or leave away" in refused.stderr


def test_what_was_never_fetched_is_not_remembered(run: Run, there: Path, root: Path) -> None:
    failed = run("apply", "--once", "--source", "/not/there.git")
    assert failed.exit_code == 1
    assert "nothing was ever fetched from it, so there are no specs to follow" in failed.stderr
    assert not (root / "source.json").exists()
    assert run("apply", "--once", "--source", str(there)).exit_code == 0


@pytest.mark.long
def test_a_hundred_thousand_commits_are_followed_and_looked_through_as_fast_as_one(
    run: Run, tmp_path: Path
) -> None:
    many = with_commits(tmp_path / "many", 100_000)
    assert run("apply", "--once", "--source", str(many)).exit_code == 0
    assert git(many, "rev-list", "--count", "main") == "100000"
    newer = commit_on_bare(many)
    before = time.process_time()
    assert run("apply", "--once").exit_code == 0
    assert status(run)["commit"] == newer
    assert run("plan").exit_code == 0
    assert time.process_time() - before < 10.0  # of this process, whatever else the machine does
