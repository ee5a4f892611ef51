"""A folder whose name holds `$NAME`: commits go to that one, never to the one that a variable would name."""

import shutil
from pathlib import Path

import pytest

COMMITTING = [
    ("suspend", "queue", "--why", "x"),
    ("propose", "pip/campaign-001", "name=Dawn", "--branch", "b"),
]


@pytest.fixture
def beside(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the lab in `prod-$TEAM`, and TEAM set so that this would be the lab."""
    lab.rename(lab.parent / "prod-lab")
    monkeypatch.setenv("TEAM", "lab")
    return Path(shutil.copytree(lab.parent / "prod-lab", lab.parent / "prod-$TEAM"))


def heads(git, repository: Path) -> str:
    return git(repository, "for-each-ref") + git(repository, "status", "--short")


@pytest.mark.parametrize("command", COMMITTING, ids=lambda command: command[0])
def test_a_commit_is_made_in_the_folder_of_exactly_this_name(run, beside: Path, git, command) -> None:
    other = beside.parent / "prod-lab"
    before = heads(git, other), heads(git, beside)
    done = run("--repo", str(beside), *command)
    assert done.exit_code == 0, done.stderr
    assert heads(git, other) == before[0]
    assert heads(git, beside) != before[1]
    assert git(beside, "status", "--short") == ""


def test_a_repository_is_made_in_the_folder_of_exactly_this_name(
    run, tmp_path: Path, git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM", "zz")
    top = tmp_path / "$TEAM-x/lab"
    done = run("init", str(top))
    assert done.exit_code == 0, done.stderr
    assert git(top, "status", "--short") == ""
    assert git(top, "log", "--format=%s").strip()
    assert [path.name for path in tmp_path.glob("*-x")] == ["$TEAM-x"]
