"""The training loop: one turn for each update boundary.

Each turn looks at the orders first, so what is wanted now decides: leave, wait, or train the first quest
of the list that is not complete. A quest that moves to the front is trained from the next update on.
"""

import time

import msgspec

from state.contract.goals import goal_reached, goals_in
from state.contract.orders import Orders, QuestOrder
from trainer.engine.control import Control
from trainer.engine.failures import TrainingError
from trainer.engine.log import say
from trainer.engine.outcome import Outcome
from trainer.engine.progress import Progress, is_complete, so_far
from trainer.engine.session import Session

PAUSE_LOOK_SECONDS = 0.2


def train(session: Session, control: Control) -> Outcome:
    """Train until the orders are done, a goal is reached, or somebody asks to stop; then save and say why."""
    session.saver.room.must_leave = session.examiner.must_leave = lambda: control.stop_reason() is not None
    try:
        outcome = _train(session, control)
    except Exception as error:
        _save_what_is_sound(session, error)
        session.teller.tell_missing()
        raise
    finally:
        session.state.shelf.close()
    _leave(session, outcome)
    return outcome


def _leave(session: Session, outcome: Outcome) -> None:
    session.teller.heartbeat.enter("stopping")
    session.save()
    session.teller.record("left", note=outcome.message)
    session.saver.tell_all()
    session.teller.tell_missing()


def _train(session: Session, control: Control) -> Outcome:
    current: QuestOrder | None = None
    while True:
        orders = _take_up(session, control)
        session.save_if_asked(orders)
        if (outcome := end_of(orders, session, control.stop_reason())) is not None:
            return as_asked(outcome, control)
        if orders.pause:
            _wait(session, control)
            continue
        order = next_quest(orders, session.progress)
        if order is None:
            return Outcome(reason="finished", message="all quests are done")
        if order != current:
            session.begin_quest(order)
            current = order
        session.train_update(order)
        session.finish_update(order, is_last=_reached(orders, session) is not None)


def _save_what_is_sound(session: Session, error: Exception) -> None:
    """Keep what may be kept of a run that cannot go on; a checkpoint that is being written is of before."""
    if getattr(error, "is_state_sound", False):
        session.save()
        return
    try:
        session.saver.finish()
    except TrainingError as other:
        say("not saved", message=other)  # the first failure is why the run ends


def end_of(orders: Orders, session: Session, stop_reason: str | None) -> Outcome | None:
    """Return why to leave now, if there is a reason."""
    if stop_reason is not None:
        return Outcome(reason="stopped", message=stop_reason)
    reached = _reached(orders, session)
    return Outcome(reason="goal_reached", message=reached) if reached else None


def _reached(orders: Orders, session: Session) -> str | None:
    """Return in words the goal that is reached, of a release in its own updates; None while there is none."""
    reached = goal_reached(goals_in(orders), so_far(session.progress))
    decay = session.state.request.decay
    if reached is None or decay is None:
        return reached
    return f"made {decay.updates} of {decay.updates} updates of the release of step {decay.start_step}"


def as_asked(outcome: Outcome, control: Control) -> Outcome:
    """Return the outcome with its class: `preempted` where nobody but a signal wanted the run to stop."""
    if outcome.reason == "stopped" and control.is_preempted():
        return msgspec.structs.replace(outcome, failure_class="preempted")
    return outcome


def next_quest(orders: Orders, progress: Progress) -> QuestOrder | None:
    """Return the first quest of the list with something left to train."""
    return next((order for order in orders.quests if not is_complete(progress, order)), None)


def _take_up(session: Session, control: Control) -> Orders:
    """Return the newest orders, which count from now on."""
    orders = control.orders()
    session.take_up(orders)
    return orders


def _wait(session: Session, control: Control) -> None:
    """Save, then wait with the model loaded until the orders change their mind or somebody asks to stop."""
    session.save()
    say("paused", step=session.progress.step)
    session.teller.heartbeat.enter("paused")
    while control.orders().pause and control.stop_reason() is None:
        session.save_if_asked(control.orders())
        session.teller.heartbeat.beat(orders_sequence=control.orders().sequence)
        time.sleep(PAUSE_LOOK_SECONDS)
    session.teller.heartbeat.enter("training")
