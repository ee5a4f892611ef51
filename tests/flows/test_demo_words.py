"""What `make demo` prints of a training: as the runs themselves told it, not as this machine is."""

import json
from pathlib import Path

import pytest
from demo import Demo, show_time


def test_the_time_is_told_with_the_threads_that_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "root/campaigns/pip/campaign-001/runs/g1-a1"
    run.mkdir(parents=True)
    told = [
        {"kind": "started", "at": "2026-01-31T12:00:02Z", "note": "cpu fp32, 1 thread, 0.5M parameters"},
        {"kind": "update", "at": "2026-01-31T12:00:28Z"},
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    show_time(Demo(tmp_path), "pip/campaign-001")
    assert capsys.readouterr().out == "  trained for 26 s, on cpu fp32, 1 thread, 0.5M parameters\n"
