"""Which contents of quests lie in the realm's data, by digest and size. The contents are not hashed here."""

import stat

from reconciler.observed.data_records import SnapshotFacts
from reconciler.observed.folders import Folder, UnsafeFile, open_folder, reason
from state.layout import Layout

_SUFFIX = ".jsonl"


def observe_snapshots(layout: Layout) -> SnapshotFacts:
    """Return the size in bytes of every snapshot; what has another name, or is no plain file, is left out."""
    try:
        with open_folder(layout.data, layout.root) as folder:
            found = ((name, _digest(layout, name)) for name in folder.names())
            sizes = {digest: _size_bytes(folder, name) for name, digest in found if digest is not None}
    except FileNotFoundError:
        return SnapshotFacts()
    except (OSError, UnsafeFile) as error:
        return SnapshotFacts(problem=f"{layout.data}: {reason(error)}")
    return SnapshotFacts(sizes={digest: size for digest, size in sizes.items() if size is not None})


def _digest(layout: Layout, name: str) -> str | None:
    """Return the digest in a snapshot's file name; None when it is no such name."""
    digest = "sha256:" + name.removesuffix(_SUFFIX)
    try:
        return digest if layout.snapshot(digest).name == name else None
    except ValueError:
        return None


def _size_bytes(folder: Folder, name: str) -> int | None:
    try:
        status = folder.status(name)
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
