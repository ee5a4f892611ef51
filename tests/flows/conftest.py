"""What the tests of whole flows share: `import lab`, and a laboratory that leaves no process behind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import Lab


@pytest.fixture
def the_lab(tmp_path: Path) -> Iterator[Lab]:
    """Return an empty specs repository with a root beside it; whatever trains there is ended afterwards."""
    lab = Lab(tmp_path)
    lab.git("init", "-q", "-b", "main")
    yield lab
    lab.end()
