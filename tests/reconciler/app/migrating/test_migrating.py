"""The whole verb, files, specs repository and books, killed at many points: run again, it ends as undisturbed."""

import os
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest
from children import in_child
from older_root import contents, tree, with_campaigns

from reconciler.app.migrating.migrate import Migrated, apply_migration, undo_migration
from reconciler.app.surroundings.environment import Environment, current_environment
from reconciler.app.surroundings.realm_store import read_store
from reconciler.plan.migrating.older_root import Wish
from state import failpoints
from state.layout import Layout


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name in [name for name in os.environ if name.startswith(("REALM_", "XDG_", "GIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return current_environment()


def applied(environment: Environment, root: Path) -> Migrated:
    return apply_migration(environment, root, Wish(), tell=lambda _step: None)


def struck(number: int, environment: Environment, root: Path) -> None:
    failpoints.arm(number, "kill")
    applied(environment, root)


def known(root: Path) -> list[tuple[str, str]]:
    """Return what the store knows of checkpoints, without the order of recording."""
    return sorted((row.path, row.digest) for row in read_store(Layout(root)).ledger)


def reset(root: Path, template: Path) -> None:
    for path in (root, root.with_name("old-specs"), root.with_name(".staging-old-specs")):
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(template, root, symlinks=True)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed_anywhere_it_goes_on_and_an_undo_brings_everything_back(
    tmp_path: Path, environment: Environment
) -> None:
    template = with_campaigns(tmp_path / "template")
    root = shutil.copytree(template, tmp_path / "old", symlinks=True)
    before, held = tree(root), contents(root)
    points = []
    failpoints.observe(points.append)
    try:
        applied(environment, root)
    finally:
        failpoints.observe(None)
    done = known(root)
    assert len(done) == 4
    for number in range(3, len(points) + 1, max(1, len(points) // 40)):
        reset(root, template)
        code = in_child(partial(struck, number, environment, root))
        assert code == -signal.SIGKILL, points[number - 1]
        assert not held - contents(root), points[number - 1]
        assert applied(environment, root).state == "applied"
        assert known(root) == done, points[number - 1]
        undo_migration(environment, root, tell=lambda _step: None)
        assert tree(root) == before, points[number - 1]
