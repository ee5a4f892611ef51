"""The memory of this machine, as far as this process may take it: trainer and reconciler look here."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

_KIBIBYTE = 1024
_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)
"""What a group of processes may take, takes, and holds of files that it can do without, by the kernel's
second and first interface (cgroups(7))."""


class HostMemory(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, and what is free: of the machine, or of this process's group where that may take less."""

    total_bytes: int
    free_bytes: int


def host_memory(
    machine: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")
) -> HostMemory | None:
    """Return the memory of this machine (proc_meminfo(5)); None on a system that tells it otherwise."""
    try:
        found = _numbers(machine)
        whole = HostMemory(
            total_bytes=found["MemTotal:"] * _KIBIBYTE, free_bytes=found["MemAvailable:"] * _KIBIBYTE
        )
    except (OSError, KeyError, ValueError):
        return None
    limits = [whole, *_limits(group)]
    return HostMemory(
        total_bytes=min(one.total_bytes for one in limits), free_bytes=min(one.free_bytes for one in limits)
    )


def _limits(group: Path) -> Iterator[HostMemory]:
    for limit_name, taken_name, of_files in _FILES:
        try:
            limit, taken = (int((group / name).read_text("ascii")) for name in (limit_name, taken_name))
            spare = _numbers((group / limit_name).with_name("memory.stat"))[of_files]
        except (OSError, KeyError, ValueError):  # `max` is none, as is a group that is the root's
            continue
        yield HostMemory(total_bytes=limit, free_bytes=max(0, limit - taken + spare))


def _numbers(file: Path) -> dict[str, int]:
    """Return the first number of each line by the line's first word."""
    lines = (line.split() for line in file.read_text("ascii").splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1}
