"""Which GPUs this machine has, how full they are, and who computes on them.

Asks the driver's library (NVML); where that fails, the driver's own command `nvidia-smi`. Both are loaded
only where a driver is, so that the plan of a machine without one does not pay for them.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.observed.gpu_probes import GpuProbeFailed, Probe, Source
from reconciler.observed.machine_records import Gpu, GpuInventory

DRIVER_MARKERS = (
    Path("/proc/driver/nvidia"),
    Path("/dev/nvidiactl"),
    Path("/dev/dxg"),  # Windows Subsystem for Linux
    Path("/usr/bin/nvidia-smi"),
)


def has_driver(markers: Sequence[Path] = DRIVER_MARKERS) -> bool:
    """Is an NVIDIA driver here? A few looks at the file system, nothing is loaded."""
    return any(os.path.lexists(marker) for marker in markers)


def observe_gpus(
    probes: Sequence[Probe] | None = None, *, markers: Sequence[Path] = DRIVER_MARKERS
) -> GpuInventory:
    """Return the GPUs as the first probe that answers sees them; none, with a note, where none answers.

    Without `probes` this machine is asked, if it has a driver.
    """
    if probes is None:
        if not has_driver(markers):
            return GpuInventory(gpus=(), source="none", note="no NVIDIA driver on this machine")
        probes = _probes_of_this_machine()
    failures = []
    for source, probe in probes:
        try:
            return _inventory(source, probe())
        except GpuProbeFailed as failure:
            failures.append(f"{source}: {failure}")
    return GpuInventory(gpus=(), source="none", note="; ".join(failures) or "nothing was asked")


def visible_gpus(inventory: GpuInventory, allowed: str | None) -> GpuInventory:
    """Return the GPUs that a CUDA_VISIBLE_DEVICES allows: numbers in PCI bus order, or beginnings of uuids.

    None allows all. As CUDA does, the first entry that names no GPU ends the list.
    """
    if allowed is None:
        return inventory
    kept = []
    for entry in (part.strip() for part in allowed.split(",")):
        found = next((gpu for gpu in inventory.gpus if _is_named(gpu, entry)), None)
        if found is None:
            break
        kept.append(found)
    note = None if kept else f"CUDA_VISIBLE_DEVICES={allowed} allows none"
    gpus = tuple(sorted(kept, key=lambda gpu: gpu.index))
    return GpuInventory(gpus=gpus, source=inventory.source, note=note or inventory.note)


def _is_named(gpu: Gpu, entry: str) -> bool:
    return entry == str(gpu.index) or (len(entry) > len("GPU-") and gpu.uuid.startswith(entry))


def _probes_of_this_machine() -> tuple[Probe, ...]:
    from reconciler.observed.nvidia_smi import probe_nvidia_smi
    from reconciler.observed.nvml import probe_nvml

    return ("nvml", probe_nvml), ("nvidia-smi", probe_nvidia_smi)


def _inventory(source: Source, gpus: tuple[Gpu, ...]) -> GpuInventory:
    note = None if gpus else f"{source}: the driver knows no GPU"
    return GpuInventory(gpus=tuple(sorted(gpus, key=lambda gpu: gpu.index)), source=source, note=note)
