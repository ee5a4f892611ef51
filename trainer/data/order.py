"""Which rows the next update takes: pure functions of seed, quest, cursor and counts.

An update takes its documents from one quest. It may run on from one epoch of that quest into the next, so
only the very last update of a quest can be smaller than the others. Within an epoch each row comes once, in
an order given by hash(seed, quest, epoch); any position is found in constant time and memory.
"""

import hashlib
from functools import lru_cache

import msgspec

_ROUNDS = 8


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


class EpochOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The order of a quest's training rows in one epoch."""

    seed: int
    quest_digest: str
    epoch: int
    num_rows: int

    def row_at(self, position: int) -> int:
        """Return the training row (from 0) that stands at a position of the order.

        A Feistel network over the next power of four, walked until it lands inside the rows (Black and
        Rogaway, "Ciphers with arbitrary finite domains", 2002): a permutation, without a list of it.

        Raises:
            IndexError: there is no such position.
        """
        if not 0 <= position < self.num_rows:
            raise IndexError(f"position {position} of an epoch of {self.num_rows} rows")
        keys = _round_keys(self.seed, self.quest_digest, self.epoch)
        half_bits = max(1, ((self.num_rows - 1).bit_length() + 1) // 2)
        row = _encipher(position, half_bits, keys)
        while row >= self.num_rows:
            row = _encipher(row, half_bits, keys)
        return row


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


@lru_cache(maxsize=16)
def _round_keys(seed: int, quest_digest: str, epoch: int) -> tuple[bytes, ...]:
    name = f"{seed} {quest_digest} {epoch}"
    return tuple(hashlib.sha256(f"{name} {number}".encode()).digest()[:16] for number in range(_ROUNDS))


def _encipher(value: int, half_bits: int, keys: tuple[bytes, ...]) -> int:
    mask = (1 << half_bits) - 1
    left, right = value >> half_bits, value & mask
    for key in keys:
        mixed = hashlib.blake2b(right.to_bytes(8, "little"), key=key, digest_size=8).digest()
        left, right = right, left ^ (int.from_bytes(mixed, "little") & mask)
    return left << half_bits | right
