"""Saving: when a checkpoint is due, what training waits for, and what is told of it.

A checkpoint names as its parent the one before, which must be there: so the next save waits for it, and after
a write that failed nothing is saved any more.
"""

import gc
import time
from pathlib import Path

from state.contract.manifest import Manifest
from trainer.checkpoints.errors import CheckpointError, NameTakenError
from trainer.engine.checkpoint import contents_of
from trainer.engine.failures import EnvironmentFailure, InTheWayError, TrainingError
from trainer.engine.full_disk import is_full
from trainer.engine.log import say
from trainer.engine.progress import Progress, after_snapshot, published
from trainer.engine.room import Room
from trainer.engine.run_state import RunState
from trainer.engine.telling import Teller
from trainer.engine.writer import Writer, Written, layouts_of


class Saver:
    """Publishes checkpoints of the run's state."""

    def __init__(self, state: RunState, teller: Teller) -> None:
        self._state = state
        self._teller = teller
        self._writer = Writer(Path(state.request.checkpoints_dir), next(state.model.parameters()).device)
        self._saved_at = time.monotonic()
        self._stall_seconds = 0.0
        self._told_bytes = -1
        self._failure: TrainingError | None = None
        self.room = Room(Path(state.request.checkpoints_dir), teller.heartbeat)
        self._needed_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Memory of the host that copies of the state take."""
        return self._writer.held_bytes

    def is_due(self) -> bool:
        """Does the step's number or the clock ask for a checkpoint, or what waits for room to be told?"""
        config = self._state.request.config.checkpoint
        # By the step's own number: a save made when leaving, or by the clock, does not shift the later ones.
        is_turn = config.every_updates > 0 and self._state.progress.step % config.every_updates == 0
        elapsed_minutes = (time.monotonic() - self._saved_at) / 60
        is_time = config.every_minutes > 0 and elapsed_minutes >= config.every_minutes
        return is_turn or is_time or self._teller.is_behind

    def save(self) -> None:
        """Begin to write a checkpoint of this moment, unless no update was made since the last one.

        The one before must be there first. `finish` waits for the end, `take_notice` looks.

        Raises:
            InTheWayError, EnvironmentFailure: the one before could not be written.
        """
        if not (self._state.progress.learnt or self._state.progress.skipped):
            return
        started = time.perf_counter()
        self._teller.heartbeat.enter("saving")
        self.finish()
        contents = contents_of(self._state)
        self._needed_bytes = sum(layout.size_bytes for layout in layouts_of(contents).values())
        self.room.wait(f"checkpoint-{contents.progress.step}", self._needed_bytes)
        self.room.over()
        goes_on = self._writer.start(contents)
        self._state.progress = after_snapshot(self._state.progress)
        gc.collect()
        self._saved_at = time.monotonic()
        self._stall_seconds = time.perf_counter() - started
        self._tell_memory()
        if not goes_on:
            self.finish()
        self._teller.heartbeat.enter("training")

    def take_notice(self) -> None:
        """Tell of a checkpoint that was published since the last look; costs next to nothing.

        Raises:
            InTheWayError, EnvironmentFailure: it could not be written.
        """
        if not self._writer.is_writing():
            self.finish()

    def finish(self) -> None:
        """Wait until what is being written is published.

        Raises:
            InTheWayError, EnvironmentFailure: it could not be written; says which checkpoint is the newest.
        """
        if self._failure is not None:
            raise self._failure
        written = self._wait()
        while written is not None and is_full(written.error) and self._is_room_again(written):
            self._writer.again()
            written = self._wait()
        if written is None:
            return
        if written.manifest is None:
            self._failure = _failure(self._state.progress, written)
            raise self._failure from written.error
        self.room.over()
        self._state.progress = published(self._state.progress, written.manifest)
        self._tell(written, written.manifest)

    def tell_all(self) -> None:
        """Return once every record is written, or somebody asks to leave and there is no room for them."""
        while (problem := self._teller.write_held()) is not None:
            if not self.room.wait("the metrics", 0, problem):
                return
        self.room.over()

    def _is_room_again(self, written: Written) -> bool:
        return self.room.wait(f"checkpoint-{written.step}", self._needed_bytes, written.error)

    def _wait(self) -> Written | None:
        heartbeat = self._teller.heartbeat
        if not self._writer.is_writing():
            return self._writer.wait(meanwhile=heartbeat.still_there)
        before = heartbeat.status.phase
        heartbeat.enter("saving")
        written = self._writer.wait(meanwhile=heartbeat.still_there)
        heartbeat.enter(before)
        return written

    def _tell(self, written: Written, manifest: Manifest) -> None:
        stall, write = round(self._stall_seconds, 4), round(written.seconds, 4)
        size = sum(entry.size_bytes for entry in manifest.files)
        self._teller.record(
            "checkpoint",
            step=manifest.step,
            seconds=round(stall + write, 4),
            stall_seconds=stall,
            write_seconds=write,
            note=manifest.digest,
        )
        say("saved", step=manifest.step, mebibytes=size / 2**20, stall_seconds=stall, write_seconds=write)
        self._teller.heartbeat.tell(last_checkpoint_step=manifest.step, save_seconds=round(stall + write, 4))

    def _tell_memory(self) -> None:
        """Tell what copies of the state cost, whenever that changes."""
        held_bytes = self.held_bytes
        if held_bytes == self._told_bytes:
            return
        self._told_bytes = held_bytes
        note = f"a copy of the state, for saving while training goes on, takes {held_bytes} bytes of memory"
        if held_bytes == 0:
            note = "no memory of the host is left for a copy of the state: training waits for every save"
        self._teller.record("copies", note=note)
        say("saving", note=note)


def _failure(progress: Progress, written: Written) -> TrainingError:
    """Return what a failed write means for the run."""
    newest = "there is no earlier one"
    if progress.parent is not None:
        newest = f"checkpoint-{progress.parent.step} is still the newest"
    told = f"checkpoint-{written.step} could not be saved: {written.error}; {newest}"
    match written.error:
        case NameTakenError():
            return InTheWayError(told)
        case OSError() | CheckpointError():
            return EnvironmentFailure(told)
    return TrainingError(told)
