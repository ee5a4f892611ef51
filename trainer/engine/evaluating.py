"""Measuring a quest's held-out rows: before it begins, every so many updates, at its end."""

import math
import time

import msgspec

from state.contract.orders import QuestOrder
from trainer.engine.evaluate import held_out_loss
from trainer.engine.failures import NonFiniteLossError
from trainer.engine.log import say
from trainer.engine.run_state import RunState
from trainer.engine.telling import Teller


class Evaluator:
    """Measures once for each step and quest."""

    def __init__(self, state: RunState, teller: Teller) -> None:
        self._state = state
        self._teller = teller
        self._evaluated_at: tuple[str, int] | None = None

    def is_due(self) -> bool:
        """Does the step's number ask for it?"""
        every = self._state.request.config.evaluation.every_updates
        return every > 0 and self._state.progress.step % every == 0

    def evaluate(self, order: QuestOrder) -> None:
        """Measure the held-out loss, once for each step and quest.

        Raises:
            NonFiniteLossError: it is not finite, so neither are the weights.
        """
        state, heartbeat = self._state, self._teller.heartbeat
        batches = state.shelf.open(order).held_out_batches
        if not batches:
            self.forget()
            return
        step = state.progress.step
        if self._evaluated_at == (order.quest_id, step):
            return
        heartbeat.enter("evaluating", quest_id=order.quest_id)
        started = time.perf_counter()
        loss = held_out_loss(state.model, batches, state.precision)
        if not math.isfinite(loss):
            raise NonFiniteLossError(f"the held-out loss of quest {order.quest_id} is {loss} at step {step}")
        self._evaluated_at = (order.quest_id, step)
        state.progress = msgspec.structs.replace(
            state.progress, val_loss=loss, val_step=step, val_quest_id=order.quest_id
        )
        seconds = round(time.perf_counter() - started, 4)
        self._teller.record("evaluation", quest_id=order.quest_id, val_loss=loss, seconds=seconds)
        say("evaluated", quest=order.quest_id, step=step, val_loss=loss)
        heartbeat.enter("training", val_loss=loss, val_step=step)

    def forget(self) -> None:
        """A quest without held-out rows, or other ones, must not carry the loss that was measured before."""
        self._evaluated_at = None
        self._state.progress = msgspec.structs.replace(self._state.progress, val_loss=None)
        self._teller.heartbeat.beat(val_loss=None, val_step=None)
