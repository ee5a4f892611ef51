"""The run's record of itself for machines: `metrics.jsonl`."""

from pathlib import Path
from typing import Any

import msgspec

from state.atomic import append_line
from state.contract.metrics import Kind, MetricsRecord
from trainer.engine.clock import now_text


class Metrics:
    """Appends records to a run's metrics."""

    def __init__(self, file: Path, segment: int) -> None:
        """`segment`: the stretch of the campaign's history that the run trains."""
        self._file = file
        self._segment = segment

    def record(self, kind: Kind, step: int, **fields: Any) -> None:
        """Append one record; it is whole or missing after a crash."""
        entry = MetricsRecord(kind=kind, at=now_text(), step=step, segment=self._segment, **fields)
        append_line(self._file, msgspec.json.encode(entry))
