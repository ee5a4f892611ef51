"""Has a quest's content only grown since it was taken in, and which rows are new? Pure.

A quest is taken in by parts: first the whole content, then, each time that it grew, the new rows alone. It
has grown when its bytes begin with all the parts in their order, each ending where a line ends.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence

from state.contract.contents import Continued, KnownPart, NewRows
from state.contract.row_contracts import RowContract
from state.contract.sieve import highest_draw, row_digests


def continued(
    content: bytes,
    parts: Sequence[KnownPart],
    path: str,
    contract: RowContract,
    held_out: Callable[[], Mapping[str, Collection[str]]] = dict,
) -> Continued | None:
    """Return how a content goes on behind the parts; None when it does not begin with them.

    `held_out`: digest of each held-out file → the digests of its rows; asked only where there are new rows.
    """
    starts, at = [], 0
    for part in parts:
        begin = _next_line(content, at)
        if begin is None or _digest(content[begin : begin + part.size_bytes]) != part.digest:
            return None
        starts.append(begin)
        at = begin + part.size_bytes
    begin = _next_line(content, at)
    if begin is None:
        return None
    new = content[begin:]
    digests = tuple(part.digest for part in parts)
    found = _new_rows(new, path, contract, held_out()) if new else None
    return Continued(parts=digests, starts=(*starts, begin), new=found)


def not_taken_yet(content: bytes, taken: Collection[KnownPart]) -> int:
    """Return where that begins which was in no content that was taken in before, in bytes.

    What was taken in lies at the beginning, one content behind the other; of several that fit, the longest
    counts. Where nothing came behind them, it is where the last of them begins: that content is there again.
    """
    digests = {part.digest for part in taken}
    sizes = sorted({part.size_bytes for part in taken if part.size_bytes})
    at = 0
    while (end := _longest_taken(content, at, sizes, digests)) is not None:
        begin = _next_line(content, end)
        if begin is None or begin == len(content):
            return at
        at = begin
    return at


def _longest_taken(content: bytes, at: int, sizes: Sequence[int], digests: Collection[str]) -> int | None:
    """Return where the longest known content that begins here ends, at the end of a line; one pass."""
    read, end, found = hashlib.sha256(), at, None
    for size in sizes:
        if at + size > len(content):
            break
        read.update(memoryview(content)[end : at + size])
        end = at + size
        if "sha256:" + read.hexdigest() in digests and _next_line(content, end) is not None:
            found = end
    return found


def _next_line(content: bytes, at: int) -> int | None:
    """Return where the line behind a part begins; None when the part ends within a line."""
    if at == 0 or at == len(content) or content[at - 1 : at] == b"\n":
        return at
    return at + 1 if content[at : at + 1] == b"\n" else None


def _new_rows(
    new: bytes, path: str, contract: RowContract, held_out: Mapping[str, Collection[str]]
) -> NewRows:
    digests = row_digests(new, path, contract)
    return NewRows(
        digest=_digest(new),
        size_bytes=len(new),
        num_rows=new.removesuffix(b"\n").count(b"\n") + 1,
        highest_draw=highest_draw(digests),
        all_in=tuple(name for name, held in sorted(held_out.items()) if all(one in held for one in digests)),
    )


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
