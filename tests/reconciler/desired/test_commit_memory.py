"""What a commit said is known in one answer; one that is stale, damaged, foreign or of the future is not believed."""

import os
from pathlib import Path

import msgspec
import pytest

from reconciler.desired import edits, git_source, work_tree_memory
from reconciler.desired.commit_memory import files_at, load_at
from reconciler.desired.edits import uncommitted
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.desired.parse_cache import FileCache, NoCache

QUEUE = "specs/queue.yaml"


class Entries:
    """A cache that shows what it keeps."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.asked: list[str] = []

    def get(self, key: str) -> bytes | None:
        self.asked.append(key)
        return self.kept.get(key)

    def put(self, key: str, entry: bytes) -> None:
        self.kept[key] = entry

    def key(self, start: str) -> str:
        return next(key for key in self.kept if key.startswith(start))


@pytest.fixture
def commit(repository: Path) -> git_source.Commit:
    return git_source.resolve(repository)


def commit_of(repository: Path, git, text: str) -> git_source.Commit:
    (repository / QUEUE).write_text(text)
    git(repository, "commit", "-qam", "other")
    return git_source.resolve(repository)


def test_a_known_commit_says_what_it_says_without_git(commit, tmp_path: Path) -> None:
    read, nowhere = load_at(commit, FileCache(tmp_path)), tmp_path / "no repository"
    files = files_at(commit, NoCache())
    git_source.listing.cache_clear()
    moved = msgspec.structs.replace(commit, git_dir=nowhere)
    assert load_at(moved, FileCache(tmp_path)) == read == load_at(commit, NoCache())
    assert files_at(moved, FileCache(tmp_path)) == files
    with pytest.raises(git_source.SourceError):
        load_at(moved, NoCache())


def test_a_known_commit_costs_one_question_whatever_its_size(commit) -> None:
    cache = Entries()
    load_at(commit, cache)
    cache.asked.clear()
    load_at(commit, cache)
    assert len(cache.asked) == 1


def test_another_commit_in_the_same_place_is_not_taken_for_this_one(repository: Path, commit, git) -> None:
    cache = Entries()
    load_at(commit, cache)
    kept = {what: cache.kept[cache.key(f"commit-{what}")] for what in ("said", "listed")}
    other = commit_of(repository, git, "quests: []\n")
    fresh = load_at(other, Entries())
    for number in range(16):
        cache.kept.update({f"commit-{what}-{number}": entry for what, entry in kept.items()})
    assert files_at(other, cache)[QUEUE] != files_at(commit, cache)[QUEUE]
    assert load_at(other, cache) == fresh
    assert fresh.quests == ()


@pytest.mark.parametrize("what", ["said", "listed"])
@pytest.mark.parametrize("end", [b"", b"\xc1", b"\x90", msgspec.msgpack.encode({"id": 1})])
def test_a_damaged_or_foreign_answer_is_read_again(commit, what: str, end: bytes) -> None:
    cache = Entries()
    load_at(commit, cache)
    cache.kept[cache.key(f"commit-{what}")] = end
    assert load_at(commit, cache) == load_at(commit, NoCache())
    assert files_at(commit, cache) == files_at(commit, NoCache())


@pytest.mark.parametrize("change", [(0, "wizard"), (4, b'{"id": 5}'), (4, b"\xff"), (4, b"[" * 5000)])
def test_a_spec_of_another_version_is_read_again(commit, change: tuple[int, object]) -> None:
    cache = Entries()
    load_at(commit, cache)
    key = cache.key("commit-said")
    commit_id, specs = msgspec.msgpack.decode(cache.kept[key])
    specs[0][change[0]] = change[1]
    cache.kept[key] = msgspec.msgpack.encode([commit_id, specs])
    assert load_at(commit, cache) == load_at(commit, NoCache())


def test_a_commit_with_a_mistake_is_not_kept(repository: Path, git) -> None:
    cache, wrong = Entries(), commit_of(repository, git, "quests: 5\n")
    for _ in range(2):
        with pytest.raises(SpecMistakesError):
            load_at(wrong, cache)
    assert not any(key.startswith("commit-") for key in cache.kept)


def test_a_path_of_odd_bytes_is_read_each_time(repository: Path, git) -> None:
    cache = Entries()
    Path(os.fsdecode(bytes(repository / "specs") + b"/\xff.md")).write_text("x")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "odd")
    commit = git_source.resolve(repository)
    assert load_at(commit, cache) == load_at(commit, NoCache())
    assert len(files_at(commit, cache)) == len(files_at(commit, NoCache())) == 6
    assert uncommitted(repository, commit, cache) == ()


@pytest.fixture
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the work tree has rested long enough to be remembered: a time of change cannot be set back."""
    monkeypatch.setattr(work_tree_memory, "SETTLED_SECONDS", -60.0)


def test_an_untouched_work_tree_is_not_read_again(repository: Path, commit, rested, monkeypatch) -> None:
    cache = Entries()
    assert uncommitted(repository, commit, cache) == ()
    read: list[str] = []
    monkeypatch.setattr(edits, "_content", lambda path: read.append(path) or b"")
    assert uncommitted(repository, commit, cache) == ()
    assert read == []


def test_an_edit_of_the_same_length_and_time_is_seen_beside_what_is_remembered(
    repository: Path, commit, rested
) -> None:
    cache, file = Entries(), repository / QUEUE
    assert uncommitted(repository, commit, cache) == ()
    before = file.stat()
    file.write_text(file.read_text().replace("count: 10", "count: 11"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert uncommitted(repository, commit, cache) == (QUEUE,)


def test_what_changed_just_now_is_not_remembered(repository: Path, commit, monkeypatch) -> None:
    monkeypatch.setattr(work_tree_memory, "SETTLED_SECONDS", 3600.0)
    cache = Entries()
    assert uncommitted(repository, commit, cache) == ()
    assert not any(key.startswith("work-tree") for key in cache.kept)


@pytest.mark.parametrize("entry", [b"", b"\xc1", msgspec.msgpack.encode({"specs/queue.yaml": [1, "x"]})])
def test_a_damaged_memory_of_the_work_tree_is_not_believed(
    repository: Path, commit, entry: bytes, rested
) -> None:
    cache = Entries()
    uncommitted(repository, commit, cache)
    cache.kept[cache.key("work-tree")] = entry
    assert uncommitted(repository, commit, cache) == ()
