"""What executors work with: the realm's places, its store, and the edges to clock, processes and chance."""

import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from reconciler.act.launcher import Launcher
from reconciler.act.rereading import Reader
from reconciler.observed.boot_clock import no_boot_clock
from reconciler.observed.processes import PROC
from reconciler.provenance import code_version
from state.contract.inspection import LookedThrough
from state.contract.request import CodeVersion
from state.layout import Layout
from state.moments import BootMoment
from state.store.writer import Writer


def _new_cookie() -> str:
    return secrets.token_hex(16)


def _never() -> bool:
    return False


def _nobody(_quest_id: str, _path: Path, _digest: str) -> LookedThrough:
    return LookedThrough()


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an executor may use beside its action."""

    layout: Layout
    writer: Writer
    launcher: Launcher
    now: Callable[[], str]
    """The time in UTC, as the store writes it."""
    boot: Callable[[], BootMoment | None] = no_boot_clock
    """What the machine's boot clock says."""
    code_version: Callable[[], CodeVersion] = code_version
    new_cookie: Callable[[], str] = _new_cookie
    interrupted: Callable[[], bool] = _never
    """Did a person ask the reconciler to leave? Asked between actions and while one waits."""
    asked: Callable[[], bool] = _never
    """Did a person ask for something that the plan at work does not know? `perform` gives the answer."""
    known_requests: frozenset[int] = frozenset()
    """What people had asked for when the plan at work was made."""
    look_through: Callable[[str, Path, str], LookedThrough] = _nobody
    """Look through rows that were just made: for which quest, in which file, with which digest."""
    reader: Reader = msgspec.field(default_factory=Reader)
    """Of the checkpoints that are read again: what it has begun is gone on with in the next turn."""
    proc: Path = PROC
    """The process table."""
