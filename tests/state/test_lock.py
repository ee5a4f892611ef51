"""One reconciler at a time; the kernel gives the lock back when its holder dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from children import start_child

from state.lock import Holder, LockHeld, hold_lock, mirror_epoch, read_epoch

Hold = Callable[[Path], int]
SINCE = "2026-01-31T12:00:00Z"


@pytest.fixture
def hold_elsewhere() -> Iterator[Callable[[Path], int]]:
    """Return a function that makes a child hold a lock until it is killed, and returns the child."""
    children: list[int] = []

    def hold(lock: Path) -> int:
        ready, say = os.pipe()

        def work() -> None:
            with hold_lock(lock, command="reconcile apply", since=SINCE):
                os.write(say, b"x")
                time.sleep(600)

        child = start_child(work)
        os.close(say)
        assert os.read(ready, 1) == b"x"
        os.close(ready)
        children.append(child)
        return child

    yield hold
    for child in children:
        end(child)


def end(child: int) -> None:
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def holder(lock: Path) -> tuple[int, str]:
    """Return the process that wrote itself into the lock last, and its command."""
    said = msgspec.json.decode(lock.read_bytes(), type=Holder)
    return said.pid, said.command


def test_the_second_is_told_who_holds_it_since_when(tmp_path: Path, hold_elsewhere: Hold) -> None:
    lock = tmp_path / "control/lock"
    child = hold_elsewhere(lock)

    with (
        pytest.raises(
            LockHeld,
            match=f"holds {lock} since {SINCE}: pid {child} on .*, `reconcile apply`; wait for it, or",
        ),
        hold_lock(lock, command="reconcile apply --once", since="later"),
    ):
        pytest.fail("two hold it")


def test_a_holder_that_was_killed_holds_it_no_more(tmp_path: Path, hold_elsewhere: Hold) -> None:
    end(hold_elsewhere(tmp_path / "lock"))

    with hold_lock(tmp_path / "lock", command="next", since=SINCE):
        assert holder(tmp_path / "lock") == (os.getpid(), "next")


def test_waiting_ends_when_the_holder_leaves(tmp_path: Path, hold_elsewhere: Hold) -> None:
    lock = tmp_path / "lock"
    child = hold_elsewhere(lock)
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.2; kill -9 {child}"])

    with hold_lock(lock, command="next", since=SINCE, timeout_seconds=100):
        assert holder(lock) == (os.getpid(), "next")
    assert killer.wait() == 0


def test_waiting_is_bounded(tmp_path: Path, hold_elsewhere: Hold) -> None:
    hold_elsewhere(tmp_path / "lock")
    begun = time.monotonic()

    with (
        pytest.raises(LockHeld),
        hold_lock(tmp_path / "lock", command="next", since=SINCE, timeout_seconds=0.2),
    ):
        pytest.fail("two hold it")

    assert time.monotonic() - begun >= 0.2


def test_a_started_program_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with hold_lock(lock, command="first", since=SINCE):
        program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False)

    with hold_lock(lock, command="second", since=SINCE, timeout_seconds=100):  # exec(2) may be under way
        assert holder(lock) == (os.getpid(), "second")
        assert program.poll() is None
    program.kill()
    program.wait()


def test_a_holder_that_is_just_writing_its_name_is_still_a_holder(
    tmp_path: Path, hold_elsewhere: Hold
) -> None:
    hold_elsewhere(tmp_path / "lock")
    (tmp_path / "lock").write_text('{"pid": 1')

    with (
        pytest.raises(LockHeld, match=r"it has just begun\); wait for it or stop it"),
        hold_lock(tmp_path / "lock", command="next", since=SINCE),
    ):
        pytest.fail("two hold it")


def test_the_epochs_mirror_says_what_was_written(tmp_path: Path) -> None:
    assert read_epoch(tmp_path / "epoch") == 0
    mirror_epoch(tmp_path / "epoch", 7)
    assert read_epoch(tmp_path / "epoch") == 7


def test_a_damaged_mirror_is_told(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text("seven")

    with pytest.raises(ValueError, match="'seven' is not an epoch"):
        read_epoch(tmp_path / "epoch")
