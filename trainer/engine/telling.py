"""Telling what happens in a run: records for machines, the heartbeat, and a log for people."""

import math
import time
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch

from state.atomic import write_json
from state.contract.memory_need import Shape, shape_of
from state.contract.metrics import Kind
from state.contract.orders import QuestOrder
from trainer.engine.effective import effective_run
from trainer.engine.energy import EnergyMeter
from trainer.engine.full_disk import is_full
from trainer.engine.heartbeat import Heartbeat
from trainer.engine.log import say
from trainer.engine.measures import fill, model_flops, peak_memory_bytes, utilization
from trainer.engine.metrics import MOST_HELD, Metrics
from trainer.engine.progress import position
from trainer.engine.quests import Quest, UpdatePlan
from trainer.engine.run_state import RunState
from trainer.engine.step import UpdateResult

LOG_SECONDS = 5.0
"""A line of the training log for people at most so often."""


class Spent(NamedTuple):
    """Where the time of an update went, in seconds."""

    whole: float
    waiting: float
    """For its documents."""


class Teller:
    """Tells metrics, heartbeat and log the same."""

    def __init__(self, state: RunState, heartbeat: Heartbeat, metrics: Metrics, effective_file: Path) -> None:
        self.heartbeat = heartbeat
        self._state = state
        self._metrics = metrics
        self._effective_file = effective_file
        self._owes_config = False
        self._energy = EnergyMeter(state.model.device)
        self._logged_at = -math.inf
        self._made = 0
        """Updates of the quest at hand. Counted, not worked out from the rows: a last update may be short,
        and raised epochs go on behind it."""

    def record(self, kind: Kind, *, step: int | None = None, **fields: Any) -> None:
        """Append a record to the metrics, of the present step where none is named."""
        self._metrics.record(kind, self._state.progress.step if step is None else step, **fields)
        if self._owes_config and self._metrics.problem is None:
            self.config()

    @property
    def is_behind(self) -> bool:
        """Are so many records held, for want of room, that it is time to wait for it?"""
        return self._metrics.num_held >= MOST_HELD

    def write_held(self) -> OSError | None:
        """Write the records that found no room; return why some still find none."""
        self._metrics.write_held()
        return self._metrics.problem

    def tell_missing(self) -> None:
        """Tell the log how many records were never written."""
        if self._metrics.problem is not None:
            say("not recorded", records=self._metrics.num_held, why=self._metrics.problem)

    def config(self) -> None:
        """Tell what is really used; on a full disk later."""
        self._owes_config = True
        try:
            write_json(self._effective_file, effective_run(self._state))
            self._owes_config = False
        except OSError as error:
            if not is_full(error):
                raise

    def quest(self, order: QuestOrder, quest: Quest) -> None:
        """Tell that a quest is taken up."""
        self._made, left = quest.updates(order, position(self._state.progress, order))
        total = self._made + left
        self.heartbeat.tell(quest_update=self._made, quest_updates=total, **self._known_of(order))
        self.record("quest_started", quest_id=order.quest_id, rows=quest.num_rows)
        say("quest", quest=order.quest_id, rows=quest.num_rows, held_out=quest.num_held_out)

    def quest_done(self, order: QuestOrder) -> None:
        """Tell that all of a quest is learnt."""
        progress = self._state.progress
        self.record("quest_finished", quest_id=order.quest_id, loss=progress.train_loss)
        say("quest done", quest=order.quest_id, step=progress.step, val_loss=progress.val_loss)

    def left_out(self, order: QuestOrder) -> None:
        """Tell that an update was left out: it counts, and changed nothing."""
        self._made += 1
        self.heartbeat.beat(step=self._state.progress.step, quest_id=order.quest_id)

    def update(self, order: QuestOrder, plan: UpdatePlan, result: UpdateResult, spent: Spent) -> None:
        """Tell that an update was made, and what it cost."""
        progress = self._state.progress
        left = self._state.shelf.open(order).updates(order, position(progress, order))[1]
        self._made += 1
        speed = self.heartbeat.count_update(spent.whole, plan.num_tokens, left)
        costs = self._costs(plan, spent)
        self.record(
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
            seconds=round(spent.whole, 5),
            data_seconds=round(spent.waiting, 5),
            **costs,
        )
        self.heartbeat.beat(
            step=progress.step,
            quest_id=order.quest_id,
            quest_update=self._made,
            quest_updates=self._made + left,
            loss=result.loss,
            learning_rate=result.learning_rate,
            device=self._state.request.device,
            peak_memory_bytes=costs["memory_bytes"],
        )
        self._log(self._made, self._made + left, result.loss, speed)

    @cached_property
    def _shape(self) -> Shape | None:
        config = self._state.model.config
        return shape_of(config.to_dict(), config.vocab_size)

    def _costs(self, plan: UpdatePlan, spent: Spent) -> dict[str, Any]:
        device = self._state.model.device
        shape = self._shape if device.type == "cuda" else None
        found: dict[str, Any] = {
            "fill": round(fill(plan.batches), 4),
            "memory_bytes": peak_memory_bytes(device),
        }
        if (joules := self._energy.joules()) is not None:
            found["energy_joules"] = round(joules, 1)
        if shape is not None:
            flops = model_flops(shape, [len(document) for document in plan.documents], plan.num_trained)
            used = utilization(flops, spent.whole, torch.cuda.get_device_name(device))
            found["mfu"] = None if used is None else round(used, 4)
        return found

    def _log(self, made: int, total: int, loss: float, speed: float) -> None:
        if time.monotonic() - self._logged_at < LOG_SECONDS:
            return
        self._logged_at = time.monotonic()
        step = self._state.progress.step
        say("update", step=step, quest=f"{made}/{total}", loss=loss, tokens_per_second=speed)

    def _known_of(self, order: QuestOrder) -> dict[str, Any]:
        """Return the held-out loss that the last update's quest has, if this is that quest."""
        progress = self._state.progress
        if progress.quest_id != order.quest_id or progress.val_loss is None:
            return {}
        return {"val_loss": progress.val_loss, "val_step": progress.val_step}
