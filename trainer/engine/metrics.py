"""The run's record of itself: `metrics.jsonl` for machines, lines on standard output for people."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from state.atomic import append_line
from state.contract.metrics import Kind, MetricsRecord
from trainer.engine.clock import now_text


class Metrics:
    """Appends records to a run's metrics."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def record(self, kind: Kind, step: int, **fields: Any) -> None:
        """Append one record; it is whole or missing after a crash."""
        entry = MetricsRecord(kind=kind, at=now_text(), step=step, **fields)
        append_line(self._file, msgspec.json.encode(entry))


def say(event: str, **fields: Any) -> None:
    """Print one line of the training log: the time, a constant text, then values under constant names."""
    values = "  ".join(f"{key}={_shown(value)}" for key, value in fields.items() if value is not None)
    sys.stdout.write(f"{now_text()}  {event:<14}  {values}".rstrip() + "\n")
    sys.stdout.flush()


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
