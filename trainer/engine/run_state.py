"""What a run holds between two updates: shared by updating, evaluating, saving and telling."""

from dataclasses import dataclass
from typing import Any

from state.contract.adapters import AdapterBase
from state.contract.request import RunRequest
from trainer.checkpoints.state import GuardMemory
from trainer.engine.device import Precision
from trainer.engine.optimizer import Optimizers
from trainer.engine.progress import Progress
from trainer.engine.quests import QuestShelf
from trainer.engine.vocabulary import Vocabulary


@dataclass(kw_only=True)
class RunState:
    """The living state; only `request`, `progress` and `guard` are ever replaced."""

    request: RunRequest
    """As it was launched, with the config that is in force now."""
    model: Any
    adapter_base: AdapterBase | None
    """What its adapters belong to; None: every weight is trained."""
    optimizers: Optimizers
    vocabulary: Vocabulary
    precision: Precision
    shelf: QuestShelf
    progress: Progress
    guard: GuardMemory
    """What the loss guard knows."""
