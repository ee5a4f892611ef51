"""In which order the rows of a quest are learnt, and which of them are learnt at all. Pure.

The trainer takes rows by it; `reconcile prove` turns what a checkpoint recorded, positions in an order,
back into rows by the very same functions.
"""

import hashlib
from collections.abc import Collection, Iterable
from functools import lru_cache

import msgspec

from state.contract.quest_rows import is_held_out

_ROUNDS = 8
_KEPT = _ROUNDS * 1024
"""Hashes that are kept, since rows ask for the same ones again: all that an epoch of a million rows needs."""


class EpochOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The order of a quest's training rows in one epoch.

    A Feistel network over the next power of four, walked until it lands inside the rows (Black and Rogaway,
    "Ciphers with arbitrary finite domains", 2002): a permutation, without a list of it, either way.
    """

    seed: int
    quest_digest: str
    epoch: int
    num_rows: int

    def row_at(self, position: int) -> int:
        """Return the training row (from 0) that stands at a position of the order.

        Raises:
            IndexError: there is no such position.
        """
        if not 0 <= position < self.num_rows:
            raise IndexError(f"position {position} of an epoch of {self.num_rows} rows")
        half_bits, keys = self._half_bits_and_keys()
        row = _encipher(position, half_bits, keys)
        while row >= self.num_rows:
            row = _encipher(row, half_bits, keys)
        return row

    def position_of(self, row: int) -> int:
        """Return where a training row stands in the order.

        Raises:
            IndexError: there is no such row.
        """
        if not 0 <= row < self.num_rows:
            raise IndexError(f"row {row} of an epoch of {self.num_rows} rows")
        half_bits, keys = self._half_bits_and_keys()
        position = _decipher(row, half_bits, keys)
        while position >= self.num_rows:
            position = _decipher(position, half_bits, keys)
        return position

    def _half_bits_and_keys(self) -> tuple[int, tuple[bytes, ...]]:
        half_bits = max(1, ((self.num_rows - 1).bit_length() + 1) // 2)
        return half_bits, _round_keys(self.seed, self.quest_digest, self.epoch)


def training_rows(
    row_digests: Iterable[str], held_out_fraction: float, never: Collection[str] = ()
) -> tuple[int, ...]:
    """Return the indexes of the rows that are learnt, in the order of the file; the others are not.

    `row_digests`: of every row of the content, by `state.contract.quest_rows.row_digest`; `never`: those of
    the rows of a held-out file.
    """
    return tuple(
        index
        for index, digest in enumerate(row_digests)
        if digest not in never and not is_held_out(digest, held_out_fraction)
    )


@lru_cache(maxsize=16)
def _round_keys(seed: int, quest_digest: str, epoch: int) -> tuple[bytes, ...]:
    name = f"{seed} {quest_digest} {epoch}"
    return tuple(hashlib.sha256(f"{name} {number}".encode()).digest()[:16] for number in range(_ROUNDS))


def _encipher(value: int, half_bits: int, keys: tuple[bytes, ...]) -> int:
    mask = (1 << half_bits) - 1
    left, right = value >> half_bits, value & mask
    for key in keys:
        left, right = right, left ^ (_mixed(right, key) & mask)
    return left << half_bits | right


def _decipher(value: int, half_bits: int, keys: tuple[bytes, ...]) -> int:
    mask = (1 << half_bits) - 1
    left, right = value >> half_bits, value & mask
    for key in reversed(keys):
        left, right = right ^ (_mixed(left, key) & mask), left
    return left << half_bits | right


@lru_cache(maxsize=_KEPT)
def _mixed(half: int, key: bytes) -> int:
    digest = hashlib.blake2b(half.to_bytes(8, "little"), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "little")
