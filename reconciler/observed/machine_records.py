"""What was seen of this machine: its GPUs, its processes, its file systems. Pure as `records`."""

from typing import Literal

import msgspec


class GpuProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that computes on a GPU."""

    pid: int
    memory_bytes: int | None
    """None where the driver does not tell (Windows, some containers)."""
    name: str | None = None
    """Of its program; None where it cannot be seen from here, as from inside of a container."""


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU of this machine, numbered as the driver does (PCI bus order)."""

    index: int
    uuid: str
    name: str
    memory_total_bytes: int | None
    memory_used_bytes: int | None
    """None where GPU and CPU share one memory and the driver does not tell."""
    utilization_percent: int | None
    processes: tuple[GpuProcess, ...] = ()


class GpuInventory(msgspec.Struct, frozen=True, kw_only=True):
    """All GPUs. None at all is a fact like any other; the note says why."""

    gpus: tuple[Gpu, ...]
    source: Literal["nvml", "nvidia-smi", "none", "given"]
    note: str | None = None


class SeenProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process as /proc shows it now."""

    pid: int
    parent_pid: int
    boot_id: str
    start_ticks: int
    """Clock ticks between boot and start."""
    state: str
    """One letter, as in proc(5); Z and X are dead."""
    name: str


class CopyTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A folder outside the root that is to take copies."""

    problem: str | None = None
    """Why it takes none, whatever the size."""
    free_bytes: int | None = None
    """What an ordinary user may still write; None where that cannot be told."""


class DiskFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The realm's root and the file system under it."""

    root: str
    exists: bool
    readable: bool
    writable: bool
    free_bytes: int | None
    """What an ordinary user may still write; of the nearest existing folder when the root is missing."""
    total_bytes: int | None
    work_tree: str | None
    """The git work tree that the root lies in; there it must not be."""
    file_system: str | None
    """Type of the mounted file system, such as ext4."""
    is_network: bool
    """A network file system: locks and renames there promise less."""
    is_read_only: bool = False
    """The file system is mounted read-only: no permission helps."""
    ballast_bytes: int = 0
    """Of the file that keeps room for the moment when the disk is full; 0: there is none."""
    problems: tuple[str, ...] = ()
