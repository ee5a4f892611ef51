"""Whose file a spec was: the moves of several commits, one after the other. Pure.

A name stands for the campaign that had it at the beginning. A move takes it away, and a file that comes where
one has left is nobody's; one that is written again where it was only removed is whose it was.
"""

from collections.abc import Iterable, Mapping

Moves = Mapping[str, str]
"""New name → old one, of one commit: all at once."""


def trace(steps: Iterable[Moves]) -> dict[str, str | None]:
    """Return name → whose it was before the steps, oldest first; None: nobody's; those of before left out."""
    whose: dict[str, str | None] = {}
    for moves in steps:
        before = dict(whose)
        whose |= dict.fromkeys(moves.values())
        whose |= {new: before.get(old, old) for new, old in moves.items()}
    return whose


def corrected(moves: Moves, alike: Moves) -> Moves:
    """Return what a commit moved, by what its files read like where that says something."""
    taken = {*alike.values()}
    return {**{new: old for new, old in moves.items() if new not in alike and old not in taken}, **alike}


def trace_back(steps: Iterable[Moves]) -> dict[str, str | None]:
    """Return name before the steps, newest first → what they made of it; None: nothing."""
    return trace({old: new for new, old in moves.items()} for moves in steps)


def chained(first: Mapping[str, str | None], then: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the trace of two, one after the other."""
    found = {name: first.get(old, old) if old is not None else None for name, old in then.items()}
    return {**first, **found}
