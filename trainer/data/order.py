"""Which rows the next update takes: pure functions of seed, quest, cursor and counts.

An update takes its documents from one quest. It may run on from one epoch of that quest into the next, so
only the very last update of a quest can be smaller than the others. Within an epoch each row comes once, in
an order given by hash(seed, quest, epoch) (`state/contract/row_order.py`); any position is found in constant
time and memory.
"""

import msgspec

from state.contract.row_order import EpochOrder

__all__ = ["EpochOrder", "NextUpdate", "Position", "Taken", "next_update", "updates_left"]


class Position(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """How far a quest has come: whole epochs, then rows of the epoch that has begun."""

    epochs_done: int = 0
    rows_taken: int = 0


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A run of positions [start, stop) in one epoch's order, with the training rows that stand there."""

    epoch: int
    start: int
    stop: int
    rows: tuple[int, ...]


class NextUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What one update takes of a quest, and where the quest stands afterwards."""

    taken: tuple[Taken, ...]
    """One entry for each epoch that it touches."""
    after: Position

    @property
    def rows(self) -> tuple[int, ...]:
        """Return the training rows in their order."""
        return tuple(row for taken in self.taken for row in taken.rows)


def next_update(
    *, seed: int, quest_digest: str, num_rows: int, epochs: int, at: Position, num_documents: int
) -> NextUpdate | None:
    """Return what the next update takes; None when all epochs are done.

    Raises:
        ValueError: the quest has no training rows, or the position lies outside of it.
    """
    _check(num_rows, num_documents, at)
    taken: list[Taken] = []
    missing = num_documents
    while missing and at.epochs_done < epochs:
        order = EpochOrder(seed=seed, quest_digest=quest_digest, epoch=at.epochs_done, num_rows=num_rows)
        stop = min(at.rows_taken + missing, num_rows)
        rows = tuple(order.row_at(position) for position in range(at.rows_taken, stop))
        taken.append(Taken(epoch=at.epochs_done, start=at.rows_taken, stop=stop, rows=rows))
        missing -= len(rows)
        ended = stop == num_rows
        at = Position(epochs_done=at.epochs_done + ended, rows_taken=0 if ended else stop)
    return NextUpdate(taken=tuple(taken), after=at) if taken else None


def updates_left(*, num_rows: int, epochs: int, at: Position, num_documents: int) -> int:
    """Return how many updates a quest still takes."""
    rows_left = (epochs - at.epochs_done) * num_rows - at.rows_taken
    return max(0, -(-rows_left // num_documents))


def _check(num_rows: int, num_documents: int, at: Position) -> None:
    if num_rows < 1 or num_documents < 1:
        raise ValueError(
            f"{num_documents} documents of {num_rows} training rows; expected at least 1 of each"
        )
    if at.epochs_done < 0 or not 0 <= at.rows_taken < num_rows:
        raise ValueError(
            f"{at.rows_taken} rows taken of an epoch of {num_rows}; the cursor is of another quest"
        )
