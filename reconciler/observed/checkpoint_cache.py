"""Remember which checkpoints were found complete, within a process and from one command to the next.

A finding counts while nothing of it was touched: the folder, its manifest and each file that the manifest
lists have the signatures under which it was made. What was found wanting is always looked at again.
"""

from collections.abc import Sequence

import msgspec

from reconciler.observed.fact_cache import FactCache
from reconciler.observed.folders import Folder, PlainSignature
from reconciler.observed.foreign import ForeignMemory
from reconciler.observed.records import FoundCheckpoint
from state.contract.manifest import MANIFEST_NAME, FileEntry

_RULES = "2"
"""Counts the changes of what complete means, and of what is kept: another version is not believed."""

Signatures = tuple[PlainSignature, ...]


class Remembered(msgspec.Struct, frozen=True, array_like=True):
    """A complete checkpoint, and what would change if anybody touched it."""

    signatures: Signatures
    found: FoundCheckpoint


class CheckpointCache:
    """Complete checkpoints by the folder they lie in and by their names."""

    def __init__(self, kept: FactCache | None = None) -> None:
        self._kept = kept
        self._folders: dict[str, dict[str, Remembered]] = {}
        self.foreign: ForeignMemory = {}
        """What is not ours, within this process; the next command looks again."""

    def of(self, folder: str) -> dict[str, Remembered]:
        """Return what is remembered of a folder."""
        if folder not in self._folders:
            self._folders[folder] = self._read(folder)
        return self._folders[folder]

    def replace(self, folder: str, found: dict[str, Remembered]) -> None:
        """Remember this of a folder and nothing else."""
        if found != self.of(folder):
            self._folders[folder] = found
            if self._kept is not None:
                self._kept.put(_key(folder), msgspec.msgpack.encode(found))

    def _read(self, folder: str) -> dict[str, Remembered]:
        entry = self._kept.get(_key(folder)) if self._kept is not None else None
        try:
            return msgspec.msgpack.decode(entry, type=dict[str, Remembered]) if entry else {}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}  # another version's: look again


def places_of(checkpoint: str, files: Sequence[FileEntry] = ()) -> list[str]:
    """Return the paths of a checkpoint, its manifest and these files, below what its own path is below."""
    return [checkpoint, f"{checkpoint}/{MANIFEST_NAME}", *[f"{checkpoint}/{one.path}" for one in files]]


def signatures_of(parent: Folder, name: str, files: Sequence[FileEntry]) -> Signatures:
    """Return what changes when checkpoint, manifest or one of these files does; () when one is gone."""
    try:
        return parent.signatures(places_of(name, files))
    except OSError:
        return ()


def _key(folder: str) -> str:
    return f"checkpoints\0{_RULES}\0{folder!a}"
