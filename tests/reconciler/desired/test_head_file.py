"""HEAD is read without git where git would say the same, and nowhere else."""

import os
from pathlib import Path

import pytest

from reconciler.desired import git_source
from reconciler.desired.head_file import read_head


def test_an_ordinary_head_is_read_as_git_reads_it(repository, git) -> None:
    git(repository, "checkout", "-q", "-b", "team/a-long.name")
    head = read_head(repository / "specs" / "heroes")
    assert head is not None
    assert head.commit_id == git(repository, "rev-parse", "HEAD")
    assert (head.ref, head.git_dir, head.top) == (
        "refs/heads/team/a-long.name",
        repository / ".git",
        repository,
    )


def test_no_git_process_is_needed_for_it(repository, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert git_source.resolve(repository).branch == "main"


def test_what_it_gives_equals_what_git_says(repository) -> None:
    assert git_source.resolve(repository) == git_source._said_by_git(repository, "HEAD")


UNUSUAL = {
    "a detached head": lambda git, top: git(top, "checkout", "-q", "--detach"),
    "a branch among the packed refs": lambda git, top: git(top, "pack-refs", "--all"),
    "a branch that stands for another": lambda git, top: (
        git(top, "branch", "real"),
        git(top, "symbolic-ref", "refs/heads/main", "refs/heads/real"),
    ),
    "a work tree elsewhere": lambda git, top: git(top, "config", "core.worktree", str(top.parent)),
    "settings in another file": lambda git, top: git(top, "config", "include.path", "/nonexistent"),
    "a repository that calls itself bare": lambda git, top: git(top, "config", "core.bare", "true"),
    "a branch without a commit": lambda git, top: git(top, "checkout", "-q", "--orphan", "new"),
    "a link instead of the folder": lambda _, top: (
        (top / ".git").rename(top / "elsewhere"),
        (top / ".git").symlink_to("elsewhere"),
    ),
    "a folder that looks like a repository itself": lambda _, top: (top / "HEAD").touch(),
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_what_is_out_of_the_ordinary_is_left_to_git(repository, git, kind: str) -> None:
    assert read_head(repository) is not None
    UNUSUAL[kind](git, repository)
    assert read_head(repository) is None


def test_a_linked_work_tree_is_left_to_git(repository, git, tmp_path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "linked")
    assert read_head(tmp_path / "linked") is None
    assert git_source.resolve(tmp_path / "linked").branch == "linked"


def test_inside_the_git_folder_there_is_no_work_tree(repository) -> None:
    assert read_head(repository / ".git" / "refs") is None
    assert git_source.resolve(repository / ".git").top is None


def test_a_repository_of_another_user_is_left_to_git(repository, monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert read_head(repository) is None


def test_where_there_is_no_repository_nothing_is_read(tmp_path: Path) -> None:
    assert read_head(tmp_path) is None
    assert read_head(tmp_path / "absent") is None
