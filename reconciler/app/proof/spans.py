"""Rows as spans. Pure."""

from collections.abc import Iterable, Mapping

from reconciler.app.proof.records import Span, Times


def spans_of(indexes: Iterable[int]) -> tuple[Span, ...]:
    """Return rows, given by index from 0, as spans of numbers from 1."""
    found: list[list[int]] = []
    for index in sorted(indexes):
        if found and found[-1][1] == index:
            found[-1][1] = index + 1
        else:
            found.append([index + 1, index + 1])
    return tuple((first, last) for first, last in found)


def by_times(times: Mapping[int, int]) -> tuple[Times, ...]:
    """Return row index → how often it was learnt as spans, those learnt most often first."""
    groups: dict[int, list[int]] = {}
    for index, number in times.items():
        if number:
            groups.setdefault(number, []).append(index)
    return tuple(
        Times(times=number, num_rows=len(rows), rows=spans_of(rows))
        for number, rows in sorted(groups.items(), reverse=True)
    )
