"""The turn of a run: take up orders, update, evaluate, save. Each is done in the module of its name.

`run_state.py` is what they share, `telling.py` tells metrics, heartbeat and log of it.
"""

import threading
import time

from state.contract.config_classes import changes_between
from state.contract.orders import Orders, QuestOrder
from state.contract.run_config import RunConfig
from trainer.engine.evaluating import Evaluator
from trainer.engine.examining import Examiner
from trainer.engine.guard import after_loss, guard_of
from trainer.engine.live import request_now
from trainer.engine.log import say
from trainer.engine.progress import Learnt, Progress, after_update, cursor_of, is_complete, position
from trainer.engine.recipes import note_turn
from trainer.engine.run_state import RunState
from trainer.engine.saving import Saver
from trainer.engine.skipping import skip_update
from trainer.engine.step import SpikeError
from trainer.engine.telling import Spent, Teller
from trainer.engine.updating import apply_update


class Session:
    """A run that stands somewhere and can go on."""

    def __init__(self, state: RunState, teller: Teller) -> None:
        self.state = state
        self.teller = teller
        self.evaluator = Evaluator(state, teller)
        self.examiner = Examiner(state, teller)
        self.saver = Saver(state, teller)
        self.gate = threading.RLock()
        """Held while the state changes or is saved: whoever has it finds the state between two updates."""
        self._launched = state.request
        self._orders: Orders | None = None

    @property
    def progress(self) -> Progress:
        """How far the campaign has come."""
        return self.state.progress

    def take_up(self, orders: Orders) -> None:
        """Note new orders, and train with the config that they put in force from the next update on.

        Raises:
            EnvironmentFailure: a running trainer cannot take up that config.
        """
        if orders is self._orders:
            return
        self._orders = orders
        before, now = self.state.request, request_now(self._launched, orders)
        self.state.request = now
        self.teller.record("orders", note=f"sequence {orders.sequence}")
        say("orders", sequence=orders.sequence, quests=len(orders.quests))
        self.teller.heartbeat.tell(orders_sequence=orders.sequence, config_hash=now.config_hash)
        if now.config_hash != before.config_hash:
            self._train_otherwise(before.config, now.config)

    def _train_otherwise(self, before: RunConfig, now: RunConfig) -> None:
        changes = changes_between(before, now)
        told = ", ".join(f"{change.key} {change.old} → {change.new}" for change in changes)
        if before.evaluation.max_rows != now.evaluation.max_rows:
            self.evaluator.forget()  # a save names the config in force, and so the rows that it measures on
        self.state.shelf.measure_with(now.evaluation)
        note_turn(self.state, config=now)
        self.teller.record("config", note=told)
        say("config", hash=self.state.request.config_hash, changes=told)
        self.teller.config()

    def begin_quest(self, order: QuestOrder) -> None:
        """Open the quest and, before anything of it is learnt, measure the held-out loss."""
        self.teller.heartbeat.begin_quest(order.quest_id)
        self.teller.quest(order, self.state.shelf.open(order))
        if cursor_of(self.progress, order) is None:
            self.evaluator.evaluate(order)

    def train_update(self, order: QuestOrder) -> None:
        """Make the quest's next update, or leave it out where its loss jumps.

        Raises:
            NonFiniteLossError: it was not applied.
            DivergedError: nor was it, and too many were left out before.
        """
        with self.gate:
            self._train_update(order)

    def _train_update(self, order: QuestOrder) -> None:
        started = time.perf_counter()
        quest = self.state.shelf.open(order)
        plan = quest.next_update(order, position(self.progress, order))
        waited = time.perf_counter() - started
        try:
            result = apply_update(self.state, self.teller, order, plan)
        except SpikeError as spike:
            skip_update(self.state, self.teller, order, plan, spike)
            return
        learnt = Learnt(
            update=plan.next,
            tokens=plan.num_tokens,
            loss=result.loss,
            learning_rate=result.learning_rate,
        )
        self.state.progress = after_update(self.progress, order, learnt)
        guard = guard_of(self.state.request.config)
        self.state.guard = after_loss(self.state.guard, order.quest_id, result.loss, guard)
        self.teller.update(order, plan, result, Spent(time.perf_counter() - started, waited))

    def finish_update(self, order: QuestOrder, *, is_last: bool) -> None:
        """Evaluate and save where an update's number, the clock or the end of quest or run asks for it.

        `is_last`: a goal is reached, so that nothing comes after the checkpoint of this update.

        Raises:
            EnvironmentFailure: a checkpoint could not be written; the last one is as it was.
        """
        self.saver.take_notice()
        done = is_complete(self.progress, order)
        if done or is_last or self.evaluator.is_due():
            self.evaluator.evaluate(order)
        if done or is_last or self.saver.is_due():
            self.examiner.examine()
            with self.gate:
                self.saver.save()
        if done:
            self.saver.finish()
            self.teller.quest_done(order)

    def save(self) -> None:
        """Publish a checkpoint, unless no update was made since the last one, and wait until it is there.

        Raises:
            EnvironmentFailure: it could not be written; the last one is as it was.
        """
        with self.gate:
            self.saver.save()
            self.saver.finish()

    def save_if_asked(self, orders: Orders) -> None:
        """Publish a checkpoint where the orders ask for one anew, and tell once it is there.

        Raises:
            EnvironmentFailure: it could not be written; the last one is as it was.
        """
        heartbeat = self.teller.heartbeat
        if orders.save > heartbeat.status.saved_request:
            self.save()
            heartbeat.tell(saved_request=orders.save)
            say("saved as asked", request=orders.save, step=heartbeat.status.last_checkpoint_step)

    def save_if_sound(self) -> bool:
        """Save from another thread, for good: the run ends. Say whether the state was between two updates."""
        if not self.gate.acquire(blocking=False):
            return False
        self.save()
        return True
