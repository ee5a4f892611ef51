"""The documents of one update as flat micro-batches: one document behind the other, without filling.

How they are packed is no part of what is learnt: each document sees itself alone, and every loss is divided
by the trained tokens of the whole update. Nothing is ever cut, and no micro-batch reaches beyond its update.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence

import msgspec

from trainer.data.documents import Document


class FlatBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Documents that go through the model together, as one row of T tokens."""

    rows: tuple[int, ...]
    """Of each document, counted from 0 in the quest's file."""
    lengths: tuple[int, ...]
    """Of each document, in tokens; their sum is T."""
    ids: array  # type: ignore[type-arg]  # array[int] is no type at run time
    """Token ids, T of them."""
    targets: array  # type: ignore[type-arg]  # the same
    """Places in the row whose token carries loss, ascending; the first token of a document never does."""


def pack(documents: Sequence[Document], budget_tokens: int) -> list[FlatBatch]:
    """Return the documents in as few micro-batches of at most so many tokens as best fit finds.

    Longest first, each into the fullest micro-batch that still has room for it (best fit decreasing needs at
    most 11/9 of the fewest possible; Johnson et al., 1974). A document beyond the budget goes alone.
    """
    open_: list[tuple[int, int]] = []  # (room, number of the batch), ascending
    batches: list[list[Document]] = []
    for document in sorted(documents, key=len, reverse=True):
        place = bisect_left(open_, (len(document), -1))
        room, number = open_.pop(place) if place < len(open_) else (budget_tokens, len(batches))
        if number == len(batches):
            batches.append([])
        batches[number].append(document)
        insort(open_, (room - len(document), number))
    return [_flat(batch) for batch in batches]


def num_trained_tokens(documents: Sequence[Document]) -> int:
    """Return how many tokens of an update carry loss: what its loss sum is divided by."""
    return sum(document.num_trained for document in documents)


def _flat(documents: Sequence[Document]) -> FlatBatch:
    ids, targets = array("i"), array("q")
    for document in documents:
        start = len(ids)
        for first, stop in document.spans:
            targets.extend(range(start + max(first, 1), start + stop))
        ids.extend(document.ids)
    return FlatBatch(
        rows=tuple(document.row for document in documents),
        lengths=tuple(len(document) for document in documents),
        ids=ids,
        targets=targets,
    )
