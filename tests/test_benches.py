"""What `make bench` measures is run by hand: each claim must at least still load, with all that it borrows from tests."""

import subprocess
import sys
from pathlib import Path

import pytest

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
