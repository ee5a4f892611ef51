"""Bring a quest's content into the realm, under the digest of its bytes: copied from a file, or generated.

A snapshot is written under a staging name, synced, read back and hashed, frozen, and only then renamed to
its digest. What lies there already with the right digest is that snapshot.
"""

from functools import partial
from pathlib import Path

from reconciler.act.commands import Bounds, run_command
from reconciler.act.errors import Permanent, RowsRefused
from reconciler.act.lineage import write_lineage
from reconciler.act.snapshots import copy_file, is_there, publish, record, staging_place, take_in
from reconciler.act.tools import Tools
from reconciler.plan.actions import GenerateQuest, SnapshotFile
from state.amounts import count, size
from state.contract.inspection import LookedThrough
from state.contract.orders import RowShape
from state.contract.quest_rows import QuestFileError, QuestSummary, check_rows, read_quest_bytes
from state.contract.sieve import sieve
from state.failpoints import reach
from state.writing import write_all


def snapshot_file(action: SnapshotFile, tools: Tools) -> str:
    """Copy the file, if its content is still the one that was checked.

    Raises:
        Temporary: the file changed since the plan.
        Permanent: what lies under the digest has another content.
    """
    left_out = take_in(tools, action.path, action.digest, partial(_bring_in, action))
    num_bytes = record(tools, action.source_key, action.digest, action.num_rows, action.path)
    return f"{count(action.num_rows, 'row')}, {size(num_bytes)}{left_out}"


def generate_quest(action: GenerateQuest, tools: Tools, bounds: Bounds | None = None) -> str:
    """Run the skill's source, check its rows and keep them.

    Raises:
        Temporary: it was broken off, because a person wants the reconciler to leave or to do something else.
        Permanent: the command failed, nobody could look through its rows, or they are not those of before.
        RowsRefused: its rows cannot be trained on. Then, too, nothing of them is kept.
    """
    with staging_place(tools.layout) as staging:
        command = (*action.command, "--out", str(staging))
        run_command(
            command,
            cwd=tools.layout.root,
            bounds=bounds or Bounds(),
            interrupted=lambda: tools.interrupted() or tools.asked(),
        )
        summary = _checked(action, _output(action, staging))
        _check_expected(action, summary.sha256)
        looked = _looked_through(action, tools, staging, summary.sha256)
        final = tools.layout.snapshot(summary.sha256)
        if not is_there(final, summary.sha256):
            publish(staging, final)
    write_lineage(action, tools, summary.sha256, summary.num_rows, looked.validators)
    record(tools, action.source_key, summary.sha256, summary.num_rows, " ".join(action.command))
    return f"{count(summary.num_rows, 'row')} made by skill {action.skill}"


def _output(action: GenerateQuest, staging: Path) -> bytes:
    if not staging.is_file() or staging.is_symlink():
        raise Permanent(
            f"skill {action.skill}: `{' '.join(action.command)}` ended well but wrote no file to --out; "
            "a source must write its rows there"
        )
    return read_quest_bytes(staging)


def _checked(action: GenerateQuest, content: bytes) -> QuestSummary:
    try:
        return check_rows(content, f"what skill {action.skill} made", RowShape())
    except QuestFileError as error:
        raise RowsRefused(str(error)) from error


def _looked_through(action: GenerateQuest, tools: Tools, staging: Path, digest: str) -> LookedThrough:
    looked = tools.look_through(action.quest_id, staging, digest)
    if looked.objection is None:
        return looked
    why = f"what skill {action.skill} made cannot be trained on: {looked.objection}"
    raise RowsRefused(why) if looked.is_final else Permanent(why)


def _check_expected(action: GenerateQuest, digest: str) -> None:
    if action.expected_digest not in (None, digest):
        raise Permanent(
            f"skill {action.skill} made other rows than the first time: {digest} instead of "
            f"{action.expected_digest}; its source changed: give the quest a new id to train the new rows"
        )


def _bring_in(action: SnapshotFile, target: Path) -> str:
    """Write what is taken in of the file: all, a part, or what keeps the contract; say what is left out."""
    if action.contract is None and (action.start_byte, action.stop_byte) == (0, None):
        copy_file(Path(action.path), target)
        return ""
    content, left_out = read_quest_bytes(Path(action.path)), ""
    if action.contract is not None:
        found, content = sieve(content, action.path, (action.contract,))
        left_out = f"; {found.text_of_left_out}"
    reach("copy.create")
    with target.open("xb", buffering=0) as writer:
        write_all(writer.fileno(), content[action.start_byte : action.stop_byte], "copy.write")
    reach("copy.written")
    return left_out
