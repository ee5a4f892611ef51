"""The order of rows can be read both ways, and which rows are learnt depends on their content alone."""

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.contract import row_order
from state.contract.row_order import EpochOrder, training_rows


@given(num_rows=st.integers(1, 400), epoch=st.integers(0, 4), seed=st.integers(0, 2**63))
def test_the_position_of_a_row_is_where_the_order_has_it(num_rows: int, epoch: int, seed: int) -> None:
    order = EpochOrder(seed=seed, quest_digest="sha256:ab", epoch=epoch, num_rows=num_rows)
    assert [order.position_of(order.row_at(place)) for place in range(num_rows)] == list(range(num_rows))


def test_an_epoch_hashes_each_half_of_a_row_number_once_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every update looks rows up, and nearly all of that is hashing."""
    made: list[bytes] = []

    def noting(half: bytes, **settings: Any) -> Any:
        made.append(half)
        return hashlib.blake2b(half, **settings)

    monkeypatch.setattr(row_order, "hashlib", SimpleNamespace(blake2b=noting, sha256=hashlib.sha256))
    order = EpochOrder(seed=8, quest_digest="sha256:cd", epoch=0, num_rows=1000)
    assert sorted(order.row_at(place) for place in range(1000)) == list(range(1000))
    assert len(made) <= 8 * 32  # ten bits in two halves of five, eight rounds


def test_a_row_beyond_the_rows_has_no_position() -> None:
    with pytest.raises(IndexError, match="row 3 of an epoch of 3 rows"):
        EpochOrder(seed=0, quest_digest="q", epoch=0, num_rows=3).position_of(3)


def test_the_rows_that_are_learnt_are_those_whose_content_is_not_held_out() -> None:
    low, high = "0" * 64, "f" * 64
    assert training_rows([low, high, low, high], 0.5) == (1, 3)
    assert training_rows([low, high], 0.0) == (0, 1)
