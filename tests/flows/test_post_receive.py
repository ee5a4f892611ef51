"""The hook of a repository that is pushed to, as `new check post-receive` writes it: the realm looks at once."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.app.surroundings.lock_holder import holder_of
from state.layout import Layout
from state.store.connection import open_reader
from state.store.view import read_view

HERE = Path(__file__).parents[2]
PATIENCE = 120.0


def git(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    return subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True, env=environment
    )


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The repository that people push to, and a clone of one of them beside it."""
    (tmp_path / "clone/specs").mkdir(parents=True)
    clone = tmp_path / "clone"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "lab.git")
    git(tmp_path, "init", "-q", "-b", "main", "clone")
    (clone / "specs/realm.yaml").write_text("id: lab\n")
    git(clone, "add", ".")
    git(clone, "commit", "-qm", "Specs")
    git(clone, "remote", "add", "origin", str(tmp_path / "lab.git"))
    git(clone, "push", "-q", "origin", "main")
    return tmp_path / "lab.git"


def reconcile(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "reconciler.cli", "--root", str(folder / "root"), *words]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "HOME": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_after_a_push_the_realm_is_asked_to_look_and_its_hook_is_written_once(
    bare: Path, tmp_path: Path
) -> None:
    assert reconcile(tmp_path, "apply", "--once", "--source", str(bare)).returncode == 0
    made = reconcile(tmp_path, "--repo", str(bare), "new", "check", "post-receive")
    assert (made.returncode, made.stdout) == (0, f"{bare}/hooks/post-receive\n"), made.stderr
    again = reconcile(tmp_path, "--repo", str(bare), "new", "check", "post-receive")
    assert (again.returncode, "is there already; nothing was written" in again.stderr) == (3, True)

    (tmp_path / "clone/specs/realm.yaml").write_text("id: lab\nname: Newer\n")
    git(tmp_path / "clone", "commit", "-qam", "Newer")
    git(tmp_path / "clone", "push", "-q", "origin", "main")
    with open_reader(tmp_path / "root/realm.db") as store:
        asked = [(one.kind, one.why, one.handled_at) for one in read_view(store).requests]
    assert asked == [("refresh", "a push", None)]
    assert reconcile(tmp_path, "apply", "--once").returncode == 0
    with open_reader(tmp_path / "root/realm.db") as store:
        assert read_view(store).requests == ()


@pytest.fixture
def loop(bare: Path, tmp_path: Path) -> Iterator[None]:
    """An apply that runs, and whose repository has the hook."""
    assert reconcile(tmp_path, "apply", "--once", "--source", str(bare)).returncode == 0
    assert reconcile(tmp_path, "--repo", str(bare), "new", "check", "post-receive").returncode == 0
    command = [sys.executable, "-m", "reconciler.cli", "--root", str(tmp_path / "root"), "apply"]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "HOME": str(tmp_path)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    layout, deadline = Layout(tmp_path / "root"), time.monotonic() + PATIENCE
    while holder_of(layout.lock) is None:
        assert time.monotonic() < deadline, "apply does not run"
        time.sleep(0.1)
    yield
    process.terminate()
    process.wait(timeout=PATIENCE)


def push(clone: Path, text: str) -> str:
    """Push a realm's spec; return what git prints of it."""
    (clone / "specs/realm.yaml").write_text(text)
    git(clone, "commit", "-qam", "Another")
    return git(clone, "push", "origin", "main").stderr


def test_who_pushes_reads_whether_what_was_pushed_is_in_force(loop: None, bare: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    told = push(clone, "id: lab\nactive: nobody/campaign-001\n")
    assert "remote: main is at " in told
    assert "its specs have 1 mistake, at specs/realm.yaml:2:9, and are not in force" in told
    told = push(clone, "id: lab\nname: Mended\n")
    assert "remote: main is at " in told
    assert "mistake" not in told
    assert "later" not in told


def test_where_there_is_no_realm_the_push_still_lands(bare: Path, tmp_path: Path) -> None:
    assert reconcile(tmp_path, "--repo", str(bare), "new", "check", "post-receive").returncode == 0
    (tmp_path / "clone/specs/realm.yaml").write_text("id: lab\nname: Newer\n")
    git(tmp_path / "clone", "commit", "-qam", "Newer")
    pushed = git(tmp_path / "clone", "push", "origin", "main")
    assert "the realm looks by itself later" in pushed.stderr
    assert git(bare, "log", "-1", "--format=%s", "main").stdout == "Newer\n"
