"""The script for a GPU machine runs here, too, with a tiny model on the CPU."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from without_libraries import environment_without

pytest.importorskip("torch")
pytestmark = pytest.mark.train

SCRIPT = Path(__file__).parents[1] / "bench" / "gpu.py"


GOALS = ("| G", "| memory", "| exact")


def rows_of(*options: str, env: dict[str, str] | None = None) -> dict[str, str]:
    """Return what was measured, by goal."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].endswith(" s in all (under 600 wanted)")
    lines = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith(GOALS)]
    return {line[0]: line[2] for line in lines}


def test_its_smoke_run_prints_a_row_for_each_goal_and_says_that_trl_is_not_installed(tmp_path: Path) -> None:
    found = rows_of("--smoke", env=environment_without(tmp_path / "hidden", "trl"))
    assert sorted(found) == ["G1", "G2", "G3", "G4", "exact", "memory"]
    assert found["G1"] == found["G2"]
    assert re.match(r"not measured: .*TRL (is|are) not installed; pip install", found["G1"])
    assert "tokens/s" in found["G3"]
    assert found["G4"] == found["memory"] == "not told on a CPU"
    assert found["exact"] == "the same bits"


@pytest.mark.long
def test_trl_may_be_left_out() -> None:
    found = rows_of("--smoke", "--without-trl")
    assert found["G1"] == found["G2"] == "not measured: left out by --without-trl"


@pytest.mark.long
def test_its_smoke_run_measures_beside_trl() -> None:
    pytest.importorskip("trl")
    found = rows_of("--smoke")
    assert found["G1"].endswith("ms)")
    assert found["G2"].endswith("ms)")


@pytest.mark.long
def test_without_a_device_it_says_so() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device: it would measure for minutes")
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "there is no CUDA device here; --smoke runs the same code on the CPU\n"
