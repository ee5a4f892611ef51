"""Ask the NVIDIA driver's own library which GPUs there are."""

from collections.abc import Callable
from typing import Any

from reconciler.observed.gpu_probes import GpuProbeFailed
from reconciler.observed.machine_records import Gpu, GpuProcess

_NOT_TOLD = 2**64 - 1
"""NVML's value for a process memory that it does not know."""


def probe_nvml(library: Any = None) -> tuple[Gpu, ...]:
    """Return the GPUs as NVML tells; `library` is a module like pynvml.

    Raises:
        GpuProbeFailed: the library or the driver is missing or does not answer.
    """
    nvml = library or _import_nvml()
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        raise GpuProbeFailed(str(error)) from error
    try:
        return tuple(_nvml_gpu(nvml, index) for index in range(nvml.nvmlDeviceGetCount()))
    except nvml.NVMLError as error:
        raise GpuProbeFailed(str(error)) from error
    finally:
        _shut_down(nvml)


def _import_nvml() -> Any:
    """Import it only where a driver is: the plan of a CPU machine does not pay for it."""
    try:
        import pynvml
    except ImportError as error:
        raise GpuProbeFailed(f"nvidia-ml-py is not installed ({error})") from error
    return pynvml


def _shut_down(nvml: Any) -> None:
    try:
        nvml.nvmlShutdown()
    except nvml.NVMLError:
        return  # what was asked has been answered; the driver frees the rest with the process


def _nvml_gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = _if_supported(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    rates = _if_supported(nvml, nvml.nvmlDeviceGetUtilizationRates, handle)
    return Gpu(
        index=index,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        name=_text(nvml.nvmlDeviceGetName(handle)),
        memory_total_bytes=None if memory is None else int(memory.total),
        memory_used_bytes=None if memory is None else int(memory.used),
        utilization_percent=None if rates is None else int(rates.gpu),
        processes=_nvml_processes(nvml, handle),
    )


def _nvml_processes(nvml: Any, handle: Any) -> tuple[GpuProcess, ...]:
    found = _if_supported(nvml, nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
    processes = (
        GpuProcess(pid=int(process.pid), memory_bytes=_nvml_memory(process.usedGpuMemory))
        for process in found
    )
    return tuple(sorted(processes, key=lambda process: process.pid))


def _nvml_memory(value: int | None) -> int | None:
    return None if value is None or value == _NOT_TOLD else int(value)


def _if_supported(nvml: Any, ask: Callable[[Any], Any], handle: Any) -> Any:
    """Return the answer, or None where this GPU or these rights do not give it."""
    try:
        return ask(handle)
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_NoPermission, nvml.NVMLError_FunctionNotFound):
        return None


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
