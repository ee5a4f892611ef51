"""The rows of quests as digests: of the snapshots that were trained on, and of files as they are today."""

import hashlib
from functools import cached_property
from pathlib import Path

import msgspec

from reconciler.app.proof.drawing import Drawing
from state.contract.contents import Finding
from state.contract.orders import RowShape
from state.contract.quest_rows import QuestFileError, lines_of, read_quest_bytes, row_digest, rows
from state.contract.row_contracts import RowContract
from state.contract.row_judging import judge
from state.contract.row_lines import object_in
from state.contract.row_order import training_rows
from state.contract.row_words import Objection
from state.layout import Layout


class Content(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A content that was trained on."""

    digest: str
    rows: tuple[str, ...]
    """The digest of each row's content, in the order of the file."""

    @cached_property
    def places(self) -> dict[str, tuple[int, ...]]:
        """Return row digest → the indexes at which it stands."""
        found: dict[str, list[int]] = {}
        for index, digest in enumerate(self.rows):
            found.setdefault(digest, []).append(index)
        return {digest: tuple(indexes) for digest, indexes in found.items()}

    def training(self, drawing: Drawing) -> tuple[int, ...]:
        """Return the indexes of the rows that a run could learn; the others were held out."""
        if drawing.split not in self._training:
            self._training[drawing.split] = training_rows(self.rows, *drawing.split)
        return self._training[drawing.split]

    @cached_property
    def _training(self) -> dict[tuple[float, frozenset[str]], tuple[int, ...]]:
        return {}


class NoContent(Exception):
    """The rows of a content cannot be had; says why."""


class Contents:
    """Reads each snapshot once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[tuple[str, RowShape], Content | NoContent] = {}

    def of(self, digest: str, shape: RowShape) -> Content:
        """Return the content with this digest, its rows read in this way, once its bytes were hashed.

        Raises:
            NoContent: the snapshot is gone or damaged.
        """
        key = digest, shape
        if key not in self._known:
            try:
                self._known[key] = self._read(digest, shape)
            except NoContent as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, NoContent):
            raise found
        return found

    def _read(self, digest: str, shape: RowShape) -> Content:
        path = self._layout.snapshot(digest)
        try:
            content = read_quest_bytes(path)
            found = "sha256:" + hashlib.sha256(content).hexdigest()
            if found != digest:
                raise NoContent(f"{path} is damaged: its content has {found}")
            read = rows(content, str(path), shape)
            return Content(digest=digest, rows=tuple(row_digest(row.messages) for row in read))
        except QuestFileError as error:
            raise NoContent(str(error)) from error


def rows_of_file(path: Path, contract: RowContract) -> tuple[str | None, ...]:
    """Return the digest of each row of a file as it is now; None of a row that the contract does not take.

    Raises:
        NoContent: it cannot be read.
    """
    try:
        lines = lines_of(read_quest_bytes(path), str(path))
    except QuestFileError as error:
        raise NoContent(str(error)) from error
    return tuple(_digest(line, index, contract) for index, line in enumerate(lines))


def _digest(line: bytes, index: int, contract: RowContract) -> str | None:
    value = object_in(line, index, is_torn_end=False)
    if isinstance(value, Finding):
        return None
    found = judge(value, contract)
    return None if isinstance(found, Objection) else row_digest(found)
