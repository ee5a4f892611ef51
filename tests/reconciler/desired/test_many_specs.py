"""Ten thousand spec files are each parsed once; at the next commit those alone that changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.desired.commit_memory import load_at
from reconciler.desired.git_source import resolve
from reconciler.desired.parse_cache import FileCache

HEROES, CAMPAIGNS_EACH = 100, 100


@pytest.mark.long
@pytest.mark.timeout(600)
def test_of_ten_thousand_spec_files_those_alone_are_parsed_that_changed(
    tmp_path: Path, git: Callable[..., str], hero_text: str
) -> None:
    lab = tmp_path / "lab"
    for number in range(HEROES):
        _write_hero(lab / "specs", f"hero-{number:03}", hero_text)
    (lab / "specs/realm.yaml").write_text("id: lab\n")
    git(tmp_path, "init", "-q", "-b", "main", "lab")

    first, again = _parsed(lab, git, tmp_path), _parsed(lab, git, tmp_path)
    (lab / "specs/campaigns/hero-007/campaign-042.yaml").write_text("id: campaign-042\nname: Another\n")

    assert first >= HEROES * CAMPAIGNS_EACH
    assert again <= 2  # what is remembered of the commit itself
    assert _parsed(lab, git, tmp_path) == again + 1


def _write_hero(specs: Path, name: str, hero_text: str) -> None:
    (campaigns := specs / "campaigns" / name).mkdir(parents=True)
    for number in range(1, CAMPAIGNS_EACH + 1):
        path = campaigns / f"campaign-{number:03}.yaml"
        path.write_text(f"id: campaign-{number:03}\nname: Life {name} {number}\n")
    (specs / "heroes").mkdir(exist_ok=True)
    (specs / "heroes" / f"{name}.yaml").write_text(hero_text.replace("id: pip", f"id: {name}"))


class Counting(FileCache):
    """Each file that is parsed is put here, and what is remembered of a commit."""

    num_put = 0

    def put(self, key: str, entry: bytes) -> None:
        self.num_put += 1
        super().put(key, entry)


def _parsed(lab: Path, git: Callable[..., str], folder: Path) -> int:
    """Return how much was put there to load what lies in the repository now."""
    git(lab, "add", ".")
    git(lab, "commit", "-qm", "specs", "--allow-empty")
    cache = Counting(folder / "cache")
    with cache.at_once():
        assert len(load_at(resolve(lab), cache).campaigns) == HEROES * CAMPAIGNS_EACH
    return cache.num_put
