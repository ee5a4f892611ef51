"""Why the root cannot be written, in words: what helps against one thing does not help against another."""

import msgspec
import pytest

from reconciler.observed.machine_records import DiskFacts
from reconciler.plan.root import unwritable_root

DISK = DiskFacts(
    root="/realm", exists=True, readable=True, writable=True, free_bytes=1, total_bytes=1, work_tree=None,
    file_system="ext4", is_network=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"writable": False}, "/realm cannot be written; give this user write permission there"),
        (
            {"writable": False, "is_read_only": True},
            "/realm lies on a file system that is mounted read-only; mount it for writing (if it became "
            "read-only by itself, the kernel's log says why: dmesg)",
        ),
    ],
)
def test_a_root_that_cannot_be_written_says_why_and_what_to_do(
    changes: dict[str, bool], said: str | None
) -> None:
    found = unwritable_root(msgspec.structs.replace(DISK, **changes))
    assert (None if found is None else "; ".join(found)) == said
