"""Leaving an update out: its loss jumps. Its rows are named, and counted as taken and not learnt."""

from state.amounts import count
from state.contract.orders import QuestOrder
from trainer.engine import guard
from trainer.engine.failures import DivergedError
from trainer.engine.log import say
from trainer.engine.progress import after_skip
from trainer.engine.quests import UpdatePlan
from trainer.engine.run_state import RunState
from trainer.engine.step import SpikeError
from trainer.engine.telling import Teller

_MOST_ROWS_TOLD = 32


def highest_usual_loss(state: RunState, order: QuestOrder) -> float | None:
    """Return the loss above which the quest's next update is left out, in nats; None: whatever it is."""
    known = guard.usual_of(state.guard, order.quest_id)
    config = state.request.config
    return guard.highest_usual(known, guard.guard_of(config), config.model.vocab_size)


def skip_update(
    state: RunState, teller: Teller, order: QuestOrder, plan: UpdatePlan, spike: SpikeError
) -> None:
    """Leave this update out: it counts as a step that changed nothing.

    Raises:
        DivergedError: so many were left out lately that no more may be.
    """
    config, update = guard.guard_of(state.request.config), state.progress.step + 1
    why = f"loss {spike.loss:.4g}, usual here is at most {spike.highest_usual:.4g}; {_rows(order, plan)}"
    if not guard.may_skip(state.guard, update, config):
        raise DivergedError(
            f"update {update} of quest {order.quest_id}: {why}. {count(config.skips, 'update')} of the last "
            f"{config.per_updates:,} were left out already (loss_guard.skips, loss_guard.per_updates)",
            healthy_step=guard.healthy_until(state.guard, update, config),
        )
    state.guard = guard.after_skip(state.guard, update, config)
    state.progress = after_skip(state.progress, order, plan.next, spike.loss)
    epoch = plan.next.taken[0].epoch
    teller.record(
        "skipped", quest_id=order.quest_id, epoch=epoch, rows=plan.num_rows, loss=spike.loss, note=why
    )
    say("left out", update=update, quest=order.quest_id, why=why)
    teller.left_out(order)


def _rows(order: QuestOrder, plan: UpdatePlan) -> str:
    """Return the update's rows as `rows 3, 17 of data/sums.jsonl`, counted from 1."""
    rows = sorted(order.first_row + document.row + 1 for document in plan.documents)
    told = ", ".join(f"{row:,}" for row in rows[:_MOST_ROWS_TOLD])
    more = f" and {len(rows) - _MOST_ROWS_TOLD:,} more" if len(rows) > _MOST_ROWS_TOLD else ""
    return f"rows {told}{more} of {order.origin or order.path}"
