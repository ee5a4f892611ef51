"""Saving: when a checkpoint is due, and what is told of it."""

import gc
import time

from trainer.engine.checkpoint import save_checkpoint
from trainer.engine.log import say
from trainer.engine.progress import after_save
from trainer.engine.run_state import RunState
from trainer.engine.telling import Teller


class Saver:
    """Publishes checkpoints of the run's state."""

    def __init__(self, state: RunState, teller: Teller) -> None:
        self._state = state
        self._teller = teller
        self._saved_at = time.monotonic()

    def is_due(self) -> bool:
        """Does the step's number or the clock ask for a checkpoint?"""
        config = self._state.request.config.checkpoint
        # By the step's own number: a save made when leaving, or by the clock, does not shift the later ones.
        is_turn = config.every_updates > 0 and self._state.progress.step % config.every_updates == 0
        elapsed_minutes = (time.monotonic() - self._saved_at) / 60
        return is_turn or (config.every_minutes > 0 and elapsed_minutes >= config.every_minutes)

    def save(self) -> None:
        """Publish a checkpoint, unless nothing was learnt since the last one.

        Raises:
            EnvironmentFailure: it could not be written; the last one is as it was.
        """
        state = self._state
        if not state.progress.learnt:
            return
        self._teller.heartbeat.enter("saving")
        started = time.perf_counter()
        manifest = save_checkpoint(
            state.request,
            state.model,
            state.optimizers,
            state.vocabulary,
            state.progress,
            state.shelf.budget.state,
        )
        state.progress = after_save(state.progress, manifest)
        gc.collect()
        seconds = round(time.perf_counter() - started, 4)
        self._saved_at = time.monotonic()
        size = sum(entry.size_bytes for entry in manifest.files)
        self._teller.record("checkpoint", seconds=seconds, note=manifest.digest)
        say("saved", step=manifest.step, mebibytes=size / 2**20, seconds=seconds)
        self._teller.heartbeat.enter("training", last_checkpoint_step=manifest.step, save_seconds=seconds)
