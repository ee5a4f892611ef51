"""A full disk: the ballast goes before anything is written, as not even an intent could be written down."""

from collections.abc import Callable

from reconciler.act.broom import Broom
from reconciler.act.office import enter_office
from reconciler.app.surroundings.errors import Failed
from reconciler.plan.costs.room import LEAST_FREE_BYTES
from state.amounts import size
from state.ballast import relieve
from state.layout import Layout
from state.store.writer import Writer


def enter_relieved(layout: Layout, now: str, notice: Callable[[str], None], broom: Broom) -> Writer:
    """Take office as the one reconciler of a root, with room to write that down.

    Raises:
        Failed: what lies there keeps this software from it.
    """
    relieve_a_full_disk(layout, notice)
    try:
        return enter_office(layout, now, broom)
    except ValueError as error:
        raise Failed(str(error)) from error


def relieve_a_full_disk(layout: Layout, notice: Callable[[str], None]) -> None:
    """Let the ballast of a root go if its disk is full, and say so."""
    if freed := relieve(layout, LEAST_FREE_BYTES):
        notice(f"the disk of {layout.root} is full: the ballast of {size(freed)} was let go")
