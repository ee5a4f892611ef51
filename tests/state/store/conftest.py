"""A store of its own for each test, and a writer of it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.store.connection import open_writer
from state.store.writer import Writer

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "realm.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(open_writer(path))
    yield writer
    writer.close()
