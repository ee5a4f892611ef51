"""Ask the NVIDIA driver's command, and read what it prints on Linux and Windows."""

import csv
import subprocess
from collections.abc import Sequence

import msgspec

from reconciler.observed.gpu_probes import GpuProbeFailed
from reconciler.observed.machine_records import Gpu, GpuProcess

_GPU_FIELDS = "index,uuid,name,memory.total,memory.used,utilization.gpu"
_PROCESS_FIELDS = "gpu_uuid,pid,used_gpu_memory"
_TIMEOUT_SECONDS = 20
_UNITS = {"MiB": 1024**2, "KiB": 1024, "GiB": 1024**3, "B": 1, "%": 1}


def probe_nvidia_smi(command: Sequence[str] = ("nvidia-smi",)) -> tuple[Gpu, ...]:
    """Return the GPUs as the driver's own command prints them.

    Raises:
        GpuProbeFailed: it is missing, fails, hangs, or prints something else.
    """
    gpus = _run([*command, f"--query-gpu={_GPU_FIELDS}", "--format=csv"])
    processes = _run([*command, f"--query-compute-apps={_PROCESS_FIELDS}", "--format=csv"])
    return parse_nvidia_smi(gpus, processes)


def _run(command: list[str]) -> str:
    try:
        outcome = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GpuProbeFailed(str(error)) from error
    output = outcome.stdout.decode("utf-8", "replace")
    if outcome.returncode != 0:
        message = (output or outcome.stderr.decode("utf-8", "replace")).strip()[:500]
        raise GpuProbeFailed(f"exit code {outcome.returncode}: {message}")
    return output


def parse_nvidia_smi(gpus_csv: str, processes_csv: str) -> tuple[Gpu, ...]:
    """Return the GPUs in the two outputs of `--query-gpu` and `--query-compute-apps`, with header and units.

    Further columns are ignored; `[N/A]` and its like are None.

    Raises:
        GpuProbeFailed: a column is missing or a value is not of its kind.
    """
    processes = [
        (_needed(row, "gpu_uuid"), _process(row)) for row in _rows(processes_csv, "used_gpu_memory", "pid")
    ]
    gpus = (
        _smi_gpu(row) for row in _rows(gpus_csv, "index", "memory.total", "memory.used", "utilization.gpu")
    )
    return tuple(
        msgspec.structs.replace(
            gpu,
            processes=tuple(
                sorted((one for uuid, one in processes if uuid == gpu.uuid), key=lambda process: process.pid)
            ),
        )
        for gpu in gpus
    )


def _smi_gpu(row: dict[str, str]) -> Gpu:
    return Gpu(
        index=_whole(_needed(row, "index")),
        uuid=_needed(row, "uuid"),
        name=_needed(row, "name"),
        memory_total_bytes=_amount(row["memory.total"]),
        memory_used_bytes=_amount(row["memory.used"]),
        utilization_percent=_amount(row["utilization.gpu"]),
    )


def _process(row: dict[str, str]) -> GpuProcess:
    return GpuProcess(pid=_whole(_needed(row, "pid")), memory_bytes=_amount(row["used_gpu_memory"]))


def _rows(text: str, *needed: str) -> list[dict[str, str]]:
    """Return the lines as records by column name, the unit in `name [MiB]` taken off."""
    lines = list(csv.reader(text.splitlines(), skipinitialspace=True))
    lines = [line for line in lines if line]
    header = [name.partition(" [")[0].strip() for name in lines[0]] if lines else []
    if missing := [name for name in needed if name not in header]:
        raise GpuProbeFailed(f"no column {missing[0]} in {text[:200]!r}")
    if wrong := next((line for line in lines if len(line) != len(header)), None):
        raise GpuProbeFailed(f"{len(header)} columns expected in {','.join(wrong)[:200]!r}")
    return [dict(zip(header, map(str.strip, line), strict=True)) for line in lines[1:]]


def _needed(row: dict[str, str], name: str) -> str:
    value = row.get(name, "")
    if not value or _is_unknown(value):
        raise GpuProbeFailed(f"{name} is {value or 'missing'}")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise GpuProbeFailed(f"{text!r} is not a whole number") from error


def _amount(text: str) -> int | None:
    """Return the value in bytes or percent; None where it is unknown."""
    if _is_unknown(text):
        return None
    number, _, unit = text.partition(" ")
    if unit not in _UNITS:
        raise GpuProbeFailed(f"{text!r} has no unit that is known ({', '.join(_UNITS)})")
    return _whole(number) * _UNITS[unit]


def _is_unknown(text: str) -> bool:
    """Is it `[N/A]`, `N/A`, `[Not Supported]`, `[Insufficient Permissions]`, ...?"""
    return text.startswith("[") or text == "N/A"
