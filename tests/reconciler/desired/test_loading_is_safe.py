"""A spec with whatever values in it is right or named: what a commit says can end no loop."""

import errno
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from reconciler.desired import queue, references
from reconciler.desired.git_process import ExhaustedError
from reconciler.desired.loading import load
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.desired.parse_cache import NoCache

ODD = (
    "", "null", "[]", "{}", '""', "-1", "0", "1e999", "-.inf", ".nan", "9" * 26, '"\\0"', '"\\ud800"', "true",
    "[1]", "{a: 1}", "99999999d", "9" * 20 + "d", '"9999-12-31T23:59:59-10:00"', '"0001-01-01T00:00:00+10:00"',
    "9999-12-31", "0x10", "1_000", "2026-02-30", '"../.."', '"a/b/c"', "!!python/object:x y", "&a 1", "*a",
    "1e-400", "9223372036854775808", "99999999999GB", "1e308",
)  # fmt: skip
_VALUE = re.compile(r":\s+([^,{}\[\]#\n]+|\[[^\]\n]*\]|\{[^}\n]*\})")


class Remembering(NoCache):
    """Keeps what was parsed, so that only the changed file is read again."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.entries.get(key)

    def put(self, key: str, entry: bytes) -> None:
        self.entries[key] = entry


@pytest.fixture
def shipped(checkout: Path) -> dict[str, str]:
    """The specs of this project, with a key more that they do not have."""
    files = {
        str(path.relative_to(checkout)): path.read_text() for path in (checkout / "specs").rglob("*.yaml")
    }
    files["specs/realm.yaml"] += "suspend: {reason: x, until: 2999-01-01}\n"
    return files


def outcome(tree, files: Mapping[str, str], cache: Remembering) -> list[str]:
    try:
        load(tree(files), cache)
    except SpecMistakesError as error:
        return [f"{one.where}: {one.sentence}" for one in error.mistakes]
    return []


def places(files: Mapping[str, str]) -> Iterator[tuple[str, re.Match[str]]]:
    for path, text in sorted(files.items()):
        for found in _VALUE.finditer(text):
            yield path, found


@pytest.mark.parametrize("seed", range(3))
def test_an_odd_value_anywhere_is_named_or_right(tree, shipped, seed: int) -> None:
    dice, cache, spots = random.Random(seed), Remembering(), list(places(shipped))
    for path, spot in dice.choices(spots, k=200):
        text = shipped[path]
        odd = text[: spot.start(1)] + dice.choice(ODD) + text[spot.end(1) :]
        said = outcome(tree, {**shipped, path: odd}, cache)
        assert not [one for one in said if "reconcile itself" in one], odd[
            max(0, spot.start() - 80) : spot.end() + 80
        ]


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("queue.yaml", "allow_leakage: {bin-level-1: as above}", "allow_leakage: {bin-level-1: }",
         "is null (empty); expected text"),
        ("realm.yaml", "until: 2999-01-01", 'until: "9999-12-31T23:59:59-10:00"', "expected a date (2026-12-01) or a time"),
        ("realm.yaml", "until: 2999-01-01", 'until: "0001-01-01T00:00:00+10:00"', "expected a date (2026-12-01) or a time"),
    ],
)  # fmt: skip
def test_what_once_ended_the_loop_is_named(tree, shipped, path: str, old: str, new: str, said: str) -> None:
    before = shipped[f"specs/{path}"]
    assert old in before
    (told,) = outcome(tree, {**shipped, f"specs/{path}": before.replace(old, new)}, Remembering())
    assert said in told


@pytest.mark.parametrize("command", ["", "true"])
def test_a_source_without_its_command_is_named(tree, small, command: str) -> None:
    skill = f"id: bin\nmax_level: 30\nsource: {{command: {command}}}\n"
    told = outcome(tree, {**small, "specs/skills/bin.yaml": skill}, Remembering())
    assert told
    assert all(one.startswith("specs/skills/bin.yaml:3:") for one in told)


def test_a_file_that_we_fail_on_ourselves_is_a_mistake_of_that_file(tree, small, monkeypatch) -> None:
    def fail(*_: object) -> Iterator[object]:
        raise ZeroDivisionError("by nobody")
        yield

    monkeypatch.setattr(queue, "check_reasons", fail)
    monkeypatch.setattr(references, "check", fail)
    quests = (
        "quests:\n  - {id: q1, skill: bin, level: 1, count: 10, for: [pip], allow_leakage: {held-out: x}}\n"
    )
    told = outcome(tree, {**small, "specs/queue.yaml": quests}, Remembering())
    assert [one.split(":")[0] for one in told] == ["specs", "specs/queue.yaml"]
    assert all(
        "reconcile itself fails on it (ZeroDivisionError: by nobody, at test_loading_is_safe" in one
        for one in told
    )


@pytest.mark.parametrize(("module", "name"), [(queue, "check_reasons"), (references, "check")])
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (MemoryError(), "no memory left"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
    ],
    ids=["memory", "files"],
)
def test_a_machine_that_has_nothing_left_is_no_mistake_of_the_file(
    tree, small, monkeypatch, module, name: str, error: Exception, why: str
) -> None:
    def fail(*_: object) -> Iterator[object]:
        raise error
        yield

    monkeypatch.setattr(module, name, fail)
    quests = "quests:\n  - {id: q1, skill: bin, level: 1, count: 10, for: [pip]}\n"
    with pytest.raises(
        ExhaustedError, match=f"could not be read now: .*{why}; this says nothing about the file"
    ):
        load(tree({**small, "specs/queue.yaml": quests}), Remembering())
