"""Which specs of the work tree are not as in the commit; nothing of the repository is executed to find out."""

import os
import shutil
from pathlib import Path

import pytest

from reconciler.desired import edits, git_source
from reconciler.desired.edits import uncommitted

HERO = "specs/heroes/pip.yaml"
QUEUE = "specs/queue.yaml"


def test_nothing_is_named_where_nothing_differs_though_times_do(repository: Path) -> None:
    (repository / QUEUE).touch()
    assert uncommitted(repository) == ()


def test_edited_new_and_removed_specs_are_named_from_a_folder_inside_too(repository: Path) -> None:
    (repository / HERO).write_text("id: pip\n")
    (repository / "specs/heroes/new.yaml").write_text("id: new\n")
    (repository / QUEUE).unlink()
    expected = ("specs/heroes/new.yaml", HERO, QUEUE)
    assert uncommitted(repository) == expected
    assert uncommitted(repository / "specs" / "heroes") == expected


@pytest.mark.parametrize(
    "path", ["notes.txt", "specs/README.md", "specs/heroes/_draft.yaml", "specs/.x.swp", f"{HERO}~"]
)
def test_what_is_no_spec_is_not_named(repository: Path, path: str) -> None:
    (repository / path).write_text("x")
    assert uncommitted(repository) == ()


def test_an_edit_of_the_same_length_and_time_is_seen(repository: Path) -> None:
    file = repository / QUEUE
    before = file.stat()
    file.write_text(file.read_text().replace("count: 10", "count: 11"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert uncommitted(repository) == (QUEUE,)


def test_what_is_in_the_index_and_in_no_commit_is_named(repository: Path, git) -> None:
    (repository / QUEUE).write_text("quests: []\n")
    git(repository, "add", ".")
    assert uncommitted(repository) == (QUEUE,)


def test_line_ends_alone_are_no_edit(repository: Path, git) -> None:
    (repository / QUEUE).write_bytes((repository / QUEUE).read_bytes().replace(b"\n", b"\r\n"))
    assert uncommitted(repository) == ()
    git(repository, "-c", "core.autocrlf=false", "commit", "-qam", "CRLF in the commit")
    (repository / QUEUE).write_bytes((repository / QUEUE).read_bytes().replace(b"\r\n", b"\n"))
    assert uncommitted(repository) == ()
    (repository / QUEUE).write_bytes(b"quests: []\r\n")
    assert uncommitted(repository) == (QUEUE,)


def test_a_checkout_with_crlf_is_not_edited(repository: Path, git) -> None:
    git(repository, "config", "core.autocrlf", "true")
    (repository / HERO).unlink()
    git(repository, "checkout", "-q", "--", ".")
    assert b"\r\n" in (repository / HERO).read_bytes()
    assert uncommitted(repository) == ()


def test_links_and_pipes_are_named_and_not_opened(repository: Path) -> None:
    (repository / QUEUE).unlink()
    (repository / QUEUE).symlink_to("/etc/passwd")
    os.mkfifo(repository / "specs/heroes/pipe.yaml")
    (repository / "specs/skills/folder").symlink_to("/etc")
    assert uncommitted(repository) == ("specs/heroes/pipe.yaml", QUEUE, "specs/skills/folder")


def test_filters_of_the_repositorys_config_are_not_executed(repository: Path, git, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for word in ("clean", "smudge", "process"):
        git(repository, "config", f"filter.canary.{word}", f"touch {canary}; cat")
    (repository / ".git/info/attributes").write_text("* filter=canary\n")
    (repository / ".gitattributes").write_text("* filter=canary\n")
    (repository / HERO).write_text("id: pip\n")
    (repository / QUEUE).touch()
    assert uncommitted(repository) == (HERO,)
    assert not canary.exists()


def test_a_filter_that_fails_makes_nothing_unknown(repository: Path, git) -> None:
    git(repository, "config", "filter.broken.clean", "false")
    git(repository, "config", "filter.broken.required", "true")
    (repository / ".git/info/attributes").write_text("* filter=broken\n")
    (repository / HERO).write_text("id: pip\n")
    assert uncommitted(repository) == (HERO,)


def test_a_repository_of_sha256_objects_is_compared(repository_of, small: dict[str, str]) -> None:
    repository = repository_of(small, "--object-format=sha256")
    assert uncommitted(repository) == ()
    (repository / QUEUE).write_text("quests: []\n")
    assert uncommitted(repository) == (QUEUE,)


def test_an_absent_specs_folder_is_one_word(repository: Path) -> None:
    shutil.rmtree(repository / "specs")
    assert uncommitted(repository) == ("specs/ (not in the work tree)",)


def test_a_bare_repository_has_no_edits(repository: Path, git, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    assert uncommitted(tmp_path / "bare.git") == ()


def test_what_cannot_be_compared_is_unknown_with_the_reason(
    repository: Path, git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits, "MAX_FILES", 3)
    assert uncommitted(repository) == ("specs/ (unknown: more than 3 files)",)
    tree = git(repository, "rev-parse", "HEAD:specs")
    (repository / ".git/objects" / tree[:2] / tree[2:]).unlink()
    git_source.listing.cache_clear()
    [said] = uncommitted(repository)
    assert said.startswith("specs/ (unknown: ")
    assert "git cannot list specs/ at" in said
    assert "\n" not in said


def test_before_the_first_commit_it_is_unknown(tmp_path: Path, git) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    assert uncommitted(tmp_path)[0].endswith('commit the specs first: git add specs && git commit -m "...")')
