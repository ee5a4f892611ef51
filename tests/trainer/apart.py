"""Work in a process of its own that a test may kill, hang or starve: a fork of a clean one, never of pytest.

What a test did before leaves threads behind (BLAKE3 hashes large files in a pool of them). A fork has none of these
threads and still waits for them: for ever. So a process that only loads the trainer and trained once forks the
children; it has one thread, and looks.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from children import DEADLINE_SECONDS, in_child


class Apart:
    """A process that loaded the trainer and forks a child for each work."""

    def __init__(self) -> None:
        mine, theirs = socket.socketpair()
        environment = os.environ | {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}  # BLAKE3's pool
        with theirs:
            self._server = subprocess.Popen([sys.executable, __file__], stdin=theirs, env=environment)
        self._line = Connection(mine.detach())

    def __call__(self, work: Callable[..., int | None], *arguments: object) -> int:
        """Do the work of the module `strikes` in a child and return what it returned, or minus its signal.

        Raises:
            AssertionError: it raised, or did not end in time; the child's traceback is in the message.
        """
        self._line.send((work.__name__, arguments))
        assert self._line.poll(DEADLINE_SECONDS + 20), "the process that forks does not answer"
        code, problem = self._line.recv()
        assert not problem, problem
        return int(code)

    def close(self) -> None:
        """End it: it has no more to do once its line is closed."""
        self._line.close()
        self._server.wait(DEADLINE_SECONDS)


def serve(line: Connection) -> None:
    """Do one work after the other until the line is closed."""
    import strikes

    strikes.warm_up()
    while True:
        try:
            name, arguments = line.recv()
        except EOFError:
            return
        line.send(_done(partial(getattr(strikes, name), *arguments)))


def _done(work: Callable[[], int | None]) -> tuple[int, str]:
    num_threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - names are enough
    if num_threads > 1:
        return 0, f"{num_threads} threads where a fork takes one along"
    try:
        return in_child(work), ""
    except AssertionError as problem:
        return 0, str(problem)


if __name__ == "__main__":
    serve(Connection(os.dup(0)))
