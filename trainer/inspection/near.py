"""Rows that are nearly the same, found without comparing each with each.

MinHash over windows of five characters with locality-sensitive hashing (Broder, "On the resemblance and
containment of documents", 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3).
Our own seventy lines over numpy, which the trainer needs anyway: datasketch does the same and brings scipy;
rapidfuzz compares pairs and has no index.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from state.contract.quest_rows import Row, row_digest
from state.contract.row_words import Objection
from trainer.inspection.duplicates import MIN_ASKED, GuardRows, leak, question, turns
from trainer.inspection.findings import Findings
from trainer.inspection.plain import bare

ALIKE = 0.85
"""From this share of common windows on two texts are nearly the same."""
MIN_CHARACTERS = 100
"""Shorter texts are alike too easily to say anything."""
_MOST_CHARACTERS = 20_000
_WINDOW = 5
_HASHES, _BANDS = 128, 16
"""A pair that is 85 % alike is met with 99 % probability, one that is 50 % alike with 6 %."""
_CANDIDATES = 16


class Near(msgspec.Struct, frozen=True):
    """A text that is nearly the same as an earlier one."""

    number: int
    before: int
    share: float
    """Common windows of all, estimated within some 0.03."""


class NearIndex:
    """Texts by number; asks which earlier one a text resembles."""

    def __init__(self) -> None:
        draw = np.random.default_rng(0)
        self._factors = draw.integers(0, 2**63, _HASHES, dtype=np.uint64) * 2 + 1
        self._terms = draw.integers(0, 2**63, _HASHES, dtype=np.uint64)
        self._buckets: list[dict[bytes, list[int]]] = [{} for _ in range(_BANDS)]
        self._signatures: dict[int, Any] = {}

    def add(self, number: int, text: str) -> Near | None:
        """Return what a text is nearly the same as; remember it when there is nothing like it."""
        signature = self._signature(text)
        if signature is None:
            return None
        near = self._nearest(number, signature)
        if near is None:
            self._remember(number, signature)
        return near

    def find(self, number: int, text: str) -> Near | None:
        """Return what a text is nearly the same as; remember nothing."""
        signature = self._signature(text)
        return None if signature is None else self._nearest(number, signature)

    def _nearest(self, number: int, signature: Any) -> Near | None:
        candidates = dict.fromkeys(
            known
            for bucket, key in zip(self._buckets, _keys(signature), strict=True)
            for known in bucket.get(key, ())[:_CANDIDATES]
        )
        shares = [(float(np.mean(self._signatures[one] == signature)), -one) for one in candidates]
        share, before = max(shares, default=(0.0, 0))
        return Near(number, -before, share) if share >= ALIKE else None

    def _remember(self, number: int, signature: Any) -> None:
        self._signatures[number] = signature
        for bucket, key in zip(self._buckets, _keys(signature), strict=True):
            bucket.setdefault(key, []).append(number)

    def _signature(self, text: str) -> Any:
        """Return the smallest value of each hash over the text's windows; None for a short text."""
        plain = " ".join(text.casefold().split())[:_MOST_CHARACTERS]
        if len(plain) < MIN_CHARACTERS:
            return None
        values = np.unique(_window_hashes(plain))
        smallest = np.full(_HASHES, np.iinfo(np.uint64).max, dtype=np.uint64)
        for start in range(0, len(values), 1024):
            part = values[start : start + 1024, None] * self._factors + self._terms
            np.minimum(smallest, part.min(axis=0), out=smallest)
        return (smallest >> np.uint64(32)).astype(np.uint32)


def look_for_likeness(rows: Sequence[Row], guards: Sequence[GuardRows], findings: Findings) -> None:
    """Note rows that are nearly the same as an earlier one, or ask nearly what a guarded row asks."""
    first = {row_digest(row.messages): row.index for row in reversed(rows)}
    different = [row for row in rows if first[row_digest(row.messages)] == row.index]
    findings.add_all("near_duplicate", _near_duplicates(different))
    for guard in guards:
        findings.add_all("leakage", _near_leaks(different, guard))


def _near_duplicates(rows: Sequence[Row]) -> Iterator[tuple[int, Objection]]:
    index = NearIndex()
    for row in rows:
        near = index.add(row.index + 1, "\n".join(message.content for message in row.messages))
        if near is not None:
            found = f"some {near.share:.0%} of it stands in row {near.before}"
            yield near.number, Objection(found, "rows that differ", "Remove one of the two.")


def _near_leaks(rows: Sequence[Row], guard: GuardRows) -> Iterator[tuple[int, Objection]]:
    index = NearIndex()
    worded: dict[str, int] = {}
    for number, text in guard.texts:
        index.add(number, text)
        worded.setdefault(bare(text), number)
    for row in rows:
        asked = dict.fromkeys((question(row.messages), *(text for text, _ in turns(row.messages))))
        if guard.questions.keys().isdisjoint(asked):
            found = (_near_leak(row.index + 1, text, index, worded, guard.name) for text in asked)
            yield from islice(filter(None, found), 1)


def _near_leak(
    number: int, text: str, index: NearIndex, worded: Mapping[str, int], name: str
) -> tuple[int, Objection] | None:
    """Return that a row asks the same in the same words, or nearly the same, if it does.

    Short questions are compared word by word, without their marks: likeness would say that 3 + 4 is 3 + 5.
    """
    if len(text) >= MIN_ASKED and (same := worded.get(bare(text))) is not None:
        return number, leak(f"it asks in the same words as row {same} of {name}")
    near = index.find(number, text)
    if near is None:
        return None
    return number, leak(f"it asks some {near.share:.0%} the same as row {near.before} of {name}")


def _keys(signature: Any) -> list[bytes]:
    return [band.tobytes() for band in np.split(signature, _BANDS)]


def _window_hashes(text: str) -> Any:
    """Return a 64-bit hash of every window of five characters."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    windows = np.zeros(len(codes) - _WINDOW + 1, dtype=np.uint64)
    for place in range(_WINDOW):
        windows = windows * np.uint64(0x100000001B3) + codes[place : len(codes) - _WINDOW + 1 + place]
    windows ^= windows >> np.uint64(31)
    windows *= np.uint64(0x9E3779B97F4A7C15)  # spreads the low bits (Steele et al., SplitMix64, 2014)
    return windows ^ (windows >> np.uint64(29))
