"""How far a campaign has come, as pure records."""

from state.contract.manifest import LearntRange
from state.contract.orders import QuestOrder, RowShape
from trainer.data.order import Position, next_update
from trainer.engine.progress import Learnt, Progress, after_update, cursor_of, is_complete, position

ROWS = 10


def an_order(quest_id: str = "q1", epochs: int = 1, digest: str = "sha256:1") -> QuestOrder:
    return QuestOrder(
        quest_id=quest_id,
        job_uid="j",
        digest=digest,
        path="/nowhere",
        num_rows=ROWS,
        shape=RowShape(),
        epochs=epochs,
        priority="normal",
    )


def trained(progress: Progress, order: QuestOrder, updates: int, documents: int = 4) -> Progress:
    for _ in range(updates):
        update = next_update(
            seed=0,
            quest_digest=order.digest,
            num_rows=ROWS,
            epochs=order.epochs,
            at=position(progress, order),
            num_documents=documents,
        )
        assert update is not None
        progress = after_update(progress, order, Learnt(update=update, tokens=7, loss=1.0, learning_rate=0.1))
    return progress


def a_range(start: int, stop: int, *, epoch: int = 0, quest_id: str = "q1") -> LearntRange:
    return LearntRange(quest_id=quest_id, digest="sha256:1", epoch=epoch, start=start, stop=stop)


def test_ranges_that_follow_each_other_are_one() -> None:
    assert trained(Progress(), an_order(), 2).learnt == (a_range(0, 8),)


def test_an_update_over_the_end_of_an_epoch_is_learnt_in_both() -> None:
    progress = trained(Progress(), an_order(epochs=2), 3)
    assert progress.learnt == (a_range(0, 10), a_range(0, 2, epoch=1))
    assert position(progress, an_order()) == Position(epochs_done=1, rows_taken=2)
    assert progress.examples_seen == 12


def test_quests_in_turns_keep_ranges_of_their_own() -> None:
    progress = trained(Progress(), an_order(), 1)
    progress = trained(progress, an_order("q2"), 1)
    progress = trained(progress, an_order(), 1)
    assert progress.learnt == (a_range(0, 4), a_range(0, 4, quest_id="q2"), a_range(4, 8))


def test_raised_epochs_leave_the_difference_to_train() -> None:
    progress = trained(Progress(), an_order(), 3)
    assert is_complete(progress, an_order())
    assert not is_complete(progress, an_order(epochs=2))
    assert position(progress, an_order(epochs=2)) == Position(epochs_done=1, rows_taken=0)


def test_other_content_under_the_same_id_starts_at_its_first_row() -> None:
    progress = trained(Progress(), an_order(), 1)
    assert cursor_of(progress, an_order(digest="sha256:2")) is None
    assert len(trained(progress, an_order(digest="sha256:2"), 1).cursor) == 2


def test_the_cursor_remembers_the_first_and_the_last_step() -> None:
    cursor = cursor_of(trained(Progress(step=100), an_order(), 3), an_order())
    assert cursor is not None
    assert (cursor.first_step, cursor.last_step, cursor.complete) == (101, 103, True)
