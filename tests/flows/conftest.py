"""What the tests of whole flows share: `import lab`, and a laboratory that leaves no process behind."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import lab as laboratory
from lab import Lab
from proving import Realm


@pytest.fixture(scope="session", autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let all laboratories share a cache, as the realms of one person do.

    To parse the same specs again, and to look through the same rows, takes most of the time of a command.
    """
    laboratory.shared_cache = tmp_path_factory.getbasetemp() / "cache"


@pytest.fixture
def the_lab(tmp_path: Path) -> Iterator[Lab]:
    """Return an empty specs repository with a root beside it; whatever trains there is ended afterwards."""
    if find_spec("torch") is None:
        pytest.skip("needs the train extra: torch is not installed")
    lab = Lab(tmp_path)
    lab.git("init", "-q", "-b", "main")
    yield lab
    lab.end()


@pytest.fixture
def realm(tmp_path: Path) -> Realm:
    """Return a realm of instant trainers, to be asked what its checkpoints have learnt."""
    return Realm(tmp_path)
