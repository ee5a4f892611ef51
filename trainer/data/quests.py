"""A quest's snapshot, read and tokenised once: what is trained on and what is held out."""

import hashlib
from collections.abc import Collection, Iterable
from itertools import groupby
from pathlib import Path

import msgspec

from state.contract.contents import Finding
from state.contract.orders import RowShape
from state.contract.quest_rows import (
    QuestFileError,
    read_quest_bytes,
    row_digest,
    rows,
)
from state.contract.row_order import training_rows
from trainer.data.documents import Document
from trainer.data.profiles.registry import profiled
from trainer.data.rendering import Renderer


def by_row(documents: Iterable[Document]) -> tuple[tuple[Document, ...], ...]:
    """Return the documents of each row: an update takes rows, and all documents of each."""
    return tuple(tuple(of_row) for _, of_row in groupby(documents, key=lambda document: document.row))


class LoadedQuest(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of a quest, on the two sides of the split, each in the order of the file."""

    digest: str
    training: tuple[Document, ...]
    """A row of plain text that is split has several, one behind the other."""
    held_out: tuple[Document, ...]
    """Those of its rows that measure; a row that stands in a held-out file is on neither side."""
    row_digests: frozenset[str] = frozenset()
    """Of a held-out file: the digest of every row."""


def load_quest(
    path: Path,
    shape: RowShape,
    renderer: Renderer,
    *,
    held_out_fraction: float,
    digest: str | None = None,
    never: Collection[str] = (),
) -> LoadedQuest:
    """Return a quest's documents; the split depends on each row's content alone.

    `never`: digests of rows that are not to be trained, since they stand in a held-out file.

    Raises:
        QuestFileError: the file is another one than `digest` names, cannot be trained on, or has every row
            held out.
    """
    content = read_quest_bytes(path)
    found = _checked_digest(content, path, digest)
    read = list(rows(content, str(path), shape))
    digests = [row_digest(row.messages) for row in read]
    learnt = frozenset(training_rows(digests, held_out_fraction, never))
    documents = renderer.documents(
        profiled(read, shape.profile), str(path), splits=shape.long_rows == "split"
    )
    training = tuple(document for document in documents if document.row in learnt)
    if not training:
        raise _error(path, "every row is held out", "at least one to train on", "Lower held_out or add rows.")
    return LoadedQuest(
        digest=found,
        training=training,
        held_out=tuple(
            document
            for document in documents
            if document.row not in learnt and digests[document.row] not in never
        ),
    )


def load_held_out_file(
    path: Path, shape: RowShape, renderer: Renderer, *, digest: str | None = None
) -> LoadedQuest:
    """Return a file whose rows all serve to measure, never to train.

    Raises:
        QuestFileError: the file is another one than `digest` names, or a row cannot be read.
    """
    content = read_quest_bytes(path)
    found = _checked_digest(content, path, digest)
    read = list(rows(content, str(path), shape))
    documents = tuple(renderer.documents(read, str(path)))
    digests = frozenset(row_digest(row.messages) for row in read)
    return LoadedQuest(digest=found, training=(), held_out=documents, row_digests=digests)


def _checked_digest(content: bytes, path: Path, expected: str | None) -> str:
    found = hashlib.sha256(content).hexdigest()
    if expected is not None and expected.removeprefix("sha256:") != found:
        raise _error(path, f"sha256 {found}", expected, "The snapshot is damaged: enqueue the quest again.")
    return f"sha256:{found}"


def _error(path: Path, found: str, expected: str, advice: str) -> QuestFileError:
    return QuestFileError(str(path), [Finding(row=None, found=found, expected=expected, advice=advice)])
