"""Ten thousand spec files are read in time that grows no faster than they do, and known the next time."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.desired.commit_memory import load_at
from reconciler.desired.git_source import resolve
from reconciler.desired.parse_cache import FileCache

FEW, MANY = 1_000, 10_000
MOST_FOR_TEN_TIMES = 10.5


@pytest.mark.long
@pytest.mark.timeout(600)
def test_ten_thousand_spec_files_take_no_more_than_ten_times_as_long_as_one_thousand(
    tmp_path: Path, git: Callable[..., str], hero_text: str
) -> None:
    _seconds(tmp_path / "warm", FEW, git, hero_text)
    (few, _), (many, again) = (_seconds(tmp_path / str(n), n, git, hero_text) for n in (FEW, MANY))
    assert many < few * MOST_FOR_TEN_TIMES, (few, many)
    assert again < many / 5, (many, again)


def _seconds(folder: Path, count: int, git: Callable[..., str], hero_text: str) -> tuple[float, float]:
    """Return the processor time of reading so many specs for the first time, and of reading them again."""
    for number in range(count // 100):
        campaigns = folder / "lab/specs/campaigns" / f"hero-{number:03}"
        campaigns.mkdir(parents=True)
        for one in range(1, 101):
            (campaigns / f"campaign-{one:03}.yaml").write_text(
                f"id: campaign-{one:03}\nname: Life {number} {one}\n"
            )
        hero = folder / "lab/specs/heroes" / f"hero-{number:03}.yaml"
        hero.parent.mkdir(parents=True, exist_ok=True)
        hero.write_text(hero_text.replace("id: pip", f"id: hero-{number:03}"))
    (folder / "lab/specs/realm.yaml").write_text("id: lab\n")
    git(folder, "init", "-q", "-b", "main", "lab")
    git(folder / "lab", "add", ".")
    git(folder / "lab", "commit", "-qm", "many")
    commit = resolve(folder / "lab")
    return _once(commit, folder, count), _once(commit, folder, count)


def _once(commit, folder: Path, count: int) -> float:
    before = time.process_time()
    cache = FileCache(folder / "cache")
    with cache.at_once():
        assert len(load_at(commit, cache).campaigns) == count
    return time.process_time() - before
