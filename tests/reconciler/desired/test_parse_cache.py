"""Parsed documents by content: fast, and never believed when damaged."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from reconciler.desired.loading import load
from reconciler.desired.parse_cache import FileCache, NoCache

LOOK = """
import sys
from pathlib import Path
from reconciler.desired import git_source, loading, parse_cache
with git_source.open_commit(git_source.resolve(Path(sys.argv[1]))) as tree:
    desired = loading.load(tree, parse_cache.FileCache(Path(sys.argv[2])))
heavy = {"pydantic", "pydantic_core", "ruamel.yaml", "git", "jsonschema", "difflib", "rich", "dataclasses"}
print(desired.realm.spec.id, *sorted(heavy & set(sys.modules)))
"""


def look(repository: Path, cache: Path, checkout: Path) -> list[str]:
    command = [sys.executable, "-c", LOOK, str(repository), str(cache)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()


def test_when_every_file_is_known_nothing_heavy_is_imported(repository, tmp_path, checkout) -> None:
    first = look(repository, tmp_path / "cache", checkout)
    assert first[0] == "lab"
    assert {"pydantic", "ruamel.yaml"} <= set(first)
    assert look(repository, tmp_path / "cache", checkout) == ["lab"]


def test_a_cached_spec_equals_a_parsed_one(tree, small, tmp_path) -> None:
    cache = FileCache(tmp_path)
    parsed = load(tree(small), cache)
    cached = load(tree(small), cache)
    assert cached == parsed == load(tree(small), NoCache())
    assert cached.heroes["pip"].where("training_defaults", "max_length") == "specs/heroes/pip.yaml:6"


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff" * 100, None])
def test_a_damaged_entry_is_ignored_and_written_anew(tree, small, tmp_path, damage) -> None:
    cache = FileCache(tmp_path)
    load(tree(small), cache)
    entries = sorted(cache.folder.iterdir())
    whole = [entry.read_bytes() for entry in entries]
    for entry, content in zip(entries, whole, strict=True):
        entry.write_bytes(content[:-9] + b"4" + content[-8:] if damage is None else damage)
    assert load(tree(small), cache).realm.spec.id == "lab"
    assert [entry.read_bytes() for entry in entries] == whole


def test_an_entry_of_one_file_is_never_taken_for_another(tmp_path) -> None:
    cache = FileCache(tmp_path)
    one, other = "1" * 40 + "-hero", "2" * 40 + "-hero"
    cache.put(one, b"[{},{}]")
    (cache.folder / other).write_bytes((cache.folder / one).read_bytes())
    assert cache.get(one) == b"[{},{}]"
    assert cache.get(other) is None


def test_a_well_formed_entry_of_the_wrong_shape_is_read_again(tree, small, tmp_path) -> None:
    cache = FileCache(tmp_path)
    for file in tree(small).files:
        for kind in ("realm", "queue", "hero", "campaign", "skill"):
            cache.put(f"{file.blob_id}-{kind}", msgspec.json.encode([{"id": 5, "model": []}, {}]))
    assert load(tree(small), cache) == load(tree(small), NoCache())


def test_a_file_with_mistakes_is_not_kept(mistakes_in, tree, small, tmp_path) -> None:
    small["specs/heroes/pip.yaml"] = "id: pip\nmodel: {}\n"
    cache = FileCache(tmp_path)
    with pytest.raises(Exception, match="is missing"):
        load(tree(small), cache)
    assert sorted(file.name[41:] for file in cache.folder.iterdir()) == [
        "campaign",
        "queue",
        "realm",
        "skill",
    ]


def test_a_copied_file_under_another_name_is_still_checked(tree, small, tmp_path) -> None:
    cache = FileCache(tmp_path)
    load(tree(small), cache)
    small["specs/heroes/pop.yaml"] = small["specs/heroes/pip.yaml"]
    with pytest.raises(Exception, match=r'is "pip", but the file is pop\.yaml'):
        load(tree(small), cache)


def test_a_folder_that_cannot_be_written_stops_nothing(tree, small, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert load(tree(small), FileCache(blocked)).realm.spec.id == "lab"


def test_entries_are_private_and_no_temporary_file_is_left(tree, small, tmp_path) -> None:
    cache = FileCache(tmp_path / "cache")
    load(tree(small), cache)
    assert cache.folder.stat().st_mode & 0o077 == 0
    assert not [file for file in cache.folder.iterdir() if file.name.startswith(".")]
