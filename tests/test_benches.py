"""What `make bench` measures is run by hand: each claim must at least still load, with all that it borrows from tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from without_libraries import environment_without

BENCH = Path(__file__).resolve().parent / "bench"
CLAIMS = sorted(path.stem for path in BENCH.glob("*.py") if "def measure(" in path.read_text())


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_loads_with_all_that_it_borrows(claim):
    pytest.importorskip("torch", reason="some claims borrow from the trainer's tests")
    done = subprocess.run(
        [sys.executable, "-c", f"import run; run.load({claim!r}).measure"],
        check=False,
        cwd=BENCH,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_make_bench_runs_every_claim_but_those_that_take_minutes():
    run = (BENCH / "run.py").read_text()
    listed = {claim for claim in CLAIMS if f'"{claim}",' in run}
    assert set(CLAIMS) - listed == {"gsm8k_losses"}


NOT_INSTALLED = r"not measured: .*{}.* (is|are) not installed; pip install"
"""Others may be missing, too."""
WITHOUT_TRL = {"first_update", "gsm8k_losses"}
WITHOUT_ACCELERATE = WITHOUT_TRL | {"training_speed", "big_vocabulary", "checkpoint_stall"}


@pytest.mark.train
@pytest.mark.parametrize(
    ("hidden", "claims", "said"),
    [
        ("trl", WITHOUT_TRL, "TRL"),
        ("accelerate", WITHOUT_ACCELERATE, r"accelerate \(which a Hugging Face Trainer needs\)"),
    ],
)
def test_a_claim_whose_peer_is_not_installed_says_so_and_measures_nothing(
    tmp_path: Path, hidden: str, claims: set[str], said: str
) -> None:
    pytest.importorskip("torch")
    found = measured(tmp_path, hidden, "run.py", *sorted(claims))
    assert found.returncode == 0, found.stderr
    told = [line.strip() for line in found.stdout.splitlines() if "not measured" in line]
    assert len(told) == len(claims)
    assert all(re.match(NOT_INSTALLED.format(said), line) for line in told)
    assert "Traceback" not in found.stdout + found.stderr


@pytest.mark.train
def test_the_losses_beside_trl_alone_say_so_too(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = measured(tmp_path, "trl", "gsm8k_losses.py", "x", "fp32", "2")
    assert found.returncode == 1
    assert re.match(NOT_INSTALLED.format("TRL"), found.stderr)


def measured(folder: Path, hidden: str, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of ours where this library cannot be found."""
    return subprocess.run(
        [sys.executable, script, *arguments],
        check=False,
        cwd=BENCH,
        env=environment_without(folder / "hidden", hidden),
        capture_output=True,
        text=True,
    )
