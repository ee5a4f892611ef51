"""The one way to write bytes: all of them, however few a system call takes at once (write(2))."""

import os

from state.failpoints import reach


def write_all(descriptor: int, content: bytes, point: str = "file.write") -> None:
    """Write the whole content where the open file stands; `point` names the failpoint before it.

    Raises:
        OSError: the disk is full or failing; a part may be written.
    """
    reach(point)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
