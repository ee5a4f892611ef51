"""The documents of one update as padded micro-batches. How they are cut is no part of what is learnt."""

from collections.abc import Sequence

import msgspec

from trainer.data.documents import IGNORED, Document


class MicroBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Documents that go through the model together, filled up at the end to the longest of them."""

    rows: tuple[int, ...]
    input_ids: list[list[int]]
    attention_mask: list[list[int]]
    """1 for a token, 0 for filling."""
    labels: list[list[int]]
    """The token where it carries loss, else -100; not yet shifted."""
    num_trained: int
    num_tokens: int
    """Without filling."""


def micro_batches(documents: Sequence[Document], batch_size: int, pad_id: int) -> list[MicroBatch]:
    """Return the documents of one update in micro-batches of `batch_size`, of similar length each.

    Longest first, so that memory is asked for at once and not in the middle of an update.
    """
    by_length = sorted(documents, key=len, reverse=True)
    return [
        _micro_batch(by_length[start : start + batch_size], pad_id)
        for start in range(0, len(by_length), batch_size)
    ]


def num_trained_tokens(documents: Sequence[Document]) -> int:
    """Return how many tokens of an update carry loss: what its loss sum is divided by."""
    return sum(document.num_trained for document in documents)


def _micro_batch(documents: Sequence[Document], pad_id: int) -> MicroBatch:
    width = max(len(document) for document in documents)
    fill = [width - len(document) for document in documents]
    filled = list(zip(documents, fill, strict=True))
    return MicroBatch(
        rows=tuple(document.row for document in documents),
        input_ids=[[*document.ids, *[pad_id] * missing] for document, missing in filled],
        attention_mask=[[1] * len(document) + [0] * missing for document, missing in filled],
        labels=[document.labels() + [IGNORED] * missing for document, missing in filled],
        num_trained=num_trained_tokens(documents),
        num_tokens=sum(len(document) for document in documents),
    )
