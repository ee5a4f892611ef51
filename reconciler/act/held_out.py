"""The content of a held-out file into the realm, under its digest: an edit of the file changes no run."""

from pathlib import Path

from reconciler.act.errors import Temporary
from reconciler.act.snapshots import copy_file, is_there, record, take_in
from reconciler.act.tools import Tools
from reconciler.plan.actions import LaunchRun, SnapshotHeldOut
from state.amounts import count, size
from state.contract.request import HeldOutFile


def snapshot_held_out(action: SnapshotHeldOut, tools: Tools) -> str:
    """Copy the file, if its content is still the one that was checked.

    Raises:
        Temporary: the file changed since the plan.
        Permanent: what lies under the digest has another content, or no plain file has its place.
    """

    def bring(staging: Path) -> str:
        copy_file(Path(action.path), staging)
        return ""

    take_in(tools, action.path, action.digest, bring)
    num_bytes = record(tools, action.source_key, action.digest, action.num_rows, action.path)
    return f"{count(action.num_rows, 'row')}, {size(num_bytes)}"


def held_out_of_run(action: LaunchRun, tools: Tools) -> HeldOutFile | None:
    """Return what a run measures with: the content in the realm, read and hashed.

    Raises:
        Temporary: it is not there.
        Permanent: something else has its name.
    """
    asked = action.held_out
    if asked is None:
        return None
    final = tools.layout.snapshot(asked.digest)
    if not is_there(final, asked.digest):
        raise Temporary(f"the held-out content {asked.digest} is not in the realm; the next plan takes it in")
    return HeldOutFile(path=str(final), digest=asked.digest, shape=asked.shape)
