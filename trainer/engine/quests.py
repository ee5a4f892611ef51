"""Quests made ready to train: rows as documents, which are held out, and the tensors of each update."""

import os
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
import torch

from state.contract.contents import in_one_line
from state.contract.orders import QuestOrder
from state.contract.quest_rows import QuestFileError
from state.contract.request import EvaluationConfig, RunRequest
from trainer.data.ahead import Ahead
from trainer.data.documents import Document
from trainer.data.order import NextUpdate, Position, next_update, updates_left
from trainer.data.packing import num_trained_tokens, pack
from trainer.data.quests import LoadedQuest, by_row, load_held_out_file, load_quest
from trainer.data.tensors import Batch, to_tensors
from trainer.engine.budget import Budget
from trainer.engine.failures import DataError
from trainer.engine.vocabulary import Vocabulary

PACKING_SWITCH = "ENABLE_PACKING"
"""0 in the environment: for debugging, every document goes through the model alone."""


class UpdatePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The documents of one update, as micro-batches on the device."""

    next: NextUpdate
    documents: tuple[Document, ...]
    batches: tuple[Batch, ...]
    num_rows: int
    num_tokens: int
    num_trained: int


class Quest:
    """One quest on the shelf: its documents, and the updates that are made of them."""

    def __init__(self, loaded: LoadedQuest, held_out: Sequence[Document], shelf: "QuestShelf") -> None:
        self._rows = by_row(loaded.training)
        self.num_rows = len(self._rows)
        self.num_held_out = len(held_out)
        self.held_out_batches = shelf.batches(held_out)
        self._shelf = shelf
        self._ahead: Ahead[UpdatePlan] = Ahead()

    def next_update(self, order: QuestOrder, at: Position) -> UpdatePlan:
        """Return what the next update trains; the order has something left.

        The one behind it is made by a thread meanwhile, so that the device need not wait for its rows.
        """
        plan = self._ahead.take(self._key(order, at), partial(self._plan, order, at))
        after = plan.next.after
        if after.epochs_done < order.epochs:
            self._ahead.begin(self._key(order, after), partial(self._plan, order, after))
        return plan

    def _key(self, order: QuestOrder, at: Position) -> Hashable:
        """Return all that decides what an update trains, and in which micro-batches."""
        return order.quest_id, order.digest, order.epochs, at, self._shelf.budget.tokens

    def _plan(self, order: QuestOrder, at: Position) -> UpdatePlan:
        found = next_update(
            seed=self._shelf.seed,
            quest_digest=order.digest,
            num_rows=self.num_rows,
            epochs=order.epochs,
            at=at,
            num_documents=self._shelf.documents_per_update,
        )
        if found is None:
            raise AssertionError(f"quest {order.quest_id} has nothing left at {at}")
        documents = tuple(document for row in found.rows for document in self._rows[row])
        return UpdatePlan(
            next=found,
            documents=documents,
            batches=self._shelf.batches(documents),
            num_rows=len(found.rows),
            num_tokens=sum(len(document) for document in documents),
            num_trained=num_trained_tokens(documents),
        )

    def close(self) -> None:
        """Leave no thread behind."""
        self._ahead.stop()

    def updates(self, order: QuestOrder, at: Position) -> tuple[int, int]:
        """Return how many updates were made, as far as the rows say that, and how many are left."""
        per_update = self._shelf.documents_per_update
        made = -(-(at.epochs_done * self.num_rows + at.rows_taken) // per_update)
        left = updates_left(num_rows=self.num_rows, epochs=order.epochs, at=at, num_documents=per_update)
        return made, left


class QuestShelf:
    """The quest that is being trained, kept ready; opening another one puts it away."""

    def __init__(
        self,
        request: RunRequest,
        vocabulary: Vocabulary,
        device: torch.device,
        budget: Budget | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        training = request.config.training
        self.seed = training.seed
        self.documents_per_update = training.batch_size * training.gradient_accumulation
        self.budget = budget or Budget(training.batch_size * training.max_length)
        self.is_packing = training.packing and environment.get(PACKING_SWITCH) != "0"
        self.evaluation = request.config.evaluation
        self._held_out_file = request.held_out
        self._held_out: LoadedQuest | None = None
        self._vocabulary = vocabulary
        self._device = device
        self._key: tuple[object, ...] | None = None
        self._quest: Quest | None = None

    def open(self, order: QuestOrder) -> Quest:
        """Return the quest, read and tokenised when it is not the one at hand.

        Raises:
            DataError: it cannot be trained on; names the quest and the rows.
        """
        key = (order.quest_id, order.digest, order.path, order.shape)
        if self._quest is None or key != self._key:
            self.close()
            try:
                self._quest = self._load(order)
            except QuestFileError as error:
                raise DataError(f"quest {order.quest_id}: {_in_words(error, order)}") from error
            self._key = key
        return self._quest

    def close(self) -> None:
        """Leave no thread behind."""
        if self._quest is not None:
            self._quest.close()

    def measure_with(self, evaluation: EvaluationConfig) -> None:
        """Measure as this says from now on; which rows are held out stays as it was."""
        if evaluation.max_rows != self.evaluation.max_rows:
            self.close()
            self._quest = None  # read again when it is needed next
        self.evaluation = evaluation

    def batches(self, documents: Sequence[Document]) -> tuple[Batch, ...]:
        """Return documents as flat micro-batches of as many tokens as fit into memory.

        Short documents go through in larger groups. With packing: false, or ENABLE_PACKING=0 in the
        environment, each goes through alone: slower, and the same gradient.
        """
        budget = self.budget.tokens if self.is_packing else 0
        return tuple(to_tensors(batch, self._device) for batch in pack(documents, budget))

    def _load(self, order: QuestOrder) -> Quest:
        measured = self._measured()
        loaded = load_quest(
            Path(order.path),
            order.shape,
            self._vocabulary.renderer,
            held_out_fraction=self.evaluation.held_out_fraction,
            digest=order.digest,
            never=measured.row_digests if measured else (),
        )
        documents = measured.held_out if measured else loaded.held_out
        return Quest(loaded, evenly(documents, self.evaluation.max_rows), self)

    def _measured(self) -> LoadedQuest | None:
        """Return the held-out file, read once; None when a share of each quest serves."""
        file = self._held_out_file
        if file is not None and self._held_out is None:
            self._held_out = load_held_out_file(
                Path(file.path), file.shape, self._vocabulary.renderer, digest=file.digest
            )
        return self._held_out


def _in_words(error: QuestFileError, order: QuestOrder) -> str:
    """Return mistakes in rows with the file and the rows that a person knows, not those of the snapshot."""
    path, findings, num = error.path, error.findings, len(error.findings) + error.num_more
    if order.origin is not None and path == order.path and all(one.row is not None for one in findings):
        path = order.origin
        findings = tuple(
            msgspec.structs.replace(one, row=(one.row or 0) + order.first_row) for one in findings
        )
    return f"{path}: {in_one_line(findings, num)}"


def evenly(documents: Sequence[Document], limit: int) -> list[Document]:
    """Return at most `limit` documents, spread evenly over all of them: the same choice every time."""
    count = min(limit, len(documents))
    return [documents[place * len(documents) // count] for place in range(count)]
