"""`refresh --wait` returns when the apply at work has made its look, and tells what that found."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from followed_root import PATIENCE_SECONDS, REALM, Run, status, until
from remote_repository import commit


@pytest.fixture
def loop(run: Run, there: Path, root: Path) -> Iterator[subprocess.Popen[str]]:
    """An apply that runs, and looks at its source once an hour."""
    commit(there, {"specs/realm.yaml": f"{REALM}apply: {{poll: 1h}}\n"})
    words = [sys.executable, "-m", "reconciler.cli", "--root", str(root), "apply", "--source", str(there)]
    path = {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **path}
    )
    try:
        until(lambda: (root / "source.json").exists() and status(run)["applied_commit"] is not None)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


MISTAKE = f"{REALM}active: nobody/campaign-001\napply: {{poll: 1h}}\n"


def test_refresh_returns_when_its_own_look_was_made_and_a_hangup_asks_for_one(
    run: Run, there: Path, loop: "subprocess.Popen[str]"
) -> None:
    newer = commit(there, {"specs/realm.yaml": f"{REALM}name: Newer\napply: {{poll: 1h}}\n"})
    result = run("refresh", "--wait")
    assert (result.exit_code, f"main is at {newer[:7]}, fetched" in result.stdout) == (0, True), result.output
    until(lambda: status(run)["applied_commit"] == newer)
    newest = commit(there, {"specs/realm.yaml": f"{REALM}name: Newest\napply: {{poll: 1h}}\n"})
    loop.send_signal(signal.SIGHUP)
    until(lambda: status(run)["applied_commit"] == newest)
    assert loop.poll() is None


def test_refresh_tells_of_the_very_commit_that_its_look_found_whether_it_is_in_force(
    run: Run, there: Path, loop: "subprocess.Popen[str]"
) -> None:
    good = status(run)["commit"]
    broken = commit(there, {"specs/realm.yaml": MISTAKE})
    result = run("refresh", "--wait")
    assert result.exit_code == 3, result.output
    assert f"main is at {broken[:7]}, fetched" in result.stdout
    assert "its specs have 1 mistake, at specs/realm.yaml:2:9, and are not in force" in result.stdout
    assert f"; {good[:7]} stays in force" in result.stdout
    never = run("wait", "realm", "--for", "applied", "--timeout", "200")
    assert (never.exit_code, f"the newest commit is {broken[:7]}" in never.stderr) == (1, True)
    mended = commit(there, {"specs/realm.yaml": f"{REALM}name: Mended\napply: {{poll: 1h}}\n"})
    result = run("refresh", "--wait", "--json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert f"main is at {mended[:7]}, fetched" in result.stdout
    assert json.loads(result.stdout)["found_mistakes"] is False
    commit(there, {"specs/realm.yaml": MISTAKE})
    assert json.loads(run("refresh", "--wait", "--json").stdout)["found_mistakes"] is True
    result = run("refresh")
    assert (result.exit_code, result.stderr) == (0, "")  # how it is by now, only the look will tell


def test_refresh_of_a_source_that_cannot_be_followed_ends_with_the_code_of_mistakes(
    run: Run, there: Path, tmp_path: Path, loop: "subprocess.Popen[str]"
) -> None:
    there.rename(tmp_path / "away")
    result = run("refresh", "--wait")
    assert (result.exit_code, "stays in force" in result.stdout) == (3, True), result.output
    (tmp_path / "away").rename(there)
    assert run("refresh", "--wait").exit_code == 0
