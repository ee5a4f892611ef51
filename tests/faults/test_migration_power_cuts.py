"""The power may be cut anywhere in a migration of an older root, and in its undo: nothing of it is lost."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from inventory import half_published, is_unfinished
from kept_state import Entry, State, put_back, read_state, remove_whole
from power_cut import Disk
from protocols import _syncing_lines, without
from tape import CHECKOUT, Event, Tape
from trials import fast_folder

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "reconciler")]

from test_migrating import begun, older_root_at, quiet

from reconciler.act.migrating import Migration, carry_out, take_back
from state.migration_record import MIGRATIONS

MOST_RECOVERIES = 12
SITE = "reconciler/act/migrating.py"


class Way(NamedTuple):
    """A way through a migration: forth or back."""

    root: Path
    before: State
    """Of the root before anything was done."""
    template: State
    """Where the way begins."""
    events: list[Event]
    done: State
    work: Callable[[], None]
    other: Callable[[], None]
    """The way in the other direction."""


def forth(root: Path) -> Way:
    """Record a migration that is carried out."""
    before = read_state(root)
    migration = begun(root)
    return _recorded(root, before, migration, carry_out, take_back)


def back(root: Path) -> Way:
    """Record a migration that is taken back, after somebody wrote one thing, and took another away."""
    before = read_state(root)
    migration = begun(root)
    carry_out(migration, quiet)
    (root / "campaigns/dio/campaign-002/campaign.json").write_text('{"written": "anew"}')
    (root / "campaigns/dio/campaign-002/checkpoints/checkpoint-400").rename(root / "mine")
    return _recorded(root, before, migration, take_back, take_back)


def _recorded(root: Path, before: State, migration: Migration, work: Any, other: Any) -> Way:
    template, tape = read_state(root), Tape(root)
    with tape.recording():
        work(migration, quiet)
    done = read_state(root)
    return Way(
        root, before, template, tape.events, done,
        lambda: work(migration, quiet), lambda: other(migration, quiet),
    )  # fmt: skip


WAYS = {"forth": forth, "back": back}


@pytest.fixture(scope="module")
def ways() -> Iterator[dict[str, Way]]:
    """Return both ways, each in a root of its own."""
    with fast_folder() as folder:
        yield {name: way(older_root_at(folder / name)) for name, way in WAYS.items()}
        remove_whole(folder)


def problems(way: Way, events: Sequence[Event]) -> list[str]:
    """Return what a power cut breaks: content that is nowhere, half files, and what is done and taken back."""
    disk, found = Disk(way.template), []
    held = contents(way.template)
    for number, event in enumerate(events):
        disk.do(event)
        if event.what == "point":
            continue
        for state in disk.states():
            bad = half_published(without_record(state), way.before)
            bad += [f"lost: {content[:40]!r}" for content in held - contents(state)]
            found += [f"after {number}, {event.what} {event.path}: {text}" for text in bad]
    settled = told(disk.settled())
    found += ["what is done is taken back" for state in disk.states() if told(state) != settled]
    return found


def contents(state: State) -> set[bytes]:
    return {entry.content for entry in state.values() if entry.kind == "file"}


def told(state: State) -> dict[str, tuple[str, bytes]]:
    """Return what counts: files and links; an empty folder may come back, and who may write is not modelled."""
    return {
        path: (entry.kind, entry.content)
        for path, entry in state.items()
        if entry.kind != "folder" and not is_unfinished(path)
    }


def without_record(state: State) -> State:
    """Return the root without the migration's own folder: what was kept or put aside there is no checkpoint."""
    return {path: entry for path, entry in state.items() if not path.startswith(MIGRATIONS)}


def of_the_root(state: State) -> dict[str, tuple[str, bytes]]:
    """Return what people see."""
    return told(without_record(state))


@pytest.mark.parametrize("name", WAYS)
def test_no_power_cut_in_a_migration_or_its_undo_loses_anything(name: str, ways: dict[str, Way]) -> None:
    way = ways[name]

    assert problems(way, way.events) == []
    assert sum(event.what == "rename" for event in way.events) > 10


@pytest.mark.parametrize("name", WAYS)
def test_after_a_power_cut_a_migration_goes_on_or_is_taken_back(name: str, ways: dict[str, Way]) -> None:
    way = ways[name]
    disk, cuts = Disk(way.template), {}
    for event in way.events:
        disk.do(event)
        if event.what != "point":
            cuts |= {repr(sorted(told(state).items())): state for state in disk.states(as_journalled=True)}
    chosen = list(cuts.values())[:: max(1, len(cuts) // MOST_RECOVERIES)]
    for number, state in enumerate(chosen):
        put_back(way.root, {path: with_mode(way, path, entry) for path, entry in state.items()})
        (way.work if number % 2 else way.other)()
        end = of_the_root(read_state(way.root))
        wanted = way.done if number % 2 or name == "back" else way.before
        assert end == of_the_root(wanted), number
    assert len(chosen) >= MOST_RECOVERIES


def with_mode(way: Way, path: str, entry: Entry) -> Entry:
    known = way.template.get(path) or way.done.get(path)
    return entry._replace(
        mode=known.mode if known else {"folder": 0o700, "link": 0o777}.get(entry.kind, 0o600)
    )


def test_each_sync_of_a_migration_that_is_left_out_is_missed(ways: dict[str, Way]) -> None:
    import ast

    lines = {f"{SITE}:{line}" for line in _syncing_lines(ast.parse((Path(CHECKOUT) / SITE).read_text()))}
    missed = {site for site in lines for way in ways.values() if problems(way, without(way.events, site))}

    assert lines
    assert missed == lines
