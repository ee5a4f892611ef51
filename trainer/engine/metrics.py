"""The run's record of itself for machines: `metrics.jsonl`."""

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
