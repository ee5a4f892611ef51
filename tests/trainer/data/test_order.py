"""The order of rows: each once an epoch, the same on every machine, and any update found from the cursor alone."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.order import EpochOrder, Position, next_update, updates_left


def order(num_rows: int, epoch: int = 0, seed: int = 0, digest: str = "q") -> list[int]:
    one = EpochOrder(seed=seed, quest_digest=digest, epoch=epoch, num_rows=num_rows)
    return [one.row_at(position) for position in range(num_rows)]


@given(num_rows=st.integers(1, 700), epoch=st.integers(0, 5), seed=st.integers(0, 2**64))
def test_each_row_comes_once_an_epoch(num_rows, epoch, seed):
    assert sorted(order(num_rows, epoch, seed)) == list(range(num_rows))


def test_seed_quest_and_epoch_each_change_the_order():
    orders = [order(50), order(50, epoch=1), order(50, seed=1), order(50, digest="r"), list(range(50))]
    assert len({tuple(each) for each in orders}) == len(orders)


def test_the_order_never_changes():
    orders = [order(count, epoch=2, seed=7, digest="sha256:ab") for count in (1, 2, 3, 10, 1000)]
    assert (
        hashlib.sha256(json.dumps(orders).encode()).hexdigest()
        == "2d460d3a3b24d2bffbe8c476df9dff69c834e0b9ba5907f843f39b5374e50800"
    )


@pytest.mark.parametrize("num_rows", [2, 5, 16, 100])
def test_every_row_is_equally_likely_to_come_first(num_rows):
    seeds = 200 * num_rows
    first = [EpochOrder(seed=s, quest_digest="q", epoch=0, num_rows=num_rows).row_at(0) for s in range(seeds)]
    counts = [first.count(row) for row in range(num_rows)]
    assert sum((count - 200) ** 2 / 200 for count in counts) < 2 * num_rows + 20  # chi square


def test_a_position_beyond_the_rows_is_refused():
    with pytest.raises(IndexError, match="position 3 of an epoch of 3 rows"):
        EpochOrder(seed=0, quest_digest="q", epoch=0, num_rows=3).row_at(3)


def take(at: Position, *, num_rows: int, epochs: int, num_documents: int):
    return next_update(
        seed=3, quest_digest="q", num_rows=num_rows, epochs=epochs, at=at, num_documents=num_documents
    )


@given(num_rows=st.integers(1, 60), epochs=st.integers(1, 4), num_documents=st.integers(1, 70))
def test_all_epochs_are_taken_row_by_row_and_only_the_last_update_is_short(num_rows, epochs, num_documents):
    at, rows, sizes = Position(), [], []
    while update := take(at, num_rows=num_rows, epochs=epochs, num_documents=num_documents):
        assert updates_left(num_rows=num_rows, epochs=epochs, at=at, num_documents=num_documents) > 0
        rows += update.rows
        sizes.append(len(update.rows))
        at = update.after
    assert rows == [row for epoch in range(epochs) for row in order(num_rows, epoch, seed=3)]
    assert set(sizes[:-1]) <= {num_documents}
    assert len(sizes) == updates_left(
        num_rows=num_rows, epochs=epochs, at=Position(), num_documents=num_documents
    )
    assert at == Position(epochs_done=epochs)


def test_an_update_that_runs_into_the_next_epoch_says_what_it_took_of_each():
    update = take(Position(rows_taken=8), num_rows=10, epochs=2, num_documents=4)
    assert [(taken.epoch, taken.start, taken.stop) for taken in update.taken] == [(0, 8, 10), (1, 0, 2)]
    assert update.after == Position(epochs_done=1, rows_taken=2)


def test_more_epochs_train_the_difference_only():
    assert take(Position(epochs_done=2), num_rows=10, epochs=2, num_documents=4) is None
    update = take(Position(epochs_done=2), num_rows=10, epochs=3, num_documents=4)
    assert update.rows == tuple(order(10, epoch=2, seed=3)[:4])


def test_a_cursor_of_another_quest_is_refused():
    with pytest.raises(ValueError, match="12 rows taken of an epoch of 10; the cursor is of another quest"):
        take(Position(rows_taken=12), num_rows=10, epochs=1, num_documents=4)
    with pytest.raises(ValueError, match="expected at least 1 of each"):
        take(Position(), num_rows=0, epochs=1, num_documents=4)
