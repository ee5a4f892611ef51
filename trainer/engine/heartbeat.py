"""The heartbeat: `status.json`, replaced whenever the phase changes and else at most once a second.

It is renamed into place, so a reader never sees half of it; it is not synced to disk, because after a
power cut nobody's heart beats. A full disk ends no run: room for one status is set aside, and without that
room it is told with a later beat.
"""

import os
import time
from collections import deque
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from state.atomic import PRIVATE_FILE
from state.contract.status import Phase, RunStatus
from state.failpoints import reach
from state.layout import STAGING_PREFIX
from trainer.engine.clock import now_text
from trainer.engine.full_disk import Reserve, is_full

INTERVAL_SECONDS = 1.0
_REMEMBERED_UPDATES = 50


class Heartbeat:
    """The status as it was last told, and how fast updates are."""

    def __init__(self, file: Path, step: int = 0) -> None:
        self._file = file
        self._reserve = Reserve(file)
        self.moves = 0
        """Grows whenever the run gets further."""
        self._written_at = float("-inf")
        self._updates: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED_UPDATES)
        self._status = RunStatus(
            phase="starting", updated_at=now_text(), orders_sequence=0, step=step, takes_config=True
        )

    @property
    def status(self) -> RunStatus:
        """What a reader of the file sees, or will with the next beat."""
        return self._status

    def enter(self, phase: Phase, **fields: Any) -> None:
        """Tell a phase at once."""
        self.moves += 1
        self._change(phase=phase, **fields)
        self._write()

    def tell(self, **fields: Any) -> None:
        """Tell what changed at once; the phase goes on."""
        self.moves += 1
        self._change(**fields)
        self._write()

    def begin_quest(self, quest_id: str) -> None:
        """Tell that another quest is taken up; nothing that was measured of the one before is told of it."""
        self._updates.clear()
        self._change(loss=None, val_loss=None, val_step=None, tokens_per_second=None, eta_seconds=None)
        self.enter("training", quest_id=quest_id, quest_update=0, quest_updates=0)

    def beat(self, **fields: Any) -> None:
        """Tell what changed, at once when the last time is long enough ago, else with the next beat."""
        self.moves += 1
        self._change(**fields)
        self.still_there()

    def still_there(self) -> None:
        """Let the heart beat while the run waits: that is no progress."""
        if time.monotonic() - self._written_at >= INTERVAL_SECONDS:
            self._write()

    def count_update(self, seconds: float, tokens: int, updates_left: int) -> float:
        """Take the speed of one more update into account; return tokens per second of the latest ones."""
        self._updates.append((seconds, tokens))
        usual = median(duration for duration, _ in self._updates)
        rate = sum(n for _, n in self._updates) / sum(duration for duration, _ in self._updates)
        self._change(
            update_seconds=round(usual, 4),
            tokens_per_second=round(rate, 1),
            eta_seconds=round(usual * updates_left, 1),
        )
        return rate

    def _change(self, **fields: Any) -> None:
        self._status = msgspec.structs.replace(self._status, **fields)

    def _write(self) -> None:
        self._change(updated_at=now_text(), awake_seconds=round(time.monotonic(), 3))
        content = msgspec.json.encode(self._status) + b"\n"
        try:
            self._replace(content)
        except OSError as error:
            if not is_full(error):
                raise
            if not self._reserve.write(content):
                return
        self._written_at = time.monotonic()
        if self._status.phase == "exited":
            self._reserve.give_up()
        else:
            self._reserve.hold()

    def _replace(self, content: bytes) -> None:
        reach("status.write")
        temporary = self._file.with_name(f"{STAGING_PREFIX}{self._file.name}.{os.getpid()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, PRIVATE_FILE), "wb") as file:
            file.write(content)
        temporary.replace(self._file)
