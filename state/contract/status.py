"""`status.json`: the trainer's heartbeat."""

from typing import Literal

import msgspec

from state.contract.examination import CutShort
from state.contract.numbers import Count

Phase = Literal["starting", "training", "evaluating", "saving", "paused", "stopping", "exited"]


class RunStatus(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    phase: Phase
    updated_at: str
    awake_seconds: float | None = None
    """What the clock said then that stands while the machine sleeps; None from an older version."""
    orders_sequence: Count
    """The newest orders that the trainer has taken up."""
    takes_config: bool = False
    """Does it take up a changed config from its orders? A trainer of an older version does not."""
    config_hash: str | None = None
    """Of the config in force; None until the request is read, and from a trainer of an older version."""
    step: Count
    """Optimizer updates since the campaign began."""
    quest_id: str | None = None
    quest_update: Count = 0
    quest_updates: Count = 0
    """Updates made and to make for this quest; 0 to make while its rows are being read."""
    loss: float | None = None
    """Mean of the quest's last update, in nats per trained token; None before its first one in this run."""
    val_loss: float | None = None
    """Held-out loss of this quest, the last one measured."""
    val_step: Count | None = None
    """Where `val_loss` was measured; None from a trainer of an older version."""
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    eta_seconds: float | None = None
    """Until the end of the quest."""
    last_checkpoint_step: Count | None = None
    saved_request: Count = 0
    """The newest `save` of its orders for which a checkpoint is there."""
    device: str | None = None
    """`cpu` or `cuda:<index>`; None until the model is loaded, and from a trainer of an older version."""
    peak_memory_bytes: Count | None = None
    """The most that was taken at once in this run: tensors of a GPU, else the whole process."""
    libraries_bytes: Count | None = None
    """What the process took of the host's memory before any tensor was made: Python, torch, transformers."""
    update_seconds: float | None = None
    """Median of the latest updates."""
    waiting_for: str | None = None
    """Why training stands still though nobody paused it, as a sentence: a disk is full."""
    cut_short: CutShort | None = None
    """The last examination, where it took too long; None: it has results, or none was held in this run."""
    save_seconds: float | None = None
    """The last time, from the copy of the state to the checkpoint; training goes on for most of it."""
