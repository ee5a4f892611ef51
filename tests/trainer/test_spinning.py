"""Threads that wait for others sleep soon: what torch's OpenMP is told before it is loaded."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.spinning import SPIN_COUNT, SPINS, spin_briefly

SOFTWARE = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("said", [{"OMP_WAIT_POLICY": "active"}, {SPIN_COUNT: "7"}])
def test_what_the_environment_says_stays(said: dict[str, str]) -> None:
    environment = dict(said)
    spin_briefly(environment)
    assert environment == said


@pytest.mark.train
@pytest.mark.parametrize(("said", "wanted"), [({}, SPINS), ({SPIN_COUNT: "7"}, 7)])
def test_a_trainer_that_starts_has_told_the_library_that_computes(
    tmp_path: Path, said: dict[str, str], wanted: int
) -> None:
    """The library prints its settings when it is loaded; then the request that is not there ends the trainer."""
    pytest.importorskip("torch")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment = {**kept, **said, "OMP_DISPLAY_ENV": "verbose", "PYTHONPATH": str(SOFTWARE)}
    command = [sys.executable, "-m", "trainer", "replay", "--request", str(tmp_path / "request.json")]
    told = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=120)
    if (spins := re.search(r"GOMP_SPINCOUNT = '(\d+)'", told.stderr)) is None:
        pytest.skip("torch computes with another OpenMP than GNU's here")
    assert int(spins[1]) == wanted
