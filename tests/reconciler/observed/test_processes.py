import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import msgspec
import pytest

from reconciler.observed import processes
from state.contract.process import COOKIE_VARIABLE, ProcessIdentity

BOOT = "11111111-2222-3333-4444-555555555555"


def identity(number: int, **changes: object) -> ProcessIdentity:
    it = ProcessIdentity(
        pid=number, boot_id=BOOT, start_ticks=500, cookie="biscuit", claimed_at="2026-01-31T12:00:00Z"
    )
    return msgspec.structs.replace(it, **changes)


@pytest.mark.parametrize(
    "name", ["python", "my prog", "a) S 1 (b", ")", "((", "x) Z 1 1", "line\nbreak"], ids=repr
)
def test_a_process_is_read_whatever_its_name(fake_proc, name) -> None:
    fake_proc.add(42, name=name, start=777, state="R", parent=7)
    seen = processes.identity_of(42, fake_proc.folder)
    assert seen is not None
    assert (seen.pid, seen.parent_pid, seen.start_ticks, seen.state, seen.name) == (42, 7, 777, "R", name)
    assert seen.boot_id == BOOT


@pytest.mark.parametrize(
    "line", ["", "42", "42 (x", "42 x) S 1", "42 (x) S 1 0", "42 (x) S one " + "0 " * 30], ids=repr
)
def test_a_torn_stat_line_is_nobody(fake_proc, line) -> None:
    fake_proc.add(42)
    (fake_proc.folder / "42" / "stat").write_text(line)
    assert processes.identity_of(42, fake_proc.folder) is None


def test_the_same_process_is_alive(fake_proc) -> None:
    fake_proc.add(42, cookie="biscuit")
    assert processes.is_alive(identity(42), fake_proc.folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"pid": 43},
        {"pid": 0},
        {"pid": -1},
        {"boot_id": "another boot"},
        {"start_ticks": 501},
        {"cookie": "bisc"},
        {"cookie": ""},
    ],
    ids=str,
)
def test_another_process_is_not_the_one_that_claimed(fake_proc, changes) -> None:
    fake_proc.add(42, cookie="biscuit")
    assert not processes.is_alive(identity(42, **changes), fake_proc.folder)


@pytest.mark.parametrize("state", ["Z", "X", "x"])
def test_a_dead_process_is_not_alive_while_its_entry_remains(fake_proc, state) -> None:
    fake_proc.add(42, cookie="biscuit", state=state)
    assert not processes.is_alive(identity(42), fake_proc.folder)


def test_a_process_whose_environment_cannot_be_read_is_not_ours(fake_proc) -> None:
    fake_proc.add(42, cookie="biscuit")
    (fake_proc.folder / "42" / "environ").unlink()
    (fake_proc.folder / "42" / "environ").mkdir()
    assert not processes.is_alive(identity(42), fake_proc.folder)


def test_a_process_that_is_leaving_lives_until_it_is_a_zombie(fake_proc) -> None:
    fake_proc.add(42, cookie="biscuit", state="D")
    (fake_proc.folder / "42" / "environ").write_bytes(b"")
    (fake_proc.folder / "42" / "statm").write_bytes(b"0 0 0 0 0 0 0\n")
    assert processes.is_alive(identity(42), fake_proc.folder)
    assert processes.find_by_cookie("biscuit", fake_proc.folder) is None


def test_a_stranger_without_any_environment_is_not_taken_for_a_trainer_that_is_leaving(fake_proc) -> None:
    fake_proc.add(42)
    (fake_proc.folder / "42" / "environ").write_bytes(b"")
    (fake_proc.folder / "42" / "statm").write_bytes(b"566 217 204 5 0 92 0\n")
    assert not processes.is_alive(identity(42), fake_proc.folder)


def test_a_trainer_is_found_by_its_cookie_before_it_claims(fake_proc) -> None:
    fake_proc.add(41, cookie="other")
    fake_proc.add(42, cookie="biscuit")
    fake_proc.add(43)
    assert processes.find_by_cookie("biscuit", fake_proc.folder) == 42
    assert processes.find_by_cookie("crumb", fake_proc.folder) is None
    assert processes.find_by_cookie("", fake_proc.folder) is None


def test_children_of_the_trainer_are_not_taken_for_it(fake_proc) -> None:
    fake_proc.add(12, cookie="biscuit", start=500, parent=42)
    fake_proc.add(13, cookie="biscuit", start=501, parent=12)
    fake_proc.add(42, cookie="biscuit", start=500)
    assert processes.find_by_cookie("biscuit", fake_proc.folder) == 42


def test_a_dead_bearer_of_the_cookie_is_not_found(fake_proc) -> None:
    fake_proc.add(42, cookie="biscuit", state="Z")
    assert processes.find_by_cookie("biscuit", fake_proc.folder) is None


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, COOKIE_VARIABLE: f"test-{os.getpid()}"}
    command = [sys.executable, "-S", "-c", "print('up', flush=True); import time; time.sleep(600)"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def claimed(pid: int) -> ProcessIdentity:
    seen = processes.identity_of(pid)
    assert seen is not None
    return identity(pid, boot_id=seen.boot_id, start_ticks=seen.start_ticks, cookie=f"test-{os.getpid()}")


def test_a_real_process_lives_until_it_is_killed_even_as_a_zombie(child) -> None:
    it = claimed(child.pid)
    assert processes.is_alive(it)
    assert processes.find_by_cookie(it.cookie) == child.pid
    child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 100
    while processes.is_alive(it) and time.monotonic() < deadline:
        time.sleep(0.01)
    seen = processes.identity_of(child.pid)
    assert seen is not None, "nobody waited for it yet"
    assert seen.state == "Z"
    assert not processes.is_alive(it)
    assert processes.find_by_cookie(it.cookie) is None
    child.wait()
    assert processes.identity_of(child.pid) is None


def test_a_stopped_process_still_lives(child) -> None:
    it = claimed(child.pid)
    child.send_signal(signal.SIGSTOP)
    assert processes.is_alive(it)
    child.send_signal(signal.SIGCONT)


@pytest.fixture
def no_more_files() -> Iterator[None]:
    """Let this process open no file more, as one does that has come to its limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_that_cannot_be_looked_at_now_is_not_called_dead(child, request) -> None:
    it = claimed(child.pid)
    request.getfixturevalue("no_more_files")

    with pytest.raises(OSError, match="Too many open files") as raised:
        processes.is_alive(it)

    assert raised.value.errno == errno.EMFILE


def test_our_own_process_started_in_this_boot() -> None:
    seen = processes.identity_of(os.getpid())
    assert seen is not None
    assert seen.boot_id == processes.boot_id()
    assert seen.parent_pid == os.getppid()
