"""Bring a quest's content into the realm, under the digest of its bytes: copied from a file, or generated.

A snapshot is written under a staging name, synced, read back and hashed, frozen, and only then renamed to
its digest. What lies there already with the right digest is that snapshot.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.act.commands import Bounds, run_command
from reconciler.act.errors import Permanent, Temporary
from reconciler.act.tools import Tools
from reconciler.plan.actions import GenerateQuest, SnapshotFile
from state.atomic import ensure_folder, publish_file, sync_file
from state.contract.orders import RowShape
from state.contract.quest_rows import check_rows, read_quest_bytes
from state.contract.sieve import sieve
from state.failpoints import reach
from state.layout import STAGING_PREFIX, Layout
from state.store.rows import QuestDataRow
from state.store.tables import put, select_one

_FROZEN = stat.S_IRUSR
_FICLONE = 0x40049409  # linux/fs.h
_CANNOT_SHARE = (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM)
_CHUNK_BYTES = 1 << 20


def snapshot_file(action: SnapshotFile, tools: Tools) -> str:
    """Copy the file, if its content is still the one that was checked.

    Raises:
        Temporary: the file changed since the plan.
        Permanent: what lies under the digest has another content.
    """
    final = tools.layout.snapshot(action.digest)
    left_out = ""
    if not _is_there(final, action.digest):
        with _staging(tools.layout) as staging:
            left_out = _bring_in(action, staging)
            found = _digest(staging)
            if found != action.digest:
                raise Temporary(
                    f"{action.path} changed since the plan: it has {found}, the plan saw {action.digest}; "
                    "the next plan looks at it again"
                )
            _publish(staging, final)
    size = _record(tools, action.source_key, action.digest, action.num_rows, action.path)
    return f"{action.num_rows:,} rows, {size:,} bytes{left_out}"


def generate_quest(action: GenerateQuest, tools: Tools, bounds: Bounds | None = None) -> str:
    """Run the skill's source, check its rows and keep them.

    Raises:
        Temporary: it was broken off, because a person wants the reconciler to leave or to do something else.
        Permanent: the command failed, its rows cannot be trained on, or they are not those of before.
    """
    with _staging(tools.layout) as staging:
        command = (*action.command, "--out", str(staging))
        run_command(
            command,
            cwd=tools.layout.root,
            bounds=bounds or Bounds(),
            interrupted=lambda: tools.interrupted() or tools.asked(),
        )
        content = _output(action, staging)
        summary = check_rows(content, f"what skill {action.skill} made", RowShape())
        _check_expected(action, summary.sha256)
        final = tools.layout.snapshot(summary.sha256)
        if not _is_there(final, summary.sha256):
            _publish(staging, final)
    _record(tools, action.source_key, summary.sha256, summary.num_rows, " ".join(action.command))
    return f"{summary.num_rows:,} rows made by skill {action.skill}"


def _output(action: GenerateQuest, staging: Path) -> bytes:
    if not staging.is_file() or staging.is_symlink():
        raise Permanent(
            f"skill {action.skill}: `{' '.join(action.command)}` ended well but wrote no file to --out; "
            "a source must write its rows there"
        )
    return read_quest_bytes(staging)


def _check_expected(action: GenerateQuest, digest: str) -> None:
    if action.expected_digest not in (None, digest):
        raise Permanent(
            f"skill {action.skill} made other rows than the first time: {digest} instead of "
            f"{action.expected_digest}; its source changed: give the quest a new id to train the new rows"
        )


@contextmanager
def _staging(layout: Layout) -> Iterator[Path]:
    """Yield a place for a file that is unfinished, in a folder of its own, gone afterwards.

    A source that outlived a killed reconciler finds its folder gone and can write nothing more.
    """
    ensure_folder(layout.data)
    folder = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=layout.data))
    try:
        yield folder / "rows.jsonl"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bring_in(action: SnapshotFile, target: Path) -> str:
    """Write what is taken in of the file: all, a part, or what keeps the contract; say what is left out."""
    if action.contract is None and (action.start_byte, action.stop_byte) == (0, None):
        _copy(Path(action.path), target)
        return ""
    content, left_out = read_quest_bytes(Path(action.path)), ""
    if action.contract is not None:
        found, content = sieve(content, action.path, (action.contract,))
        left_out = f"; {found.num_left_out:,} invalid left out, the first is {found.left_out[0]}"
    reach("copy.create")
    with target.open("xb") as writer:
        reach("copy.write")
        writer.write(content[action.start_byte : action.stop_byte])
    reach("copy.written")
    return left_out


def _copy(source: Path, target: Path) -> None:
    """Copy a plain file, sharing its blocks where the file system can."""
    reach("copy.create")
    with source.open("rb") as reader, target.open("xb") as writer:
        if not stat.S_ISREG(os.fstat(reader.fileno()).st_mode):
            raise Permanent(f"{source}: not a regular file; name a JSONL file")
        reach("copy.write")
        if not _shares_blocks(reader.fileno(), writer.fileno()):
            while chunk := reader.read(_CHUNK_BYTES):
                writer.write(chunk)
    reach("copy.written")


def _shares_blocks(source: int, target: int) -> bool:
    """Make the target share the source's blocks; False where the file system cannot."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _CANNOT_SHARE:
            return False
        raise
    return True


def _is_there(final: Path, digest: str) -> bool:
    """Does the snapshot lie there already?

    Raises:
        Permanent: something else has its name.
    """
    if not final.exists():
        return False
    found = _digest(final)
    if found != digest:
        raise Permanent(
            f"{final}: damaged, its content has {found}; nothing was overwritten: move it away, "
            "then the content is brought in again"
        )
    return True


def _publish(staging: Path, final: Path) -> None:
    staging.chmod(_FROZEN)
    sync_file(staging)
    publish_file(staging, final)


def _digest(path: Path) -> str:
    reach("copy.verify")
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _record(tools: Tools, source_key: str, digest: str, num_rows: int, origin: str) -> int:
    """Write down which content the source has; return its size in bytes."""
    size = tools.layout.snapshot(digest).stat().st_size
    with tools.writer.transaction() as store:
        known = select_one(store, QuestDataRow, "WHERE source_key = ?", source_key)
        row = QuestDataRow(
            source_key=source_key,
            digest=digest,
            num_rows=num_rows,
            size_bytes=size,
            origin=origin,
            created_at=known.created_at if known and known.digest == digest else tools.now(),
        )
        put(store, [row])
    return size
