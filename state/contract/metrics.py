"""`metrics.jsonl`: one record a line, appended by the trainer, never changed."""

from typing import Literal

import msgspec

Kind = Literal[
    "started",  # the model is loaded; `step` is where it goes on
    "update",  # one optimizer update
    "skipped",  # the loss guard left this update out for its `loss`; `note` names the rows
    "evaluation",  # held-out loss
    "examination",  # a level of a skill, by generation
    "checkpoint",  # published; updates after `step` may stand before it
    "quest_started",
    "quest_finished",
    "orders",  # new orders were taken up
    "config",  # a changed config is in force from the next update on; `note` says each key, old → new
    "memory",  # it ran out, or the estimate says what fits; `note`: how many tokens go through at once
    "probe",  # what the widest micro-batch takes, found out before the first update
    "copies",  # `note` says what memory copies of the state take while they are saved
    "left",  # the last record of a run
]


class MetricsRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    kind: Kind
    at: str
    step: int
    segment: int | None = None
    """Of the campaign's history: a step may be made again in another one. None from an older trainer."""
    quest_id: str | None = None
    epoch: int | None = None
    rows: int | None = None
    """Documents of this update."""
    loss: float | None = None
    """Nats per trained token; absent when not finite (see `note`)."""
    val_loss: float | None = None
    learning_rate: float | None = None
    gradient_norm: float | None = None
    trained_tokens: int | None = None
    tokens: int | None = None
    tokens_per_second: float | None = None
    seconds: float | None = None
    data_seconds: float | None = None
    """Of `seconds`: so long the device waited for the update's documents."""
    fill: float | None = None
    """Share of computed places that held a token; the rest was filling."""
    memory_bytes: int | None = None
    """The most that was taken at once since the run began: tensors of a GPU, else the whole process."""
    mfu: float | None = None
    """Share of the device's bf16 products a second that the model used; absent where its peak is unknown."""
    energy_joules: float | None = None
    """What the whole GPU took since the update before, by its own counter; absent where there is none."""
    stall_seconds: float | None = None
    """Of a checkpoint: so long training stood still for it."""
    write_seconds: float | None = None
    """Of a checkpoint: so long it was written, most of it while training went on."""
    skill: str | None = None
    level: int | None = None
    correct: int | None = None
    """Of an examination: answers that were exact ..."""
    total: int | None = None
    """... of so many."""
    note: str | None = None
