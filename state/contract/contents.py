"""What is known of the content of a quest: the mistakes in it, what of it is taken in, how it has grown.

Records alone: planning knows them, and never reads a row.
"""

from collections.abc import Sequence

import msgspec

from state.contract.row_contracts import RowContract

MOST_FINDINGS = 100_000
"""Of a check that a person may ask for: more would fill memory and nobody's day."""
MAX_FINDINGS = 10
_NAMED = 3
"""So many rows are named beside the first."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in a quest file."""

    row: int | None
    """Counted from 1; None: about the whole file."""
    found: str
    expected: str
    advice: str

    def __str__(self) -> str:
        where = "" if self.row is None else f"row {self.row}: "
        return f"{where}{self.found}; expected {self.expected}. {self.advice}"


def in_one_line(findings: Sequence[Finding], num_in_all: int) -> str:
    """Return the first finding, of which rows the next ones are, and where all of so many stand."""
    first, others = f"{findings[0]}", [f"{one.row}" for one in findings[1 : 1 + _NAMED]]
    if not others:
        return first
    more = num_in_all - 1 - len(others)
    also = f"{', '.join(others)} and {more:,} more" if more else ", ".join(others)
    return f"{first} Also row{'s' if more or len(others) > 1 else ''} {also}; all: reconcile validate --data"


class Sieved(msgspec.Struct, frozen=True, kw_only=True):
    """What passed the gate."""

    contract: RowContract
    digest: str
    """`sha256:` and 64 hex digits over the rows that are taken in."""
    size_bytes: int
    num_rows: int
    left_out: tuple[Finding, ...] = ()
    """The first invalid rows that are left out."""
    num_left_out: int = 0

    @property
    def text_of_left_out(self) -> str:
        """Return in words how many rows are left out, which are the first, where all stand; empty: none."""
        if not self.num_left_out:
            return ""
        return f"{self.num_left_out:,} invalid left out: {in_one_line(self.left_out, self.num_left_out)}"


class KnownPart(msgspec.Struct, frozen=True):
    """A part that was taken in."""

    digest: str
    size_bytes: int


class NewRows(msgspec.Struct, frozen=True, kw_only=True):
    """What came behind the known parts."""

    digest: str
    size_bytes: int
    num_rows: int
    highest_draw: float
    """From a held-out share above this on, none of them would be trained."""
    all_in: tuple[str, ...] = ()
    """Digests of the held-out files in which each of them stands: beside these none would be trained."""


class Continued(msgspec.Struct, frozen=True, kw_only=True):
    """A content that begins with known parts."""

    parts: tuple[str, ...]
    """Their digests."""
    starts: tuple[int, ...]
    """Where each part begins in the content, and last where what is new begins; in bytes."""
    new: NewRows | None
    """None when nothing came behind them."""
