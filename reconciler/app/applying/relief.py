"""A full disk: the ballast goes before anything is written, as not even an intent could be written down."""

from collections.abc import Callable

from reconciler.plan.costs.room import LEAST_FREE_BYTES
from state.amounts import size
from state.ballast import relieve
from state.layout import Layout


def relieve_a_full_disk(layout: Layout, notice: Callable[[str], None]) -> None:
    """Let the ballast of a root go if its disk is full, and say so."""
    if freed := relieve(layout, LEAST_FREE_BYTES):
        notice(f"the disk of {layout.root} is full: the ballast of {size(freed)} was let go")
