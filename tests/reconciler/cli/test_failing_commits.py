"""A commit of ours that fails, or meets another one: nothing of it stays staged for the next commit of anybody."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.app.committing import commits


@pytest.mark.parametrize("command", [("archive", "mu/campaign-001"), ("suspend", "queue", "--why", "x")])
def test_a_commit_that_fails_leaves_index_and_files_as_they_were(run, lab: Path, git, command) -> None:
    lock = lab / ".git/refs/heads/main.lock"
    lock.touch()
    refused = run(*command)
    assert (refused.exit_code, str(lock.relative_to(lab)) in refused.stderr) == (3, True)
    assert git(lab, "status", "--short") == ""
    lock.unlink()
    assert run(*command).exit_code == 0
    assert git(lab, "status", "--short") == ""


def test_a_branch_that_moved_since_it_was_read_is_told_and_nothing_is_changed(
    run, lab: Path, git, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = commits._alone

    @contextmanager
    def after_another(git_dir: Path) -> Iterator[None]:
        git(lab, "commit", "-q", "--allow-empty", "-m", "of somebody else")
        with alone(git_dir):
            yield

    monkeypatch.setattr(commits, "_alone", after_another)
    done = run("archive", "mu/campaign-001")
    assert (done.exit_code, "meanwhile, so nothing was changed; say it again" in done.stderr) == (3, True)
    assert git(lab, "status", "--short") == ""


def test_a_file_that_cannot_be_replaced_is_named_and_nothing_is_left_beside_it(
    run, lab: Path, git, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, spec = commits._alone, lab / "specs/queue.yaml"

    @contextmanager
    def when_a_folder_stands_there(git_dir: Path) -> Iterator[None]:
        spec.unlink()
        (spec / "kept").mkdir(parents=True)
        with alone(git_dir):
            yield

    monkeypatch.setattr(commits, "_alone", when_a_folder_stands_there)
    done = run("suspend", "queue", "--why", "x")
    assert (done.exit_code, f"{spec}: Is a directory" in done.stderr) == (1, True), done.output
    assert list(spec.parent.glob("._*")) == []
    assert git(lab, "diff", "--cached", "--name-only") == ""


def test_two_of_our_commands_never_write_to_a_repository_at_once(lab: Path) -> None:
    def second() -> str:
        with commits._alone(lab / ".git"):
            return "wrote"

    with ThreadPoolExecutor() as pool:
        with commits._alone(lab / ".git"):
            begun = pool.submit(second)
            assert not wait([begun], timeout=0.2).done
        assert begun.result(timeout=60) == "wrote"
