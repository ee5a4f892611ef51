"""Making the next update of a quest: smaller micro-batches where memory runs out, the same update."""

from collections.abc import Sequence

from state.contract.orders import QuestOrder
from trainer.data.tensors import Batch
from trainer.engine.failures import NonFiniteLossError
from trainer.engine.log import say
from trainer.engine.quests import UpdatePlan
from trainer.engine.recipes import note_turn
from trainer.engine.run_state import RunState
from trainer.engine.schedule import with_falling_rates
from trainer.engine.skipping import highest_usual_loss
from trainer.engine.step import NoRoomError, UpdateResult, make_update
from trainer.engine.telling import Teller


def apply_update(state: RunState, teller: Teller, order: QuestOrder, plan: UpdatePlan) -> UpdateResult:
    """Make the update, in smaller micro-batches where memory runs out.

    Raises:
        NonFiniteLossError, SpikeError: it was not applied.
        OutOfMemoryError: one document alone does not fit.
    """
    batches, budget = plan.batches, state.shelf.budget
    while True:
        try:
            return _attempt(state, order, plan, batches)
        except NoRoomError:
            budget.shrink(batches)
        batches = state.shelf.batches(plan.documents)
        note_turn(state, tokens_at_once=budget.tokens)
        note = f"memory ran out: at most {budget.tokens} tokens at once from now on"
        teller.record("memory", quest_id=order.quest_id, note=note)
        say("memory ran out", update=state.progress.step + 1, tokens_at_once=budget.tokens)


def _attempt(state: RunState, order: QuestOrder, plan: UpdatePlan, batches: Sequence[Batch]) -> UpdateResult:
    update, request = state.progress.step + 1, state.request
    training = with_falling_rates(request.config.training, request.decay, update)
    highest = highest_usual_loss(state, order)
    try:
        return make_update(
            state.model,
            state.optimizers,
            batches,
            plan.num_trained,
            training,
            state.precision,
            update,
            highest,
        )
    except NonFiniteLossError as error:
        raise NonFiniteLossError(
            f"update {update} of quest {order.quest_id}: {error}; it was not applied"
        ) from error
