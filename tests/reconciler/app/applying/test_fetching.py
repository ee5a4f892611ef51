"""The thread that fetches a source elsewhere: on its interval, when asked, and never for longer than it lives."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.app.applying.fetching import Fetcher, wait_seconds
from reconciler.observed.source import observe_source
from state.layout import Layout

PATIENCE = 60.0


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "root/control").mkdir(parents=True)
    return Layout(tmp_path / "root")


@pytest.fixture
def fetcher(layout: Layout, repository_of: Callable[..., Path]):
    """A fetcher of a repository with one commit; it ends with the test."""
    source = repository_of({"specs/realm.yaml": "id: lab\n"})
    made = Fetcher(layout, str(source), "main", lambda: "2026-01-31T12:00:00Z")
    yield made
    made.close()


def newest(lab: Path, git: Callable[..., str]) -> str:
    git(lab, "commit", "-q", "--allow-empty", "-m", "newer")
    return git(lab, "rev-parse", "HEAD")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def seen(layout: Layout) -> str | None:
    found = observe_source(layout.fetched)
    return found.commit if found else None


def test_a_source_is_fetched_again_and_again_on_its_interval(
    fetcher: Fetcher, layout: Layout, tmp_path: Path, git: Callable[..., str]
) -> None:
    fetcher.interval_seconds = 0.05
    fetcher.start()
    for _ in range(2):
        commit = newest(tmp_path / "lab", git)
        until(lambda commit=commit: seen(layout) == commit)


def test_between_two_turns_it_looks_at_once_when_asked_and_not_by_itself(
    fetcher: Fetcher, layout: Layout, tmp_path: Path, git: Callable[..., str]
) -> None:
    fetcher.interval_seconds = 3_600.0
    fetcher.start()
    commit = newest(tmp_path / "lab", git)
    time.sleep(0.2)
    assert seen(layout) is None
    fetcher.fetch_now()
    until(lambda: seen(layout) == commit)


def test_what_was_closed_looks_no_more(fetcher: Fetcher) -> None:
    fetcher.interval_seconds = 3_600.0
    fetcher.start()
    fetcher.close()
    until(lambda: "fetch" not in [one.name for one in threading.enumerate()])


def test_looks_at_a_source_that_cannot_be_reached_grow_rarer_and_one_success_starts_anew() -> None:
    assert [wait_seconds(30, failures, 0.0) for failures in range(7)] == [30, 60, 120, 240, 480, 900, 900]
    assert wait_seconds(30, 2, 1.0) == pytest.approx(144.0)
    assert wait_seconds(30, 0, 1.0) == 30
    assert wait_seconds(3600, 1, 0.0) == 3600
    assert wait_seconds(30, 10_000, 0.0) == 900
