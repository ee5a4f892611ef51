"""GSM8K: the losses of the same updates are those of TRL's SFTTrainer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.train, pytest.mark.long, pytest.mark.timeout(1800)]

BOUNDS = {"fp32": {200: 1e-5}, "bf16": {200: 1e-3, 500: 1e-2}}
"""Precision → updates → how far apart losses may be, in nats."""
SCRIPT = Path(__file__).parents[1] / "bench" / "gsm8k_losses.py"


@pytest.mark.parametrize("precision", BOUNDS)
def test_losses_are_those_of_trl(cases: Path, tmp_path: Path, precision: str) -> None:
    pytest.importorskip("trl")
    assert (cases / "gsm8k" / "train.jsonl").is_file()
    updates = max(BOUNDS[precision])
    command = [sys.executable, str(SCRIPT), str(tmp_path / "measured"), precision, str(updates)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    apart = json.loads(done.stdout)
    assert len(apart) == updates
    assert all(max(apart[:until]) <= bound for until, bound in BOUNDS[precision].items())
