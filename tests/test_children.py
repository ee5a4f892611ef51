"""The child in which a test kills: it ends, whatever happens in it, and its parent hears how."""

import os
import signal
import threading

import pytest
from children import in_child


@pytest.mark.parametrize(("work", "code"), [(lambda: None, 0), (lambda: 3, 3)], ids=["nothing", "a number"])
def test_what_the_work_returns_is_the_exit_code(work, code: int) -> None:
    assert in_child(work) == code


def test_a_child_that_is_killed_is_told_by_its_signal() -> None:
    assert in_child(lambda: os.kill(os.getpid(), signal.SIGKILL)) == -signal.SIGKILL


def leave() -> None:
    raise SystemExit(0)


def break_off() -> None:
    raise OSError(28, "No space left on device", "there")


@pytest.mark.parametrize(("work", "told"), [(leave, "SystemExit: 0"), (break_off, "in break_off")])
def test_whatever_is_raised_in_it_ends_it_and_is_told(work, told: str) -> None:
    with pytest.raises(AssertionError, match=r"the child raised:\nTraceback") as failed:
        in_child(work)
    assert told in str(failed.value)


def wait_for_nobody() -> None:
    threading.Event().wait()


def test_one_that_waits_for_ever_is_killed_and_its_stack_is_told() -> None:
    with pytest.raises(AssertionError, match=r"did not end within 0\.5 s") as failed:
        in_child(wait_for_nobody, deadline_seconds=0.5)
    assert "in wait_for_nobody" in str(failed.value)
