"""The rows of a file with the numbers that they have in it, also where invalid ones are left out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from state.contract.contents import MAX_FINDINGS, Sieved
from state.contract.quest_rows import Row, lines_of, read_quest_bytes, rows
from state.contract.row_contracts import RowContract
from state.contract.sieve import behind, sieve


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken in of a file."""

    sieved: Sieved
    rows: tuple[Row, ...]
    """Each with its place in the file as it stands."""


def read_file(
    path: str, contracts: Sequence[RowContract], start_byte: int = 0, most_findings: int = MAX_FINDINGS
) -> ReadFile:
    """Return the rows of a file that keep the contract; of a whole one perhaps only those from a byte on.

    Raises:
        QuestFileError: the gate refuses it, or it cannot be read.
    """
    content = read_quest_bytes(Path(path))
    sieved, taken = sieve(content, path, contracts, most_findings)
    read = rows(taken, path, sieved.contract.shape)
    if taken == content and start_byte:
        new = behind(sieved, taken, start_byte)
        return ReadFile(sieved=new, rows=tuple(read)[-new.num_rows :])
    if taken == content:
        return ReadFile(sieved=sieved, rows=tuple(read))
    places = _places(lines_of(content, path), lines_of(taken, path))
    return ReadFile(
        sieved=sieved, rows=tuple(Row(place, row.messages) for place, row in zip(places, read, strict=True))
    )


def _places(lines: Sequence[bytes], taken: Sequence[bytes]) -> Iterator[int]:
    """Yield where each line that is taken in stands among all lines; they are in the same order."""
    place = -1
    for line in taken:
        place = lines.index(line, place + 1)
        yield place
