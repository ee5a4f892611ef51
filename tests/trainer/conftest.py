"""What the trainer's tests share: `import builders`, and one CPU thread so that results repeat."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[object]:
    """Return a root with one campaign of a two-layer hero."""
    from builders import Realm

    return Realm(tmp_path / "root")
