"""Everything a run holds between two updates, and the four things it does: update, evaluate, save, tell."""

import gc
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from state.atomic import write_json
from state.contract.config_classes import changes_between
from state.contract.metrics import Kind
from state.contract.orders import Orders, QuestOrder
from state.contract.request import RunConfig, RunRequest
from trainer.data.tensors import Batch
from trainer.engine.device import Precision
from trainer.engine.effective import effective_run
from trainer.engine.evaluate import held_out_loss
from trainer.engine.failures import NonFiniteLossError
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.live import request_now
from trainer.engine.log import say
from trainer.engine.metrics import Metrics
from trainer.engine.optimizer import Optimizers
from trainer.engine.progress import (
    Learnt,
    Progress,
    after_save,
    after_update,
    cursor_of,
    is_complete,
    position,
)
from trainer.engine.quests import Quest, QuestShelf, UpdatePlan
from trainer.engine.saving import save_checkpoint
from trainer.engine.step import NoRoomError, UpdateResult, make_update
from trainer.engine.vocabulary import Vocabulary

LOG_SECONDS = 5.0
"""A line of the training log for people at most so often."""


class Session:
    """The living state of a run."""

    def __init__(
        self,
        *,
        request: RunRequest,
        model: Any,
        optimizers: Optimizers,
        vocabulary: Vocabulary,
        precision: Precision,
        shelf: QuestShelf,
        progress: Progress,
        heartbeat: Heartbeat,
        metrics: Metrics,
        effective_file: Path,
    ) -> None:
        self.request = request
        self.model = model
        self.optimizers = optimizers
        self.vocabulary = vocabulary
        self.precision = precision
        self.shelf = shelf
        self.progress = progress
        self.heartbeat = heartbeat
        self.metrics = metrics
        self._effective_file = effective_file
        self._launched = request
        self._orders: Orders | None = None
        self._saved_at = time.monotonic()
        self._logged_at = -math.inf
        self._evaluated_at: tuple[str, int] | None = None

    def take_up(self, orders: Orders) -> None:
        """Note new orders, and train with the config that they put in force from the next update on.

        Raises:
            EnvironmentFailure: a running trainer cannot take up that config.
        """
        if orders is self._orders:
            return
        self._orders = orders
        before, self.request = self.request, request_now(self._launched, orders)
        self._record("orders", note=f"sequence {orders.sequence}")
        say("orders", sequence=orders.sequence, quests=len(orders.quests))
        self.heartbeat.tell(orders_sequence=orders.sequence, config_hash=self.request.config_hash)
        if self.request.config_hash != before.config_hash:
            self._train_otherwise(before.config)

    def _train_otherwise(self, before: RunConfig) -> None:
        changes = changes_between(before, self.request.config)
        told = ", ".join(f"{change.key} {change.old} → {change.new}" for change in changes)
        self.shelf.measure_with(self.request.config.evaluation)
        self._record("config", note=told)
        say("config", hash=self.request.config_hash, changes=told)
        self.report()

    def report(self) -> None:
        """Tell what is really used."""
        write_json(self._effective_file, effective_run(self))

    def begin_quest(self, order: QuestOrder) -> None:
        """Open the quest and, before anything of it is learnt, measure the held-out loss."""
        self.heartbeat.begin_quest(order.quest_id)
        quest = self.shelf.open(order)
        self._tell_quest(order, quest)
        self._record("quest_started", quest_id=order.quest_id, rows=quest.num_rows)
        say("quest", quest=order.quest_id, rows=quest.num_rows, held_out=quest.num_held_out)
        if cursor_of(self.progress, order) is None:
            self.evaluate(order)

    def train_update(self, order: QuestOrder) -> None:
        """Make the quest's next update.

        Raises:
            NonFiniteLossError: it was not applied.
        """
        started = time.perf_counter()
        quest = self.shelf.open(order)
        plan = quest.next_update(order, position(self.progress, order))
        result = self._apply(order, plan)
        learnt = Learnt(
            update=plan.next,
            tokens=plan.num_tokens,
            loss=result.loss,
            learning_rate=result.learning_rate,
        )
        self.progress = after_update(self.progress, order, learnt)
        self._tell_update(order, plan, result, time.perf_counter() - started)

    def finish_update(self, order: QuestOrder) -> None:
        """Evaluate and save where an update's number, the clock or the end of the quest asks for it."""
        done = is_complete(self.progress, order)
        every = self.request.config.evaluation.every_updates
        if done or (every > 0 and self.progress.step % every == 0):
            self.evaluate(order)
        if done or self._is_save_due():
            self.save()
        if done:
            self._record("quest_finished", quest_id=order.quest_id, loss=self.progress.train_loss)
            say("quest done", quest=order.quest_id, step=self.progress.step, val_loss=self.progress.val_loss)

    def evaluate(self, order: QuestOrder) -> None:
        """Measure the held-out loss, once for each step and quest.

        Raises:
            NonFiniteLossError: it is not finite, so neither are the weights.
        """
        batches = self.shelf.open(order).held_out_batches
        if not batches:
            self._forget_held_out_loss()
            return
        if self._evaluated_at == (order.quest_id, self.progress.step):
            return
        self.heartbeat.enter("evaluating", quest_id=order.quest_id)
        started = time.perf_counter()
        loss = held_out_loss(self.model, batches, self.precision)
        if not math.isfinite(loss):
            raise NonFiniteLossError(
                f"the held-out loss of quest {order.quest_id} is {loss} at step {self.progress.step}"
            )
        self._evaluated_at = (order.quest_id, self.progress.step)
        self.progress = msgspec.structs.replace(self.progress, val_loss=loss, val_step=self.progress.step)
        seconds = round(time.perf_counter() - started, 4)
        self._record("evaluation", quest_id=order.quest_id, val_loss=loss, seconds=seconds)
        say("evaluated", quest=order.quest_id, step=self.progress.step, val_loss=loss)
        self.heartbeat.enter("training", val_loss=loss, val_step=self.progress.step)

    def save(self) -> None:
        """Publish a checkpoint, unless nothing was learnt since the last one.

        Raises:
            EnvironmentFailure: it could not be written; the last one is as it was.
        """
        if not self.progress.learnt:
            return
        self.heartbeat.enter("saving")
        started = time.perf_counter()
        manifest = save_checkpoint(
            self.request,
            self.model,
            self.optimizers,
            self.vocabulary,
            self.progress,
            self.shelf.budget.state,
        )
        self.progress = after_save(self.progress, manifest)
        gc.collect()
        seconds = round(time.perf_counter() - started, 4)
        self._saved_at = time.monotonic()
        size = sum(entry.size_bytes for entry in manifest.files)
        self._record("checkpoint", seconds=seconds, note=manifest.digest)
        say("saved", step=manifest.step, mebibytes=size / 2**20, seconds=seconds)
        self.heartbeat.enter("training", last_checkpoint_step=manifest.step, save_seconds=seconds)

    def _apply(self, order: QuestOrder, plan: UpdatePlan) -> UpdateResult:
        """Make the update, in smaller micro-batches where memory runs out."""
        batches = plan.batches
        while True:
            try:
                return self._attempt(order, plan, batches)
            except NoRoomError:
                self.shelf.budget.shrink(batches)
            batches = self.shelf.batches(plan.documents)
            note = f"memory ran out: at most {self.shelf.budget.tokens} tokens at once from now on"
            self._record("memory", quest_id=order.quest_id, note=note)
            say("memory ran out", update=self.progress.step + 1, tokens_at_once=self.shelf.budget.tokens)

    def _attempt(self, order: QuestOrder, plan: UpdatePlan, batches: Sequence[Batch]) -> UpdateResult:
        update, training = self.progress.step + 1, self.request.config.training
        try:
            return make_update(
                self.model, self.optimizers, batches, plan.num_trained, training, self.precision, update
            )
        except NonFiniteLossError as error:
            raise NonFiniteLossError(
                f"update {update} of quest {order.quest_id}: {error}; it was not applied"
            ) from error

    def _forget_held_out_loss(self) -> None:
        """A quest without held-out rows must not carry the loss of an earlier one."""
        self.progress = msgspec.structs.replace(self.progress, val_loss=None)
        self.heartbeat.beat(val_loss=None, val_step=None)

    def _is_save_due(self) -> bool:
        config = self.request.config.checkpoint
        # By the step's own number: a save made when leaving, or by the clock, does not shift the later ones.
        is_turn = config.every_updates > 0 and self.progress.step % config.every_updates == 0
        elapsed_minutes = (time.monotonic() - self._saved_at) / 60
        return is_turn or (config.every_minutes > 0 and elapsed_minutes >= config.every_minutes)

    def _tell_quest(self, order: QuestOrder, quest: Quest) -> None:
        made, total = quest.updates(order, position(self.progress, order))
        self.heartbeat.tell(quest_update=made, quest_updates=total, **self._known_of(order))

    def _known_of(self, order: QuestOrder) -> dict[str, Any]:
        """Return the held-out loss that the last update's quest has, if this is that quest."""
        if self.progress.quest_id != order.quest_id or self.progress.val_loss is None:
            return {}
        return {"val_loss": self.progress.val_loss, "val_step": self.progress.val_step}

    def _tell_update(self, order: QuestOrder, plan: UpdatePlan, result: UpdateResult, seconds: float) -> None:
        made, total = self.shelf.open(order).updates(order, position(self.progress, order))
        speed = self.heartbeat.count_update(seconds, plan.num_tokens, total - made)
        self._record(
            "update",
            quest_id=order.quest_id,
            epoch=plan.next.taken[0].epoch,
            rows=plan.num_rows,
            loss=result.loss,
            learning_rate=result.learning_rate,
            gradient_norm=result.gradient_norm,
            trained_tokens=plan.num_trained,
            tokens=plan.num_tokens,
            tokens_per_second=round(speed, 1),
            seconds=round(seconds, 5),
        )
        self.heartbeat.beat(
            step=self.progress.step,
            quest_id=order.quest_id,
            quest_update=made,
            quest_updates=total,
            loss=result.loss,
            learning_rate=result.learning_rate,
        )
        if time.monotonic() - self._logged_at >= LOG_SECONDS:
            self._logged_at = time.monotonic()
            say(
                "update",
                step=self.progress.step,
                quest=f"{made}/{total}",
                loss=result.loss,
                tokens_per_second=speed,
            )

    def _record(self, kind: Kind, **fields: Any) -> None:
        self.metrics.record(kind, self.progress.step, **fields)
