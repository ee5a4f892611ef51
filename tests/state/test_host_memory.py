"""How much memory there is: the machine's, or what this process's group may take where that is less."""

from pathlib import Path

import pytest

from state.host_memory import HostMemory, host_memory

MEMINFO = (
    "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    600 kB\nHugePages_Total:       0\n"
)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    file = tmp_path / "meminfo"
    file.write_text(MEMINFO)
    return file


def a_group(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        file = folder / name.replace("__", "/").replace("_of_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


def test_a_machine_without_limits_has_all_of_its_memory(machine: Path, tmp_path: Path) -> None:
    group = a_group(
        tmp_path / "g", memory_of_max="max\n", memory_of_current="5\n", memory_of_stat="inactive_file 1\n"
    )
    for bounds in (group, tmp_path / "nothing"):
        assert host_memory(machine, bounds) == HostMemory(total_bytes=1_024_000, free_bytes=614_400)


def test_a_group_that_may_take_less_has_no_more(machine: Path, tmp_path: Path) -> None:
    """What it holds of files it can do without counts as free."""
    stat = "anon 7\ninactive_file 50000\n"
    group = a_group(
        tmp_path / "g", memory_of_max="500000\n", memory_of_current="300000\n", memory_of_stat=stat
    )
    assert host_memory(machine, group) == HostMemory(total_bytes=500_000, free_bytes=250_000)


def test_a_group_of_the_first_interface_counts_alike(machine: Path, tmp_path: Path) -> None:
    group = a_group(
        tmp_path / "g", memory__memory_of_limit_in_bytes="400000", memory__memory_of_usage_in_bytes="100000",
        memory__memory_of_stat="total_inactive_file 20000\n",
    )  # fmt: skip
    assert host_memory(machine, group) == HostMemory(total_bytes=400_000, free_bytes=320_000)


def test_a_limit_beyond_the_machine_is_none(machine: Path, tmp_path: Path) -> None:
    group = a_group(
        tmp_path / "g",
        memory_of_max=f"{2**62}\n",
        memory_of_current="5\n",
        memory_of_stat="inactive_file 0\n",
    )
    assert host_memory(machine, group) == HostMemory(total_bytes=1_024_000, free_bytes=614_400)


def test_a_system_that_tells_it_otherwise_has_none(tmp_path: Path) -> None:
    assert host_memory(tmp_path / "meminfo") is None


def test_this_machine_has_more_than_what_python_takes() -> None:
    found = host_memory()
    assert found is not None
    assert found.total_bytes > 2**28
    assert 0 < found.free_bytes <= found.total_bytes
