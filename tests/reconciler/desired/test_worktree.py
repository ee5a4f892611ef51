"""Specs as they lie in the work tree, read without following anything."""

import os

import pytest

from reconciler.desired import git_source
from reconciler.desired.git_process import SourceError
from reconciler.desired.loading import load
from reconciler.desired.parse_cache import NoCache
from reconciler.desired.worktree import read_worktree


def test_edits_that_are_not_committed_are_read(repository) -> None:
    (repository / "specs/realm.yaml").write_text("id: edited\nactive: pip/campaign-001\n")
    assert load(read_worktree(repository), NoCache()).realm.spec.id == "edited"


def test_an_unedited_work_tree_has_the_commits_contents_under_the_same_names(repository) -> None:
    with git_source.open_commit(git_source.resolve(repository)) as tree:
        assert read_worktree(repository).files == tree.files


def test_links_pipes_and_repositories_are_named_and_not_opened(repository, git) -> None:
    (repository / "specs/heroes/link.yaml").symlink_to("/etc/passwd")
    (repository / "specs/skills/folder").symlink_to("/etc")
    os.mkfifo(repository / "specs/heroes/pipe.yaml")
    git(repository / "specs", "init", "-q", "nested")
    found = [(one.path, one.message.partition(";")[0]) for one in read_worktree(repository).mistakes]
    assert sorted(found) == [
        ("specs/heroes/link.yaml", "is a symbolic link"),
        ("specs/heroes/pipe.yaml", "is a pipe"),
        ("specs/nested", "is a repository of its own"),
        ("specs/skills/folder", "is a symbolic link"),
    ]


def test_a_linked_specs_folder_is_named(repository) -> None:
    (repository / "specs").rename(repository / "real")
    (repository / "specs").symlink_to("real")
    [mistake] = read_worktree(repository).mistakes
    assert mistake.sentence == (
        "is a symbolic link; specs are regular files in folders of this repository; expected a folder"
    )


def test_an_absent_specs_folder_is_named(tmp_path) -> None:
    with pytest.raises(SourceError, match=r"there is no folder specs/ with specs here; reconcile init DIR"):
        read_worktree(tmp_path)
