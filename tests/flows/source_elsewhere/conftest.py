"""A repository elsewhere, a root that is to follow it, and the command from a folder that is neither."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from followed_root import REALM, Run
from remote_repository import commit, git

from reconciler.cli.group import reconcile


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The repository elsewhere: a realm in which nothing trains."""
    folder = tmp_path / "there"
    (folder / "specs").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, {"specs/realm.yaml": REALM})
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def run(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call the command from a folder that is no repository, about the root alone."""
    for name in [name for name in os.environ if name.startswith(("REALM_", "XDG_", "GIT_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "empty")

    def call(*words: str) -> Result:
        return CliRunner().invoke(reconcile, ["--root", str(root), *words], prog_name="reconcile")

    return call
