"""Parsed documents by content: fast, and never believed when damaged."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from reconciler.desired.loading import load
from reconciler.desired.parse_cache import FileCache, NoCache

KINDS = ("realm", "queue", "hero", "campaign", "skill")
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


def test_a_well_formed_entry_of_the_wrong_shape_is_read_again(tree, small, tmp_path) -> None:
    cache = FileCache(tmp_path)
    for file in tree(small).files:
        for kind in KINDS:
            cache.put(f"{file.blob_id}-{kind}", msgspec.json.encode([{"id": 5, "model": []}, {}]))
    assert load(tree(small), cache) == load(tree(small), NoCache())


def test_a_file_with_mistakes_is_not_kept(mistakes_in, tree, small, tmp_path) -> None:
    small["specs/heroes/pip.yaml"] = "id: pip\nmodel: {}\n"
    cache = FileCache(tmp_path)
    with pytest.raises(Exception, match="is missing"):
        load(tree(small), cache)
    kept = {kind for kind in KINDS if any(cache.get(f"{file.blob_id}-{kind}") for file in tree(small).files)}
    assert kept == set(KINDS) - {"hero"}


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
