"""Work in a forked child that a test may kill: it always ends, and says how, whatever happens in it.

A fork of pytest that an exception ends would live on as a second pytest, and one that waits for a thread which was
not forked along would never end. Tests that loaded torch use `tests/trainer/apart.py` instead.
"""

import faulthandler
import gc
import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn

DEADLINE_SECONDS = 120.0
"""More than a child takes on a slow and busy machine, less than pytest's own limit of a test."""
_LAST_WORDS_SECONDS = 1.0
_RAISED = 70


def in_child(work: Callable[[], int | None], deadline_seconds: float = DEADLINE_SECONDS) -> int:
    """Do the work in a forked child and return what it returned (0 for None); minus the signal that killed it.

    Raises:
        AssertionError: it raised, or did not end in time and was killed; the child's traceback is in the message.
    """
    listen, say = os.pipe()
    child = _forked()
    if child == 0:
        _end_with(work, say)
    os.close(say)
    try:
        words, is_over = _words(listen, deadline_seconds)
        if not is_over:
            os.kill(child, signal.SIGUSR1)
            words += _words(listen, _LAST_WORDS_SECONDS)[0]
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(listen)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert is_over, f"the child did not end within {deadline_seconds:g} s:\n{words.decode()}"
    assert code != _RAISED, f"the child raised:\n{words.decode()}"
    return code


def start_child(work: Callable[[], int | None]) -> int:
    """Start the work in a forked child that ends with it, and return the child; the caller waits for it."""
    child = _forked()
    if child == 0:
        _end_with(work, 2)
    return child


def _forked() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns of threads: pytest-xdist has one, which waits for its master and holds no lock of ours.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _end_with(work: Callable[[], int | None], say: int) -> NoReturn:
    """Work and exit; what is raised goes to the parent, and so does the stack where the parent asks for it."""
    code = _RAISED
    try:
        gc.disable()  # it would copy every page of this process
        faulthandler.register(signal.SIGUSR1, file=say, all_threads=True)
        code = work() or 0
    except BaseException:  # noqa: BLE001 - a forked child must not run on as a second pytest
        os.write(say, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _words(listen: int, seconds: float) -> tuple[bytes, bool]:
    """Return what the child writes, and whether it ended in this time: then its end of the pipe is closed."""
    words, until = b"", time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([listen], [], [], left)[0]:
            if not (block := os.read(listen, 1 << 16)):
                return words, True
            words += block
    return words, False
