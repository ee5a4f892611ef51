"""What a GPU took of energy, by its driver's own counter (NVML, since Volta); a CPU has none to be read.

The counter is of the whole card: what others compute there meanwhile is in it.
"""

from typing import Any

import torch

_JOULES = 1e-3
"""The counter is in millijoules."""


class EnergyMeter:
    """Says what the device took since it was asked last."""

    def __init__(self, device: torch.device, library: Any = None) -> None:
        """Begin to count; `library` is a module like pynvml, else that, where the device is a GPU."""
        self._nvml, self._handle = _opened(device, library)
        self._before = self._counter()

    def joules(self) -> float | None:
        """Return what was taken since the last time; None where nothing tells."""
        now, before = self._counter(), self._before
        self._before = now
        if now is None or before is None or now < before:  # the driver was loaded again
            return None
        return (now - before) * _JOULES

    def _counter(self) -> int | None:
        if self._handle is None:
            return None
        try:
            return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))
        except self._nvml.NVMLError:
            self._handle = None  # this card, or these rights, have no counter
            return None


def _opened(device: torch.device, library: Any) -> tuple[Any, Any]:
    """Return the library and the device's handle in it; None, None where there is no GPU or no library."""
    if device.type != "cuda":
        return None, None
    nvml = library or _import_nvml()
    if nvml is None:
        return None, None
    try:
        nvml.nvmlInit()
        return nvml, nvml.nvmlDeviceGetHandleByIndex(device.index or 0)
    except nvml.NVMLError:
        return nvml, None


def _import_nvml() -> Any:
    try:
        import pynvml
    except ImportError:
        return None
    return pynvml
