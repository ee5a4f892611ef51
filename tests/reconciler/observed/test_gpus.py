import re
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.observed.gpu_probes import GpuProbeFailed
from reconciler.observed.gpus import observe_gpus, visible_gpus
from reconciler.observed.machine_records import Gpu, GpuProcess
from reconciler.observed.nvidia_smi import parse_nvidia_smi, probe_nvidia_smi
from reconciler.observed.nvml import probe_nvml

MIB = 1024**2
GPUS = "index, uuid, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%]\n"
PROCESSES = "gpu_uuid, pid, used_gpu_memory [MiB]\n"
ONE = GPUS + "0, GPU-1, NVIDIA H200, 143771 MiB, 5 MiB, 0 %\n"


def sections(capture: Path, state: str) -> tuple[str, str]:
    """Return what the two queries printed, out of a capture of the whole machine."""
    text = capture.read_text(encoding="utf-8")
    found = []
    for query in ("query-gpu ", "query-compute-apps "):
        match = re.search(rf"# {state} :: {re.escape(query)}.*?\n#+\n(.*?)(?:\n\n|\Z)", text, re.DOTALL)
        assert match, f"{capture}: no {state} {query}"
        found.append(match[1])
    return found[0], found[1]


def test_every_capture_of_a_real_machine_is_understood(cases: Path) -> None:
    captures = sorted((cases / "nvidia-smi").glob("*.txt"))
    assert captures
    for capture in captures:
        for state in ("idle", "load"):
            (gpu,) = parse_nvidia_smi(*sections(capture, state))
            assert gpu.index == 0
            assert gpu.name.replace(" ", "-").lower() in capture.name
            assert gpu.uuid == "GPU-00000000-0000-0000-0000-000000000000"
            assert gpu.memory_total_bytes
            assert gpu.memory_used_bytes is not None
            assert 0 < gpu.memory_used_bytes < gpu.memory_total_bytes
            assert gpu.utilization_percent is not None
            assert gpu.processes


def test_a_loaded_linux_machine_tells_the_memory_of_each_process(cases: Path) -> None:
    (capture,) = (cases / "nvidia-smi").glob("linux-*4080-super*.txt")
    (gpu,) = parse_nvidia_smi(*sections(capture, "load"))
    assert (gpu.memory_total_bytes, gpu.memory_used_bytes) == (16376 * MIB, 1474 * MIB)
    assert gpu.utilization_percent == 7
    assert gpu.processes == (
        GpuProcess(pid=2165, memory_bytes=25 * MIB),
        GpuProcess(pid=5021, memory_bytes=360 * MIB),
        GpuProcess(pid=5022, memory_bytes=503 * MIB),
    )


def test_windows_does_not_tell_the_memory_of_a_process(cases: Path) -> None:
    (capture,) = (cases / "nvidia-smi").glob("windows-*2080-super*.txt")
    (gpu,) = parse_nvidia_smi(*sections(capture, "idle"))
    assert GpuProcess(pid=2056, memory_bytes=None) in gpu.processes
    assert {process.memory_bytes for process in gpu.processes} == {None}


def test_what_the_driver_does_not_tell_is_none() -> None:
    (gpu,) = parse_nvidia_smi(GPUS + "0, GPU-1, NVIDIA GB10, [N/A], N/A, [Not Supported]\n", PROCESSES)
    assert (gpu.memory_total_bytes, gpu.memory_used_bytes, gpu.utilization_percent) == (None, None, None)


def test_a_process_belongs_to_the_gpu_that_it_names() -> None:
    two = ONE + "1, GPU-2, NVIDIA H200, 143771 MiB, 5 MiB, 0 %\n"
    gpus = parse_nvidia_smi(two, PROCESSES + "GPU-2, 77, 1 MiB\n")
    assert [len(gpu.processes) for gpu in gpus] == [0, 1]


@pytest.mark.parametrize(
    ("gpus", "message"),
    [
        ("", "no column index"),
        ("No devices were found\n", "no column index"),
        (GPUS + "0, GPU-1, X\n", "6 columns expected"),
        (GPUS + "zero, GPU-1, X, 1 MiB, 1 MiB, 0 %\n", "'zero' is not a whole number"),
        (GPUS + "[N/A], GPU-1, X, 1 MiB, 1 MiB, 0 %\n", r"index is \[N/A\]"),
        (GPUS + "0, GPU-1, X, 1 MB, 1 MiB, 0 %\n", "'1 MB' has no unit that is known"),
        (GPUS + "0, GPU-1, X, 1, 1 MiB, 0 %\n", "'1' has no unit"),
    ],
)
def test_other_output_is_refused_with_the_reason(gpus, message) -> None:
    with pytest.raises(GpuProbeFailed, match=message):
        parse_nvidia_smi(gpus, PROCESSES)


def script(tmp_path: Path, body: str) -> tuple[str]:
    path = tmp_path / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return (str(path),)


def test_the_drivers_command_is_run_and_read(tmp_path: Path) -> None:
    (tmp_path / "gpus").write_text(ONE)
    (tmp_path / "processes").write_text(PROCESSES)
    body = f'case "$1" in --query-gpu*) cat {tmp_path}/gpus ;; *) cat {tmp_path}/processes ;; esac'
    (gpu,) = probe_nvidia_smi(script(tmp_path, body))
    assert gpu.name == "NVIDIA H200"


def test_a_command_that_fails_says_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(GpuProbeFailed, match="exit code 9: NVIDIA-SMI has failed"):
        probe_nvidia_smi(script(tmp_path, "echo NVIDIA-SMI has failed; exit 9"))
    with pytest.raises(GpuProbeFailed, match="No such file"):
        probe_nvidia_smi((str(tmp_path / "absent"),))


class FakeNvml:
    """The calls of pynvml that are used, for a machine given by the test."""

    class NVMLError(Exception):
        pass

    class NVMLError_NotSupported(NVMLError):  # noqa: N801 - the library's name
        pass

    class NVMLError_NoPermission(NVMLError):  # noqa: N801
        pass

    class NVMLError_FunctionNotFound(NVMLError):  # noqa: N801
        pass

    def __init__(self, count: int = 1, fails: dict[str, type[Exception]] | None = None) -> None:
        self.count = count
        self.fails = fails or {}
        self.open = 0

    def __getattr__(self, name: str) -> Any:
        def call(*_: object) -> Any:
            if name in self.fails:
                raise self.fails[name](f"{name} failed")
            return getattr(self, "_" + name)()

        return call

    def _nvmlInit(self) -> None:  # noqa: N802
        self.open += 1

    def _nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def _nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return self.count

    def _nvmlDeviceGetHandleByIndex(self) -> str:  # noqa: N802
        return "handle"

    def _nvmlDeviceGetUUID(self) -> bytes:  # noqa: N802
        return b"GPU-1"

    def _nvmlDeviceGetName(self) -> str:  # noqa: N802
        return "NVIDIA H200"

    def _nvmlDeviceGetMemoryInfo(self) -> Any:  # noqa: N802
        return SimpleNamespace(total=1000, used=10, free=990)

    def _nvmlDeviceGetUtilizationRates(self) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=55, memory=1)

    def _nvmlDeviceGetComputeRunningProcesses(self) -> Any:  # noqa: N802
        return [
            SimpleNamespace(pid=9, usedGpuMemory=None),
            SimpleNamespace(pid=8, usedGpuMemory=5),
            SimpleNamespace(pid=7, usedGpuMemory=2**64 - 1),
        ]


def test_nvml_tells_memory_load_and_processes_and_is_shut_down() -> None:
    library = FakeNvml()
    (gpu,) = probe_nvml(library)
    assert gpu == Gpu(
        index=0, uuid="GPU-1", name="NVIDIA H200", memory_total_bytes=1000, memory_used_bytes=10,
        utilization_percent=55,
        processes=(
            GpuProcess(pid=7, memory_bytes=None),
            GpuProcess(pid=8, memory_bytes=5),
            GpuProcess(pid=9, memory_bytes=None),
        ),
    )  # fmt: skip
    assert library.open == 0


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ("nvmlDeviceGetMemoryInfo", "memory_total_bytes"),
        ("nvmlDeviceGetUtilizationRates", "utilization_percent"),
    ],
)
def test_what_nvml_does_not_support_on_this_gpu_is_none(call, field) -> None:
    (gpu,) = probe_nvml(FakeNvml(fails={call: FakeNvml.NVMLError_NotSupported}))
    assert getattr(gpu, field) is None


def test_nvml_is_shut_down_when_a_gpu_is_lost() -> None:
    library = FakeNvml(fails={"nvmlDeviceGetUUID": FakeNvml.NVMLError})
    with pytest.raises(GpuProbeFailed, match="nvmlDeviceGetUUID failed"):
        probe_nvml(library)
    assert library.open == 0


def test_where_nvml_fails_the_drivers_command_is_asked() -> None:
    broken = FakeNvml(fails={"nvmlInit": FakeNvml.NVMLError})
    inventory = observe_gpus(
        [("nvml", lambda: probe_nvml(broken)), ("nvidia-smi", lambda: parse_nvidia_smi(ONE, PROCESSES))]
    )
    assert inventory.source == "nvidia-smi"
    assert [gpu.uuid for gpu in inventory.gpus] == ["GPU-1"]
    assert inventory.note is None


def test_where_nothing_answers_there_is_no_gpu_and_a_note_why() -> None:
    broken = FakeNvml(fails={"nvmlInit": FakeNvml.NVMLError})
    inventory = observe_gpus(
        [("nvml", lambda: probe_nvml(broken)), ("nvidia-smi", lambda: parse_nvidia_smi("", PROCESSES))]
    )
    assert inventory.gpus == ()
    assert inventory.note is not None
    assert "nvml: nvmlInit failed" in inventory.note
    assert "nvidia-smi: no column index" in inventory.note


def test_gpus_are_in_the_order_of_their_numbers() -> None:
    two = ONE.replace("\n0, GPU-1", "\n1, GPU-2") + ONE.splitlines()[1] + "\n"
    inventory = observe_gpus([("given", lambda: parse_nvidia_smi(two, PROCESSES))])
    assert [gpu.index for gpu in inventory.gpus] == [0, 1]


def test_a_driver_without_gpus_is_told_as_such() -> None:
    inventory = observe_gpus([("nvml", lambda: probe_nvml(FakeNvml(count=0)))])
    assert (inventory.gpus, inventory.note) == ((), "nvml: the driver knows no GPU")


def test_a_machine_without_a_driver_is_known_without_loading_anything(tmp_path: Path) -> None:
    inventory = observe_gpus(markers=(tmp_path / "no driver",))
    assert (inventory.source, inventory.note) == ("none", "no NVIDIA driver on this machine")


@pytest.mark.parametrize(
    ("allowed", "kept"),
    [
        (None, [0, 1]),
        ("1", [1]),
        ("1,0", [0, 1]),
        ("GPU-b", [1]),
        ("", []),
        ("-1", []),
        ("0,7,1", [0]),
    ],
)
def test_only_the_gpus_that_the_environment_allows_are_seen(allowed, kept) -> None:
    cards = tuple(
        Gpu(
            index=index,
            uuid=uuid,
            name="card",
            memory_total_bytes=1,
            memory_used_bytes=0,
            utilization_percent=0,
        )
        for index, uuid in enumerate(("GPU-aaa", "GPU-bbb"))
    )
    seen = visible_gpus(observe_gpus([("given", lambda: cards)]), allowed)
    assert [gpu.index for gpu in seen.gpus] == kept
