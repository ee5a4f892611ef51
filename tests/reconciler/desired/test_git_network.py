"""git over the network: it may be slow, never silent for ever, and leaves no process behind."""

import os
import shlex
import time
from pathlib import Path

import pytest

from reconciler.desired import git_network
from reconciler.desired.git_network import Patience, last_line, run_over_network
from reconciler.desired.git_process import SourceError

URL = "ssh://far.example/realm.git"


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let a script stand for ssh; returns nothing."""

    def stand_in(script: str) -> None:
        (tmp_path / "ssh.sh").write_text(
            f'[ "$1" = -G ] && exit 1\n{script}'
        )  # git asks what kind of ssh it is
        monkeypatch.setenv("GIT_SSH_COMMAND", f"sh {shlex.quote(str(tmp_path / 'ssh.sh'))}")

    return stand_in


def test_who_speaks_may_take_longer_than_who_is_silent(ssh, tmp_path: Path) -> None:
    ssh(
        "for part in 1 2 3 4 5 6 7 8; do echo part $part >&2; sleep 0.4; done; echo fatal: at its end >&2; exit 1\n"
    )
    done = run_over_network(tmp_path, "ls-remote", URL, patience=Patience(silent_seconds=2.5))
    assert done.returncode != 0
    assert last_line(done.stderr) == "fatal: at its end"


def test_a_silent_other_side_is_given_up_with_all_that_was_started(ssh, tmp_path: Path) -> None:
    ssh(f"echo $$ > {shlex.quote(str(tmp_path / 'pid'))}; exec sleep 300\n")
    with pytest.raises(SourceError, match=r"ls-remote got no answer from the other side in 1 s"):
        run_over_network(tmp_path, "ls-remote", URL, patience=Patience(silent_seconds=1))
    _gone(int((tmp_path / "pid").read_text()))


def test_who_falls_silent_is_not_said_to_have_given_no_answer(ssh, tmp_path: Path) -> None:
    ssh("echo one word >&2; exec sleep 300\n")
    with pytest.raises(SourceError, match=r"heard nothing more from the other side in 1 s"):
        run_over_network(tmp_path, "ls-remote", URL, patience=Patience(silent_seconds=1))


def test_who_speaks_for_ever_is_given_up_too(ssh, tmp_path: Path) -> None:
    ssh("while echo word >&2; do sleep 0.1; done\n")
    with pytest.raises(SourceError, match=r"took more than 0.0002\d* h"):
        run_over_network(tmp_path, "ls-remote", URL, patience=Patience(longest_seconds=1))


def test_what_ssh_leaves_behind_for_its_next_call_is_not_waited_for(ssh, tmp_path: Path) -> None:
    ssh(
        f"sleep 300 >/dev/null & echo $! > {shlex.quote(str(tmp_path / 'pid'))}; echo fatal: no >&2; exit 1\n"
    )
    done = run_over_network(tmp_path, "ls-remote", URL)
    os.kill(int((tmp_path / "pid").read_text()), 9)
    assert "fatal: no" in done.stderr.decode()


def test_of_too_many_words_the_last_are_kept(ssh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_network, "_MOST_BYTES", 1000)
    ssh("i=0; while [ $i -lt 500 ]; do echo word $i >&2; i=$((i+1)); done; echo fatal: enough >&2; exit 1\n")
    done = run_over_network(tmp_path, "ls-remote", URL)
    assert len(done.stderr) == 1000
    assert "word 499" in done.stderr.decode()


def _gone(pid: int) -> None:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"{pid} is still there")
