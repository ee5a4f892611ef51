"""The files of a run as the executors need them: who claimed it, what it was ordered, how it left."""

from typing import NamedTuple

import msgspec

from reconciler.act.derived import places_of
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.tools import Tools
from reconciler.observed.elsewhere import number_here, whereabouts_in
from reconciler.observed.older_trainers import older_whereabouts
from reconciler.observed.processes import find_by_cookie
from reconciler.plan.actions import RunAction
from state.atomic import create_file, ensure_folder
from state.contract.exit import RunExit
from state.contract.files import ContractError, read
from state.contract.orders import Orders
from state.contract.process import REVOKED_COOKIE, ProcessIdentity
from state.contract.status import RunStatus
from state.layout import RunLayout
from state.store.rows import RunRow
from state.store.tables import select_one


def files_of(tools: Tools, action: RunAction) -> RunLayout:
    """Return the places of the action's run."""
    return places_of(tools, action.campaign_uid, action.campaign).run(action.key)


def find_run(tools: Tools, action: RunAction) -> RunRow | None:
    """Return the row of the action's run."""
    with tools.writer.transaction() as store:
        where = "WHERE campaign_uid = ? AND generation = ? AND attempt = ?"
        return select_one(store, RunRow, where, *action.key)


def need_run(tools: Tools, action: RunAction) -> RunRow:
    """Return the row of the action's run.

    Raises:
        Permanent: there is none.
    """
    row = find_run(tools, action)
    if row is None:
        raise Permanent(f"run {action.campaign} {action.key.folder} is not in the store")
    return row


def claim_of(files: RunLayout) -> ProcessIdentity | None:
    """Return who claimed the run; None when nobody did.

    Raises:
        ContractError: someone did, and cannot be read.
    """
    try:
        return read(files.process, ProcessIdentity)
    except FileNotFoundError:
        return None


def peak_of(files: RunLayout) -> int | None:
    """Return the most memory that the run took at once, as it told; None where it did not, or unreadably."""
    try:
        return read(files.status, RunStatus).peak_memory_bytes
    except (OSError, ContractError):
        return None


class Living(NamedTuple):
    """The process of a run that lives."""

    pid: int | None
    """Its number here; None where no signal from here reaches it: it lives in another PID namespace."""


def living(tools: Tools, files: RunLayout, cookie: str) -> Living | None:
    """Return the process of this run that lives now, whether it has claimed it or not; None: there is none.

    A claim without the cookie of this launch is not its trainer's, whoever wrote it.
    """
    try:
        claim = claim_of(files)
    except ContractError:
        claim = None
    if claim is not None and claim.cookie in (cookie, REVOKED_COOKIE):
        seen = whereabouts_in(claim, files.folder, tools.proc)
        lock = tools.layout.trainer_lock
        found = seen if seen.alive else older_whereabouts(claim, files.folder, lock, tools.proc)
        return None if found is None else Living(None if found.unreachable else found.process.pid)
    shown = find_by_cookie(cookie, tools.proc)
    return None if shown is None else Living(number_here(shown, tools.proc))


def revoke(tools: Tools, files: RunLayout) -> bool:
    """Take the claim away from every trainer that may still come; False when one has it already."""
    tombstone = ProcessIdentity(
        pid=0, boot_id="", start_ticks=0, cookie=REVOKED_COOKIE, claimed_at=tools.now()
    )
    ensure_folder(files.folder)
    if create_file(files.process, msgspec.json.encode(tombstone) + b"\n"):
        return True
    return is_revoked(files)


def is_revoked(files: RunLayout) -> bool:
    """Was the claim taken away before a trainer came?"""
    try:
        claim = claim_of(files)
    except ContractError:
        return False
    return claim is not None and claim.cookie == REVOKED_COOKIE


def exit_of(files: RunLayout) -> RunExit | None:
    """Return what the trainer said when it left; None when it said nothing that can be read."""
    try:
        return read(files.exit, RunExit)
    except (FileNotFoundError, ContractError):
        return None


def orders_of(files: RunLayout) -> Orders | None:
    """Return the run's orders; None when there are none that can be read."""
    try:
        return read(files.orders, Orders)
    except (FileNotFoundError, ContractError):
        return None


def refuse_ended(row: RunRow, action: RunAction) -> None:
    """Say that the plan is stale when the run is over.

    Raises:
        Temporary: it is.
    """
    if row.state == "ended":
        raise Temporary(f"run {action.campaign} {action.key.folder} is over ({row.end}); planned again")
