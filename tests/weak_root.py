"""A test of what cannot be read must not pass over what root may read all the same: root gives up that right."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_VERSION_3 = 0x20080522  # linux/capability.h
_READ_ALL = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_EFFECTIVE = 0
_CANNOT = 77
_DROP = """
import ctypes, os, sys
drop = ctypes.CDLL(None).prctl  # PR_CAPBSET_DROP is 24: what is started then has it no more
if os.geteuid() == 0 and any(drop(24, right, 0, 0, 0) for right in (1, 2)):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


@contextmanager
def weak_root() -> Iterator[None]:
    """Be as weak as any user in this thread: what a folder's mode forbids is forbidden."""
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    rights, weaker = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capget(header, rights) != 0:
        pytest.skip(f"this system does not tell its rights: {os.strerror(ctypes.get_errno())}")
    weaker[:] = rights[:]
    weaker[_EFFECTIVE] &= ~_READ_ALL & 0xFFFFFFFF
    assert libc.capset(header, weaker) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        libc.capset(header, rights)


def weak_command(*command: str) -> list[str]:
    """Return a command that runs another one which may not read what modes forbid; skip where that cannot be."""
    prefix = [sys.executable, "-c", _DROP]
    tried = subprocess.run([*prefix, sys.executable, "-c", ""], check=False)
    if tried.returncode == _CANNOT:
        pytest.skip("this root may not give up its right to read everything")
    return [*prefix, *command]
