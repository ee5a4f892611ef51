"""The C library's memory, kept by this process instead of handed back after every operation.

By itself glibc returns large blocks to the system when they are free, and takes them again, page by page, for
the next operation: one to fourteen thousand page faults an update of the tiny heroes; with this, none.
"""

import ctypes
from typing import Any

from trainer.engine.failures import EnvironmentFailure

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Names of glibc's options (mallopt(3))."""
LARGEST_MMAP_THRESHOLD = 32 * 2**20
"""glibc takes no more on 64-bit systems (mallopt(3), M_MMAP_THRESHOLD)."""
NEVER_TRIM = 2**31 - 1


def keep_freed_memory(library: Any = None) -> bool:
    """Reuse what was freed from now on; return False where the C library has no such option (musl).

    Raises:
        EnvironmentFailure: glibc refuses the values that its manual allows.
    """
    library = library or ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    for option, value in ((MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD), (TRIM_THRESHOLD, NEVER_TRIM)):
        if library.mallopt(option, value) != 1:
            raise EnvironmentFailure(f"mallopt({option}, {value}) was refused by the C library")
    return True
