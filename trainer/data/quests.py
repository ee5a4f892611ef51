"""A quest's snapshot, read and tokenised once: what is trained on and what is held out."""

import hashlib
from pathlib import Path

import msgspec

from state.contract.orders import RowShape
from state.contract.quest_rows import (
    QuestFileError,
    read_quest_bytes,
    row_digest,
    rows,
)
from state.contract.row_lines import Finding
from state.contract.row_order import training_rows
from trainer.data.documents import Document
from trainer.data.rendering import Renderer


class LoadedQuest(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of a quest, on the two sides of the split, each in the order of the file."""

    digest: str
    training: tuple[Document, ...]
    held_out: tuple[Document, ...]


def load_quest(
    path: Path, shape: RowShape, renderer: Renderer, *, held_out_fraction: float, digest: str | None = None
) -> LoadedQuest:
    """Return a quest's documents; the split depends on each row's content alone.

    Raises:
        QuestFileError: the file is another one than `digest` names, cannot be trained on, or has every row
            held out.
    """
    content = read_quest_bytes(path)
    found = _checked_digest(content, path, digest)
    read = list(rows(content, str(path), shape))
    learnt = frozenset(training_rows((row_digest(row.messages) for row in read), held_out_fraction))
    documents = renderer.documents(read, str(path))
    training = tuple(document for document in documents if document.row in learnt)
    if not training:
        raise _error(path, "every row is held out", "at least one to train on", "Lower held_out or add rows.")
    return LoadedQuest(
        digest=found,
        training=training,
        held_out=tuple(document for document in documents if document.row not in learnt),
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
    documents = renderer.documents(rows(content, str(path), shape), str(path))
    return LoadedQuest(digest=found, training=(), held_out=tuple(documents))


def _checked_digest(content: bytes, path: Path, expected: str | None) -> str:
    found = hashlib.sha256(content).hexdigest()
    if expected is not None and expected.removeprefix("sha256:") != found:
        raise _error(path, f"sha256 {found}", expected, "The snapshot is damaged: enqueue the quest again.")
    return f"sha256:{found}"


def _error(path: Path, found: str, expected: str, advice: str) -> QuestFileError:
    return QuestFileError(str(path), [Finding(row=None, found=found, expected=expected, advice=advice)])
