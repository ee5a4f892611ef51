"""Snapshots: contents of quests in the realm's data, each whole, frozen, named by the digest of its bytes.

A kill at any point leaves a staging folder, which the next office sweeps, or a whole snapshot.
"""

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from reconciler.act.errors import Permanent, Temporary
from reconciler.act.tools import Tools
from state.atomic import ensure_folder, make_staging, publish_file, remove_staged, sync_file
from state.failpoints import reach
from state.inside import open_file
from state.layout import STAGING_PREFIX, Layout
from state.store.rows import QuestDataRow
from state.store.tables import put, select_one
from state.writing import write_all

_FROZEN = stat.S_IRUSR
_FICLONE = 0x40049409  # linux/fs.h
_CANNOT_SHARE = (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM)
_CHUNK_BYTES = 1 << 20


@contextmanager
def staging_place(layout: Layout) -> Iterator[Path]:
    """Yield a place for a file that is unfinished, in a folder of its own, gone afterwards.

    A source that outlived a killed reconciler finds its folder gone and can write nothing more.
    """
    ensure_folder(layout.data)
    folder = layout.data / f"{STAGING_PREFIX}{uuid4().hex[:12]}"
    make_staging(folder)
    try:
        yield folder / "rows.jsonl"
    except BaseException:
        with suppress(OSError):  # what a failure leaves is swept at the end of the tick
            remove_staged(folder)
        raise
    remove_staged(folder)


def copy_file(source: Path, target: Path) -> None:
    """Copy a plain file, sharing its blocks where the file system can."""
    reach("copy.create")
    descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a quest's file may be a link
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Permanent(f"{source}: not a regular file; name a JSONL file")
        copy_open_file(descriptor, target)
    finally:
        os.close(descriptor)


def copy_open_file(descriptor: int, target: Path, start_byte: int = 0) -> None:
    """Write the content of an open plain file, from its beginning or from here on, into a new one."""
    with target.open("xb", buffering=0) as writer:
        reach("copy.share")
        if start_byte or not _shares_blocks(descriptor, writer.fileno()):
            at = start_byte
            while chunk := os.pread(descriptor, _CHUNK_BYTES, at):
                write_all(writer.fileno(), chunk, "copy.write")
                at += len(chunk)
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


def is_there(final: Path, digest: str) -> bool:
    """Does the snapshot lie there already?

    Raises:
        Permanent: something else has its name.
    """
    if not final.exists():
        return False
    found = digest_of(final)
    if found != digest:
        raise Permanent(
            f"{final}: damaged, its content has {found}; nothing was overwritten: move it away, "
            "then the content is brought in again"
        )
    return True


def take_in(tools: Tools, path: str, digest: str, bring: Callable[[Path], str]) -> str:
    """Let a file be brought to a staging place, and publish it there under its digest, unless it is there.

    Return what `bring` said; nothing where the content was there already.

    Raises:
        Temporary: the file changed since the plan.
        Permanent: what lies under the digest has another content, or no plain file has its place.
    """
    final = tools.layout.snapshot(digest)
    if is_there(final, digest):
        return ""
    with staging_place(tools.layout) as staging:
        said = bring(staging)
        found = digest_of(staging)
        if found != digest:
            raise Temporary(
                f"{path} changed since the plan: it has {found}, the plan saw {digest}; "
                "the next plan looks at it again"
            )
        publish(staging, final)
    return said


def publish(staging: Path, final: Path) -> None:
    """Freeze a finished snapshot and give it its name, durably."""
    staging.chmod(_FROZEN)
    sync_file(staging)
    publish_file(staging, final)


def digest_of(path: Path) -> str:
    """Return the digest of a file, read from its beginning to its end."""
    reach("copy.verify")
    with os.fdopen(open_file(path), "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def record(tools: Tools, source_key: str, digest: str, num_rows: int, origin: str) -> int:
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
