"""The run's record of itself for machines: `metrics.jsonl`.

A full disk ends no run: what finds no room is held, in its order, and written with what comes later.
"""

from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from state.atomic import append_line
from state.contract.metrics import Kind, MetricsRecord
from trainer.engine.clock import now_text
from trainer.engine.full_disk import is_full
from trainer.engine.log import say

MOST_HELD = 10_000
"""Records, some 4 MB: whoever has so many waits for room."""


class Metrics:
    """Appends records to a run's metrics."""

    def __init__(self, file: Path, segment: int) -> None:
        """`segment`: the stretch of the campaign's history that the run trains."""
        self._file = file
        self._segment = segment
        self._held: deque[bytes] = deque()
        self.problem: OSError | None = None
        """Why records are held; None: all are written."""

    @property
    def num_held(self) -> int:
        """Return how many records found no room until now."""
        return len(self._held)

    def record(self, kind: Kind, step: int, **fields: Any) -> None:
        """Append one record; it is whole or missing after a crash, and held while the disk is full."""
        entry = MetricsRecord(kind=kind, at=now_text(), step=step, segment=self._segment, **fields)
        self._held.append(msgspec.json.encode(entry))
        self.write_held()

    def write_held(self) -> None:
        """Append what is held, as far as there is room."""
        while self._held:
            try:
                append_line(self._file, self._held[0])
            except OSError as error:
                if not is_full(error):
                    raise
                self._note(error)
                return
            self._held.popleft()
        self._note(None)

    def _note(self, problem: OSError | None) -> None:
        if problem is not None and self.problem is None:
            say("metrics held", why=problem)
        if problem is None and self.problem is not None:
            say("metrics", note="all that was held is written")
        self.problem = problem
