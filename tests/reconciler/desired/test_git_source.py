"""Specs at a commit, by real git: what a ref means, and what lies under specs/ there."""

import subprocess
from pathlib import Path

import pytest

from reconciler.desired import git_source
from reconciler.desired.edits import uncommitted
from reconciler.desired.git_process import NoCommitYetError, NoRepositoryError, SourceError, UnknownRefError
from reconciler.desired.loading import load
from reconciler.desired.mistakes import SpecMistakesError
from reconciler.desired.parse_cache import NoCache


def load_at(repository: Path, ref: str = "HEAD"):
    with git_source.open_commit(git_source.resolve(repository, ref)) as tree:
        return load(tree, NoCache())


def mistakes_at(repository: Path) -> list[str]:
    with pytest.raises(SpecMistakesError) as caught:
        load_at(repository)
    return [f"{one.where}: {one.sentence}" for one in caught.value.mistakes]


def test_a_ref_gives_commit_branch_and_top_folder_from_any_folder_inside(repository, git) -> None:
    commit = git_source.resolve(repository / "specs" / "heroes")
    assert (commit.id, commit.branch, commit.full_ref) == (
        git(repository, "rev-parse", "HEAD"),
        "main",
        "refs/heads/main",
    )
    assert (commit.top, commit.git_dir) == (repository, repository / ".git")
    assert commit.name == f"main@{commit.id[:7]}"


def test_branches_tags_ids_and_a_detached_head_are_understood(repository, git) -> None:
    git(repository, "branch", "other")
    git(repository, "tag", "-a", "v1", "-m", "one")
    head = git(repository, "rev-parse", "HEAD")
    assert git_source.resolve(repository, "other").branch == "other"
    assert git_source.resolve(repository, "v1").id == head
    assert git_source.resolve(repository, head[:10]).branch is None
    git(repository, "checkout", "-q", "--detach")
    assert git_source.resolve(repository).branch is None


def test_a_bare_repository_has_no_work_tree(repository, tmp_path, git) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    commit = git_source.resolve(tmp_path / "bare.git")
    assert commit.top is None
    assert load_at(tmp_path / "bare.git").realm.spec.id == "lab"


def test_a_folder_outside_every_repository_is_named(tmp_path) -> None:
    with pytest.raises(
        NoRepositoryError, match=r"no git repository here; run this in a specs repository, or make one"
    ):
        git_source.resolve(tmp_path)


def test_a_repository_without_a_commit_is_named(tmp_path, git) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    with pytest.raises(
        NoCommitYetError, match=r"no commit yet on main; commit the specs first: git add specs"
    ):
        git_source.resolve(tmp_path)


@pytest.mark.parametrize("ref", ["mian", "HEAD:specs", "v9", "main^7"])
def test_an_unknown_ref_is_named_with_the_branches(repository, ref) -> None:
    with pytest.raises(UnknownRefError, match=r"is no branch or commit; branches: main"):
        git_source.resolve(repository, ref)


def test_a_misspelt_branch_gets_the_nearest_name(repository) -> None:
    with pytest.raises(UnknownRefError, match=r'"mian" .*did you mean "main"\?'):
        git_source.resolve(repository, "mian")


@pytest.mark.parametrize("ref", ["--upload-pack=touch x", "-h", "", "a\nb", "a\x00b"])
def test_an_option_or_control_character_is_no_ref(repository, ref) -> None:
    with pytest.raises(UnknownRefError, match="is no name of a branch or commit"):
        git_source.resolve(repository, ref)


def test_what_is_read_is_the_commit_and_never_the_work_tree(repository) -> None:
    (repository / "specs/realm.yaml").write_text("id: edited\n")
    (repository / "specs/heroes/new.yaml").write_text("broken: [")
    assert load_at(repository).realm.spec.id == "lab"
    assert uncommitted(repository) == ("specs/heroes/new.yaml", "specs/realm.yaml")


def test_commits_ahead_and_behind_are_counted(repository, git) -> None:
    base = git_source.resolve(repository).id
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")
    git(repository, "commit", "-q", "--allow-empty", "-m", "three")
    tip = git_source.resolve(repository).id
    assert git_source.ahead_behind(repository, base, tip) == (2, 0)
    assert git_source.ahead_behind(repository, tip, base) == (0, 2)


def test_a_symbolic_link_in_the_spec_tree_is_named_and_not_followed(repository, git) -> None:
    (repository / "specs/heroes/link.yaml").symlink_to("/etc/passwd")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "link")
    assert mistakes_at(repository) == [
        "specs/heroes/link.yaml: is a symbolic link; specs are regular files in folders of this repository; remove it"
    ]


def test_a_link_instead_of_the_specs_folder_is_named(repository, git) -> None:
    git(repository, "mv", "specs", "real")
    (repository / "specs").symlink_to("real")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "link")
    assert mistakes_at(repository)[0].startswith("specs: is a symbolic link;")


def test_a_submodule_in_the_spec_tree_is_named(repository, git) -> None:
    head = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{head},specs/heroes/sub")
    git(repository, "commit", "-q", "-m", "submodule")
    assert mistakes_at(repository)[0].startswith("specs/heroes/sub: is a submodule;")


def test_a_file_name_of_odd_bytes_is_named_and_hides_nothing(repository, git) -> None:
    blob = git(repository, "rev-parse", "HEAD:specs/realm.yaml")
    entry = b"100644 blob %s\tspecs/heroes/a\xff\n.yaml\0" % blob.encode()
    command = ["git", "-C", str(repository), "update-index", "-z", "--index-info"]
    subprocess.run(command, input=entry, check=True)
    git(repository, "commit", "-q", "-m", "odd")
    [mistake] = mistakes_at(repository)
    assert mistake.startswith(r"specs/heroes/a\udcff\n.yaml: the file's or folder's name:")


def test_a_file_above_a_mebibyte_is_named_and_the_next_one_still_read(repository, git) -> None:
    (repository / "specs/heroes/pip.yaml").write_bytes(b"notes: " + b"x" * 3_000_000)
    (repository / "specs/queue.yaml").write_text("quests: 3\n")
    git(repository, "commit", "-q", "-a", "-m", "large")
    assert mistakes_at(repository) == [
        "specs/heroes/pip.yaml: has more than 1,048,576 bytes, which is too large for a spec",
        "specs/queue.yaml:1:9: is 3 (a whole number); expected a list, for example [{id: ...}]",
    ]


def test_a_commit_without_specs_is_a_mistake_and_deletes_nothing(repository, git) -> None:
    git(repository, "rm", "-r", "-q", "specs")
    git(repository, "commit", "-q", "-m", "gone")
    assert mistakes_at(repository) == [
        "specs/realm.yaml: is missing; every realm has this file: reconcile init writes one"
    ]


def test_a_missing_object_is_an_error_and_not_an_empty_file(repository, git) -> None:
    blob = git(repository, "rev-parse", "HEAD:specs/realm.yaml")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError, match=rf"no blob {blob} \(git says: .* missing\); try git fsck"):
        load_at(repository)


def test_no_hook_filter_or_monitor_of_the_repository_runs(repository, git, tmp_path) -> None:
    canary = tmp_path / "canary"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {canary}\ncat\n")
    script.chmod(0o755)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (repository / ".git/hooks" / hook).write_text(script.read_text())
        (repository / ".git/hooks" / hook).chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(script))
    git(repository, "config", "filter.canary.smudge", str(script))
    (repository / ".git/info/attributes").write_text("* filter=canary\n")
    canary.unlink(missing_ok=True)
    assert load_at(repository).realm.spec.id == "lab"
    uncommitted(repository)
    assert not canary.exists()


def test_an_object_that_a_partial_clone_lacks_is_fetched_by_no_program(repository, git, tmp_path) -> None:
    canary = tmp_path / "canary"
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", f"file://{repository}", "partial.git")
    partial = tmp_path / "partial.git"
    git(partial, "config", "protocol.ext.allow", "always")
    git(partial, "config", "remote.origin.url", f"ext::touch {canary}")
    with pytest.raises(SourceError, match="git fsck"):
        load_at(partial)
    assert not canary.exists()


def test_a_path_with_a_line_break_is_read_and_shown_in_one_line(repository, git, tmp_path) -> None:
    odd = tmp_path / "od\nd"
    repository.rename(odd)
    (odd / "in\nside").mkdir()
    commit = git_source.resolve(odd / "in\nside")
    assert (commit.top, commit.git_dir, commit.branch) == (odd, odd / ".git", "main")
    assert load_at(odd).realm.spec.id == "lab"
    git(odd, "switch", "-q", "--detach")
    assert git_source.resolve(odd).branch is None
    with pytest.raises(UnknownRefError, match=r'/od\\nd: "nope" is no branch'):
        git_source.resolve(odd, "nope")


def test_a_folder_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(NoRepositoryError, match="absent: there is no such folder, or it cannot be entered"):
        git_source.resolve(tmp_path / "absent")


def test_variables_that_redirect_git_are_not_obeyed(repository, tmp_path, git, monkeypatch) -> None:
    git(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    assert git_source.resolve(repository).branch == "main"


def test_reading_changes_nothing_in_the_repository(repository) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        files = [file for file in repository.rglob("*") if file.is_file()]
        return {str(file): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}

    (repository / "specs/queue.yaml").touch()
    before = state()
    load_at(repository)
    uncommitted(repository)
    assert state() == before


def test_a_repository_of_sha256_objects_is_read(repository_of, small) -> None:
    repository = repository_of(small, "--object-format=sha256")
    assert len(git_source.resolve(repository).id) == 64
    assert load_at(repository).realm.spec.id == "lab"


def test_without_git_the_error_says_what_to_install(repository, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SourceError, match="specs are read with git, which is not installed"):
        git_source.resolve(repository, "main")
