"""One checkpoint on the way through its files: read again, hashed, compared with its manifest."""

import errno
from pathlib import Path

from reconciler.observed.copy_places import why_unreachable
from reconciler.observed.folders import Folder, UnsafeFile, open_folder, printable, reason
from reconciler.plan.actions import Reading
from state.contract.files import ContractError, decode
from state.contract.manifest import MANIFEST_NAME, FileEntry, Manifest, manifest_digest
from state.rereading import Rereading

_MAX_MANIFEST_BYTES = 16 * 1024 * 1024
_GONE = (errno.ENOENT, errno.EIO, errno.ESTALE)
"""What is said of the place itself; anything else (no permission, too many open files) of this machine."""


class Reader:
    """Reads checkpoints, one at a time; what was begun is gone on with when the same is opened again."""

    def __init__(self) -> None:
        self._reading: Reading | None = None
        self._folder: Folder | None = None
        self._copy: Path | None = None
        self._left: list[FileEntry] = []
        self._entry: FileEntry | None = None
        self._file: Rereading | None = None
        self._done_bytes = 0
        self.damage: str | None = None
        """The first thing that is wrong; then no more of it is read."""
        self.unreachable: str | None = None
        """Why nothing can be said of a copy now; then no more of it is read."""
        self.healthy = True
        """What its manifest says of the losses."""
        self.from_memory: str | None = None
        """The last file that could not be read past the cache."""

    @property
    def is_done(self) -> bool:
        """Was all of it read, or enough to know that it is damaged, or out of reach?"""
        is_over = self.damage is not None or self.unreachable is not None
        return is_over or (self._file is None and not self._left)

    @property
    def read_bytes(self) -> int:
        return self._done_bytes + (self._file.offset if self._file is not None else 0)

    def open(self, reading: Reading, root: Path, *, skip_bytes: int) -> None:
        """Begin with a checkpoint, or go on with it; files within the first `skip_bytes` were right before.

        Raises:
            OSError: it cannot be read now.
        """
        if self._reading == reading:
            return
        self.close()
        self.damage, self.unreachable, self._done_bytes = None, None, 0
        self._copy = Path(reading.path) if reading.place == "copy" else None
        path = self._copy or root / reading.path
        try:
            self._folder = open_folder(path, path.parent if self._copy else root)
            manifest = _manifest(self._folder, reading.digest)
        except (OSError, UnsafeFile, _Wrong) as error:
            self._judge(path.name, error)
            return
        self._reading, self.healthy, self._left = reading, manifest.healthy, list(manifest.files)
        while self._left and self._done_bytes + self._left[0].size_bytes <= skip_bytes:
            self._done_bytes += self._left.pop(0).size_bytes

    def read_on(self) -> int:
        """Read the next block; return how many bytes that were.

        Raises:
            OSError: it cannot be read now; the next call tries the same again.
        """
        try:
            return self._read_on()
        except (OSError, UnsafeFile, _Wrong) as error:
            self._judge(self._entry.path if self._entry else MANIFEST_NAME, error)
            return 0

    def _judge(self, name: str, error: "OSError | UnsafeFile | _Wrong") -> None:
        """Take down what is wrong with a file; of a copy whose disk is away, that nothing can be said.

        Raises:
            OSError: it is this machine that cannot read it now.
        """
        if self._copy is not None and isinstance(error, OSError):
            why = None if error.errno in (errno.ENOENT, errno.EIO) else f"{printable(name)} {reason(error)}"
            self.unreachable = why_unreachable(self._copy) or why
        if self.unreachable is None:
            self.damage = _damage(name, error)

    def close(self) -> None:
        """Let go of what is open."""
        self._close_file()
        if self._folder is not None:
            self._folder.__exit__()
        self._reading, self._folder, self._left = None, None, []

    def _read_on(self) -> int:
        if self._file is None:
            self._entry = self._left[0]
            self._file = self._opened(self._entry)
            del self._left[0]
        if num_read := self._file.read_on():
            return num_read
        entry, digest = self._entry, self._file.hexdigest()
        offset = self._file.offset
        self._close_file()
        if entry is not None and digest != (wanted := entry.blake3.removeprefix("blake3:")):
            raise _Wrong(f"has BLAKE3 {digest}, the manifest says {wanted}")
        self._done_bytes += offset
        return 0

    def _opened(self, entry: FileEntry) -> Rereading:
        if self._folder is None:
            raise AssertionError(entry.path)
        descriptor = self._folder.open_descriptor(entry.path)
        file = Rereading(descriptor)
        self.from_memory = entry.path if file.is_from_memory else self.from_memory
        return file

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class _Wrong(Exception):
    """What is wrong with a file, without its name."""


def _manifest(folder: Folder, digest: str) -> Manifest:
    try:
        manifest = decode(folder.read(MANIFEST_NAME, _MAX_MANIFEST_BYTES), Manifest, MANIFEST_NAME)
        found = manifest_digest(manifest)
    except (ContractError, ValueError) as error:
        raise _Wrong(str(error)) from error
    if not found == manifest.digest == digest:
        raise _Wrong(f"its manifest has digest {found}, the ledger says {digest}")
    return manifest


def _damage(name: str, error: OSError | UnsafeFile | _Wrong) -> str:
    """Return in words what is wrong with a file.

    Raises:
        OSError: it is this machine that cannot read it now.
    """
    if isinstance(error, FileNotFoundError):
        return f"{printable(name)} is missing"
    if isinstance(error, OSError):
        if error.errno not in _GONE:
            raise error
        return f"{printable(name)} {reason(error)}"
    return f"{printable(name)} {error}"
