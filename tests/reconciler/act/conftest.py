"""A realm on disk for the tests of actions; what they do with it is in workshop.py, and the actions in tiny_actions.py."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_memory import new_folder

sys.path.insert(0, str(Path(__file__).parent))

from tiny_actions import Builders, activate, enqueue, register, snapshot
from tiny_realm import CAMPAIGN, OTHER
from workshop import Workshop

from reconciler.act import environment


@pytest.fixture(scope="session")
def make() -> type[Builders]:
    environment._finds_this_software()  # asked once here, so that not every forked child asks
    return Builders


@pytest.fixture
def fast_folder() -> Iterator[Path]:
    """Return an empty folder in memory where there is one: the same calls, and no wait for a disk."""
    folder = new_folder()
    yield folder
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)


@pytest.fixture
def realm(fast_folder: Path, make: type[Builders]) -> Iterator[Workshop]:
    """A realm with two campaigns, the first of them active, and one job."""
    workshop = Workshop(fast_folder / "root")
    workshop.found()
    source = workshop.source
    workshop.done(register(CAMPAIGN), register(OTHER), activate(), snapshot(source), enqueue())
    yield workshop
    workshop.end_trainers()


@pytest.fixture
def saved(realm: Any, make: Any) -> Any:
    """Checkpoints 20 and 40 are recorded."""
    realm.done(*(make.record(realm.save_checkpoint(step)) for step in (20, 40)))
    return realm
