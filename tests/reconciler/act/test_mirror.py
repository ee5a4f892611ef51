"""The mirror of a source elsewhere: every fault of git or network leaves the last good commit in force."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from children import in_child
from closed_door import closed_door

from reconciler.act import mirror
from reconciler.act.mirror import Fetched, fetch
from state import failpoints

Git = Callable[..., str]
_WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


@pytest.fixture
def git() -> Git:
    def run(folder: Path, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *_WHO, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return run


@pytest.fixture
def source(tmp_path: Path, git: Git) -> Path:
    """A repository with one commit on main."""
    folder = tmp_path / "source"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a").write_text("1")
    git(folder, "add", "a")
    git(folder, "commit", "-qm", "One")
    return folder


@pytest.fixture
def look(tmp_path: Path, source: Path) -> Callable[..., Fetched]:
    def fetched(**words: str) -> Fetched:
        return fetch(tmp_path / "mirror.git", words.pop("url", str(source)), "main", **words)

    return fetched


def commit(git: Git, folder: Path, text: str) -> str:
    (folder / "a").write_text(text)
    git(folder, "commit", "-qam", text)
    return git(folder, "rev-parse", "HEAD")


def test_a_branch_that_goes_on_is_taken_up(git: Git, source: Path, look) -> None:
    assert look() == Fetched(commit=git(source, "rev-parse", "main"))
    newer = commit(git, source, "2")
    assert look() == Fetched(commit=newer)
    assert look() == Fetched(commit=newer)


def test_a_rewritten_history_waits_for_a_word_about_this_very_commit(git: Git, source: Path, look) -> None:
    commit(git, source, "2")
    before = look().commit
    git(source, "reset", "-q", "--hard", "HEAD~1")
    other = commit(git, source, "3")
    found = look()
    assert (found.commit, found.offered, found.code) == (before, other, "rewritten")
    assert found.message == f"the history of main was rewritten: {other[:7]} does not go on from {before[:7]}"
    assert look(accepts="0" * 40).commit == before
    assert look(accepts=other) == Fetched(commit=other)


def test_a_branch_set_back_to_an_earlier_commit_is_a_rewritten_history(git: Git, source: Path, look) -> None:
    newer = commit(git, source, "2")
    look()
    git(source, "reset", "-q", "--hard", "HEAD~1")
    assert (look().commit, look().code) == (newer, "rewritten")


def test_a_branch_that_is_gone_stays_in_force_and_comes_back(git: Git, source: Path, look) -> None:
    before = look().commit
    git(source, "branch", "-qm", "main", "other")
    found = look()
    assert (found.commit, found.code) == (before, "branch-gone")
    assert found.message == "there is no branch main (branches: other)"
    git(source, "branch", "-qm", "other", "main")
    assert look() == Fetched(commit=before)


def test_an_unreachable_source_leaves_what_was_there(source: Path, look, tmp_path: Path) -> None:
    before = look().commit
    source.rename(tmp_path / "away")
    found = look()
    assert (found.commit, found.code) == (before, "unreachable")
    assert "does not appear to be a git repository" in found.message


def test_a_source_that_wants_credentials_asks_nobody_and_is_told_as_that(look, monkeypatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    before = look().commit
    with closed_door() as url:
        found = look(url=url)
    assert (found.commit, found.code) == (before, "no-access")
    assert "fatal:" in found.message


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"git@example.org: Permission denied (publickey).", "no-access"),
        (b"Host key verification failed.", "no-access"),
        (b"fatal: Authentication failed for 'https://example.org/specs.git/'", "no-access"),
        (b"ssh: connect to host example.org port 22: Connection refused", "unreachable"),
        (b"fatal: write error: No space left on device", "no-space"),
    ],
)
def test_what_git_and_ssh_say_tells_a_closed_door_from_a_dead_line(said: bytes, code: str) -> None:
    assert mirror._code(said) == code


@pytest.mark.parametrize("url", ["ext::sh -c 'touch canary'", "fd::17", "http://127.0.0.1:9/x.git"])
def test_no_helper_program_of_a_url_runs(url: str, look, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = look(url=url)
    assert (found.commit, found.code) == (None, "unreachable")
    assert list(tmp_path.rglob("canary")) == []


def test_hooks_and_configured_helpers_of_the_mirror_do_not_run(
    git: Git, source: Path, look, tmp_path
) -> None:
    look()
    hooks = tmp_path / "mirror.git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc", "post-update"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/canary\n")
        (hooks / name).chmod(0o755)
    newer = commit(git, source, "2")
    assert look() == Fetched(commit=newer)
    assert not (tmp_path / "canary").exists()


def test_a_source_whose_history_was_cut_is_named_and_the_commit_before_stays(
    git: Git, source: Path, look, tmp_path: Path
) -> None:
    before = look().commit
    commit(git, source, "2")
    commit(git, source, "3")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{source}", "shallow")
    found = look(url=str(tmp_path / "shallow"))
    assert (found.commit, found.code) == (before, "shallow")
    assert found.message.startswith(f"the source is shallow: it lacks commits between {before[:7]}")


def test_locks_that_a_killed_git_left_stop_nothing(git: Git, source: Path, look, tmp_path: Path) -> None:
    look()
    mirror = tmp_path / "mirror.git"
    for name in ("packed-refs.lock", "config.lock", "refs/heads/main.lock", "refs/remotes/source/main.lock"):
        (mirror / name).write_text("")
    newer = commit(git, source, "2")
    assert look() == Fetched(commit=newer)


@pytest.mark.parametrize("fault", failpoints.FAULTS)
def test_hit_at_any_point_the_next_look_ends_as_undisturbed(git: Git, source: Path, fault: str, look) -> None:
    for number in range(1, 5):
        newer = commit(git, source, f"{fault} {number}")
        before = look_in_a_child(look, number, fault)
        assert look() == Fetched(commit=newer), (number, before)


def look_in_a_child(look, number: int, fault: str, num_points: int = 2) -> int:
    """Look in a forked child that is hit at a failpoint; return how it ended."""

    def work() -> int:
        failpoints.arm(number, fault)
        return 0 if look().commit is not None or number <= num_points else 3

    code = in_child(work)
    assert code in (0, -9)
    return code


@pytest.mark.long
def test_a_hundred_thousand_commits_are_fetched_once_and_looked_at_quickly(
    git: Git, source: Path, look, tmp_path: Path
) -> None:
    stream = "".join(
        f"commit refs/heads/main\ncommitter Ada <ada@example.org> {1_700_000_000 + n} +0000\ndata 1\nx\n"
        + ("from refs/heads/main^0\n" if not n else "")
        + f"M 100644 inline a\ndata {len(str(n))}\n{n}\n"
        for n in range(100_000)
    )
    subprocess.run(["git", "-C", str(source), "fast-import", "--quiet"], input=stream.encode(), check=True)
    newest = git(source, "rev-parse", "main")
    assert look() == Fetched(commit=newest)
    newer = commit_aside(git, source)
    assert look() == Fetched(commit=newer)


def commit_aside(git: Git, source: Path) -> str:
    git(source, "reset", "-q", "--hard", "main")
    return commit(git, source, "the last one")


@pytest.fixture
def by_sha256(tmp_path: Path, git: Git) -> Path:
    """A repository of the other object format, with one commit on main."""
    folder = tmp_path / "sha256"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", "--object-format=sha256")
    (folder / "a").write_text("1")
    git(folder, "add", "a")
    git(folder, "commit", "-qm", "One")
    return folder


def test_a_source_of_the_other_object_format_is_followed(git: Git, by_sha256: Path, look) -> None:
    assert look(url=str(by_sha256)) == Fetched(commit=git(by_sha256, "rev-parse", "main"))
    newer = commit(git, by_sha256, "2")
    assert look(url=str(by_sha256)) == Fetched(commit=newer)
    assert len(newer) == 64


@pytest.mark.parametrize("fault", failpoints.FAULTS)
def test_hit_at_any_point_the_other_object_format_is_taken_up_by_the_next_look(
    git: Git, by_sha256: Path, tmp_path: Path, fault: str
) -> None:
    for number in range(1, 7):
        mirror = tmp_path / f"mirror-{number}.git"
        look_in_a_child(lambda mirror=mirror: fetch(mirror, str(by_sha256), "main"), number, fault, 6)
        assert fetch(mirror, str(by_sha256), "main").commit == git(by_sha256, "rev-parse", "main"), number


def test_a_source_that_became_one_of_the_other_object_format_is_named(
    git: Git, source: Path, by_sha256: Path, look
) -> None:
    before = look().commit
    found = look(url=str(by_sha256))
    assert (found.commit, found.code) == (before, "unreachable")
    assert found.message.startswith("it names its objects by sha256, what was fetched before has sha1:")
    assert look() == Fetched(commit=git(source, "rev-parse", "main"))
