"""The rows of the campaigns' held-out files, by content; read only where new rows are compared with them."""

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from reconciler.observed.data_records import QuestFileFacts


class HeldOutFiles:
    """Held-out files without findings, each once."""

    def __init__(self, files: Iterable[QuestFileFacts] = ()) -> None:
        self._files = {file.sha256: file for file in files if file.sha256 is not None and file.content}

    @property
    def key(self) -> str:
        """Return what says which contents these are."""
        return " ".join(sorted(str(digest) for digest in self._files))

    @cached_property
    def row_digests(self) -> Mapping[str, frozenset[str]]:
        """Digest of a file's bytes → its rows, by `row_digest`; one that is another by now is left out."""
        read = {str(digest): _row_digests(file) for digest, file in sorted(self._files.items(), key=str)}
        return {digest: found for digest, found in read.items() if found is not None}


def _row_digests(file: QuestFileFacts) -> frozenset[str] | None:
    from state.contract.quest_rows import QuestFileError, row_digest, rows

    try:
        content = _read(Path(str(file.path)))
        if file.content is None or "sha256:" + hashlib.sha256(content).hexdigest() != file.sha256:
            return None
        read = rows(content, str(file.path), file.content.contract.shape)
        return frozenset(row_digest(row.messages) for row in read)
    except (OSError, QuestFileError):
        return None


def _read(path: Path) -> bytes:
    """Return the bytes of a plain file; none of anything else that has come in its place."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - with flags
        return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
