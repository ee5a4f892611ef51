"""Packing: every document whole, once, in few micro-batches."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens, pack

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def documents(lengths: list[int]) -> list[Document]:
    """Return documents of these lengths whose second half is learnt; each token says whose it is."""
    return [
        Document(row=row, ids=array("i", [row] * length), spans=((length // 2, length),))
        for row, length in enumerate(lengths)
    ]


@given(LENGTHS, st.integers(1, 60))
def test_every_document_is_packed_once_and_whole(lengths: list[int], budget: int) -> None:
    batches = pack(documents(lengths), budget)
    assert sorted(row for batch in batches for row in batch.rows) == list(range(len(lengths)))
    for batch in batches:
        assert list(batch.ids) == [
            row for row, length in zip(batch.rows, batch.lengths, strict=True) for _ in range(length)
        ]


@given(LENGTHS, st.integers(1, 60))
def test_a_micro_batch_keeps_to_the_budget_unless_one_document_alone_is_longer(
    lengths: list[int], budget: int
) -> None:
    assert all(
        sum(batch.lengths) <= budget or len(batch.rows) == 1 for batch in pack(documents(lengths), budget)
    )


@given(LENGTHS, st.integers(1, 60))
def test_what_is_learnt_is_what_the_documents_say_but_never_their_first_token(
    lengths: list[int], budget: int
) -> None:
    found = documents(lengths)
    batches = pack(found, budget)
    assert sum(len(batch.targets) for batch in batches) == num_trained_tokens(found)
    for batch in batches:
        starts = {sum(batch.lengths[:number]) for number in range(len(batch.lengths))}
        assert starts.isdisjoint(batch.targets)
        assert list(batch.targets) == sorted(set(batch.targets))


@given(LENGTHS)
def test_the_order_of_the_documents_does_not_matter_to_how_full_the_micro_batches_are(
    lengths: list[int],
) -> None:
    there, back = pack(documents(lengths), 60), pack(documents(lengths[::-1]), 60)
    assert [sum(batch.lengths) for batch in there] == [sum(batch.lengths) for batch in back]


def test_the_longest_come_first_so_that_memory_is_asked_for_at_once() -> None:
    assert [batch.lengths for batch in pack(documents([2, 9, 5, 4, 1]), 10)] == [(9, 1), (5, 4), (2,)]


def test_a_budget_of_nothing_gives_each_document_a_micro_batch_of_its_own() -> None:
    assert [batch.lengths for batch in pack(documents([3, 1, 2]), 0)] == [(3,), (2,), (1,)]


def test_what_was_learnt_is_at_the_place_where_it_stands_in_the_row() -> None:
    (batch,) = pack(documents([4, 2]), 10)
    assert (list(batch.ids), list(batch.targets)) == ([0, 0, 0, 0, 1, 1], [2, 3, 5])


def test_tensors_hold_positions_bounds_and_the_places_that_predict() -> None:
    torch = pytest.importorskip("torch")
    from trainer.data.tensors import to_tensors

    (flat,) = pack(documents([4, 2]), 10)
    batch = to_tensors(flat, "cpu")
    assert batch.positions_1T.tolist() == [[0, 1, 2, 3, 0, 1]]
    assert batch.bounds.tolist() == [0, 4, 6]
    assert batch.bounds.dtype == torch.int32
    assert (batch.sources_N.tolist(), batch.targets_N.tolist()) == ([1, 2, 4], [0, 0, 1])


def test_a_row_with_nothing_to_learn_has_tensors_of_no_length() -> None:
    pytest.importorskip("torch")
    from trainer.data.tensors import to_tensors

    (flat,) = pack([Document(row=0, ids=array("i", [5]), spans=((0, 1),))], 10)
    assert to_tensors(flat, "cpu").targets_N.tolist() == []
