"""Builders: five small specs, in a repository and as a tree of files in memory."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.desired.loading import load
from reconciler.desired.mistakes import Mistake, SpecMistakesError
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.tree import SpecFile, SpecTree, blob_id

SMALL = {
    "specs/realm.yaml": "id: lab\nactive: pip/campaign-001\n",
    "specs/queue.yaml": "quests:\n  - {id: q1, skill: bin, level: 1, count: 10, for: [pip]}\n",
    "specs/campaigns/pip/campaign-001.yaml": "id: campaign-001\nskills_focus: [bin]\n",
    "specs/skills/bin.yaml": "id: bin\nmax_level: 30\nsource: {command: [python, -m, trainer]}\n",
}


@pytest.fixture
def small(hero_text: str) -> dict[str, str]:
    """Five specs without a mistake; change some to make one."""
    return {**SMALL, "specs/heroes/pip.yaml": hero_text}


def tree_of(files: Mapping[str, str | bytes]) -> SpecTree:
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    made = tuple(SpecFile(path=path, blob_id=blob_id(data)) for path, data in sorted(contents.items()))
    return SpecTree(files=made, mistakes=(), read=lambda file: contents[file.path])


@pytest.fixture
def tree() -> Callable[[Mapping[str, str | bytes]], SpecTree]:
    return tree_of


@pytest.fixture
def mistakes_in() -> Callable[[Mapping[str, str | bytes]], list[Mistake]]:
    def find(files: Mapping[str, str | bytes]) -> list[Mistake]:
        with pytest.raises(SpecMistakesError) as caught:
            load(tree_of(files), NoCache())
        return list(caught.value.mistakes)

    return find


@pytest.fixture
def repository(repository_of: Callable[..., Path], small: dict[str, str]) -> Path:
    """A specs repository with one commit on main."""
    return repository_of(small)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder with this project's own specs/ and schemas/."""
    return Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def real_specs(checkout: Path) -> Path:
    folder = checkout.parent / "shared" / "cases" / "real-specs"
    if not folder.is_dir():
        pytest.skip("the real specs of an older system are not beside this checkout")
    return folder
