"""A folder compared with a manifest as the disk has it: synced, then read past the cache."""

from pathlib import Path

from reconciler.act.errors import Temporary
from state.contract.manifest import FileEntry, Manifest
from state.copies import hash_file
from state.inside import InTheWay


def wrong_in(folder: Path, manifest: Manifest) -> str | None:
    """Return the first thing that is not as the manifest says; None: every byte of every file is.

    Raises:
        OSError: something cannot be read now.
    """
    return next((wrong for entry in manifest.files if (wrong := wrong_file(folder, entry))), None)


def check_written(staging: Path, manifest: Manifest) -> None:
    """Read back what was just written.

    Raises:
        Temporary: the disk did not keep it.
    """
    if wrong := wrong_in(staging, manifest):
        raise Temporary(f"{staging}: {wrong}: the disk did not keep what was written; it is written again")


def wrong_file(folder: Path, entry: FileEntry) -> str | None:
    """Return what is wrong with one file; None: nothing."""
    try:
        size_bytes, digest = hash_file(folder / entry.path)
    except FileNotFoundError:
        return f"{entry.path} is missing"
    except InTheWay as error:
        return str(error)
    wanted = entry.blake3.removeprefix("blake3:")
    if (size_bytes, digest) == (entry.size_bytes, wanted):
        return None
    return (
        f"{entry.path} has {size_bytes} bytes and BLAKE3 {digest}, the manifest says {entry.size_bytes} "
        f"and {wanted}"
    )
