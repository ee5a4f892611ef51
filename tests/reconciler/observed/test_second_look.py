"""A second process looks ahead at what is remembered; what it does not do, or gets wrong by dying, is done here."""

import os
import signal

import pytest

from reconciler.observed.second_look import SecondLook

FOLDERS = ("a", "b", "c", "d")


def finished(look: SecondLook) -> int:
    """Wait until the second process is over, and return how it ended."""
    assert look._process is not None
    return os.waitstatus_to_exitcode(os.waitpid(look._process, 0)[1])


def test_the_second_process_says_which_folders_nobody_touched() -> None:
    look = SecondLook.begin(FOLDERS, lambda folder: folder != "b")
    assert finished(look) == 0
    assert [look.is_untouched(folder) for folder in FOLDERS] == [True, False, True, True]
    look.end()


def test_nothing_is_said_of_a_folder_that_it_was_not_given() -> None:
    look = SecondLook.begin(FOLDERS, lambda _: True)
    finished(look)
    assert look.is_untouched("e") is None


def test_the_two_meet_and_no_folder_is_looked_at_by_both() -> None:
    look, asked = SecondLook(FOLDERS), []
    assert [look.is_untouched("a"), look.is_untouched("b")] == [None, None]
    look._look(lambda folder: not asked.append(folder), os.getppid())
    assert asked == ["d", "c"]
    assert [look.is_untouched(folder) for folder in FOLDERS[2:]] == [True, True]


def test_it_ends_when_the_first_process_needs_no_more() -> None:
    look, asked = SecondLook(FOLDERS), []
    look.end()
    look._look(lambda folder: not asked.append(folder), os.getppid())
    assert asked == []


def test_it_ends_when_the_first_process_is_gone() -> None:
    look, asked = SecondLook(FOLDERS), []
    look._look(lambda folder: not asked.append(folder), os.getppid() + 1)
    assert asked == []


def kill_itself(_: str) -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return True


def fail(_: str) -> bool:
    raise MemoryError


@pytest.mark.parametrize(("what", "ends_with"), [(kill_itself, -signal.SIGKILL), (fail, 0)])
def test_of_a_second_process_that_dies_nothing_is_believed(what, ends_with) -> None:
    look = SecondLook.begin(FOLDERS, what)
    assert finished(look) == ends_with
    assert [look.is_untouched(folder) for folder in FOLDERS] == [None] * len(FOLDERS)
    look.end()
    look.end()
