"""A way of asking for the GPUs, and its failure."""

from collections.abc import Callable
from typing import Literal

from reconciler.observed.machine_records import Gpu

Source = Literal["nvml", "nvidia-smi", "given"]
Probe = tuple[Source, Callable[[], tuple[Gpu, ...]]]


class GpuProbeFailed(Exception):
    """This way of asking gave no answer; says why."""
