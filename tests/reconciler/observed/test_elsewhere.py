"""Numbers of processes where /proc shows those of another PID namespace: nobody else is ever meant."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.observed.elsewhere import number_here, whereabouts_in
from reconciler.observed.processes import identity_of
from state.contract.process import ProcessIdentity

HERE, HOST = "pid:[2]", "pid:[1]"


def show(proc: Path, pid: int, namespace: str, *numbers: int) -> None:
    """Show a process under a number, in a namespace, with its numbers in each namespace from the outermost."""
    (proc / str(pid) / "ns").mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "ns/pid").symlink_to(namespace)
    said = "\t".join(map(str, numbers))
    (proc / str(pid) / "status").write_text(f"Name:\tpython\nNSpid:\t{said}\nNSsid:\t1\n")


@pytest.fixture
def host_s_proc(tmp_path: Path) -> Path:
    """A /proc in which this process has another number than it has itself."""
    proc, own = tmp_path / "proc", os.getpid() + 1
    show(proc, own, HERE, own, os.getpid())
    (proc / "self").symlink_to(str(own))
    return proc


def test_a_proc_of_this_namespace_shows_the_numbers_of_here(fake_proc) -> None:
    assert number_here(42, fake_proc.folder) == 42


def test_a_process_of_here_has_its_own_number_where_proc_shows_the_host_s(host_s_proc: Path) -> None:
    show(host_s_proc, 4242, HERE, 4242, 42)
    assert number_here(4242, host_s_proc) == 42


def test_a_process_of_the_host_has_no_number_here_whoever_has_the_same_one(host_s_proc: Path) -> None:
    show(host_s_proc, 42, HOST, 42)
    show(host_s_proc, 4242, HERE, 4242, 42)
    assert number_here(42, host_s_proc) is None


@pytest.mark.parametrize("what", ["ns/pid", "status"])
def test_what_proc_does_not_tell_has_no_number_here(host_s_proc: Path, what: str) -> None:
    show(host_s_proc, 4242, HERE, 4242, 42)
    (host_s_proc / "4242" / what).unlink()
    assert number_here(4242, host_s_proc) is None


def test_in_a_proc_that_does_not_show_this_process_nobody_has_a_number_of_here(host_s_proc: Path) -> None:
    show(host_s_proc, 4242, HERE, 4242, 42)
    (host_s_proc / "self").unlink()
    assert number_here(4242, host_s_proc) is None


FIRST_THREAD_ENDS = """
import ctypes, os, sys, threading, time
from pathlib import Path
from state.run_hold import hold
hold(Path(sys.argv[1]))
threading.Thread(target=time.sleep, args=(600,)).start()
sys.stdout.write("held\\n")
sys.stdout.flush()
ctypes.CDLL(None).syscall(60, 0)  # exit(2): of this thread alone
"""


@pytest.fixture
def ending(tmp_path: Path) -> Iterator[ProcessIdentity]:
    """A process of here whose first thread is dead already, while another one holds its run's folder."""
    with subprocess.Popen(
        [sys.executable, "-c", FIRST_THREAD_ENDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        until = time.monotonic() + 60
        while (seen := identity_of(process.pid)) is None or seen.state != "Z":
            assert time.monotonic() < until
            time.sleep(0.01)
        yield ProcessIdentity(
            pid=process.pid,
            boot_id=seen.boot_id,
            start_ticks=seen.start_ticks,
            cookie="c" * 32,
            claimed_at="",
        )
        process.kill()


def test_one_that_is_ending_lives_here_and_in_no_other_namespace(
    ending: ProcessIdentity, tmp_path: Path
) -> None:
    seen = whereabouts_in(ending, tmp_path)
    assert (seen.alive, seen.unreachable, seen.process) == (True, False, ending)


def test_one_that_ended_is_dead(ending: ProcessIdentity, tmp_path: Path) -> None:
    os.kill(ending.pid, 9)
    os.waitid(os.P_PID, ending.pid, os.WEXITED | os.WNOWAIT)
    assert not whereabouts_in(ending, tmp_path).alive
