"""A row as tokens."""

from array import array

import msgspec

IGNORED = -100
"""The label of a token that is not learnt (torch's cross entropy leaves it out)."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One row, tokenised: never truncated, never joined with another."""

    row: int
    """Counted from 0 in the quest's file."""
    ids: array  # type: ignore[type-arg]  # array[int] is no type at run time
    spans: tuple[tuple[int, int], ...]
    """Tokens [start, stop) that carry loss, in order."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_trained(self) -> int:
        """Return how many tokens carry loss."""
        return num_trained(self.spans)

    def labels(self) -> list[int]:
        """Return the token ids where they carry loss, -100 elsewhere; not yet shifted."""
        labels = [IGNORED] * len(self.ids)
        for start, stop in self.spans:
            labels[start:stop] = self.ids[start:stop]
        labels[0] = IGNORED
        return labels


def num_trained(spans: tuple[tuple[int, int], ...]) -> int:
    """Return how many tokens of spans carry loss; the first token of a document is never predicted."""
    return sum(stop - max(start, 1) for start, stop in spans if stop > 1)
