"""What the trainer's tests share: `import builders`, and one CPU thread so that results repeat."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def apart() -> Iterator[object]:
    """Return what does a work of `strikes` in a process of its own and returns how that ended."""
    from apart import Apart

    process = Apart()
    yield process
    process.close()


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[object]:
    """Return a root with one campaign of a two-layer hero."""
    from builders import Realm

    return Realm(tmp_path / "root")
