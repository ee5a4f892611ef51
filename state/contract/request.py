"""`request.json`: everything a run was asked to be. Written once, before the trainer starts."""

from typing import Literal

import msgspec

from state.contract.orders import RowShape
from state.contract.run_config import (  # whoever reads a request reads its config, too
    ChatConfig,
    CheckpointConfig,
    EvaluationConfig,
    LoraConfig,
    LossGuardConfig,
    ModelConfig,
    RunConfig,
    TokenizerConfig,
    TrainingConfig,
    config_hash,
)

__all__ = [
    "ChatConfig",
    "CheckpointConfig",
    "CodeVersion",
    "DecayBranch",
    "EvaluationConfig",
    "HeldOutFile",
    "LoraConfig",
    "LossGuardConfig",
    "ModelConfig",
    "RunConfig",
    "RunRequest",
    "TokenizerConfig",
    "TrainingConfig",
    "config_hash",
]


class CodeVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Which software ran."""

    source: Literal["git", "distribution"]
    commit: str | None
    """The commit of the software's checkout; None when it is installed."""
    dirty: str | None = None
    """Digest of the uncommitted difference; None for a clean tree."""
    distribution: str | None = None
    """Name, version and digest of the installed files; None in a checkout."""

    def __str__(self) -> str:
        if self.commit is None:
            return self.distribution or "unknown"
        return self.commit + (f"+dirty.{self.dirty}" if self.dirty else "")


class HeldOutFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    digest: str
    shape: RowShape


class DecayBranch(msgspec.Struct, frozen=True, kw_only=True):
    """A short branch at whose end stands a release: its horizon, which no config has."""

    start_step: int
    """Of the checkpoint that it branched off from: there the rate is whole."""
    updates: int
    final_ratio: float
    """The share of the rate that is left at the last of them."""


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: int = 1
    realm_uid: str
    campaign_uid: str
    campaign: str
    """`<hero>/<campaign>`."""
    generation: int
    attempt: int
    segment: int
    config: RunConfig
    config_hash: str
    code_version: CodeVersion
    specs_commit: str
    device: str
    """`cpu` or `cuda:<index>`."""
    threads: int | None
    """CPU threads; None leaves the choice to the environment (OMP_NUM_THREADS), else to the model's size."""
    checkpoints_dir: str
    model_dir: str | None
    """Folder of the pretrained weights; None when they start at random."""
    trainer_lock: str
    held_out: HeldOutFile | None
    resume_step: int | None
    """Continue from this complete checkpoint; None starts at step 0."""
    optimizer_state: Literal["resume", "fresh"]
    """`fresh` keeps the weights and starts the optimizer anew."""
    resume_dir: str | None = None
    """Folder of the checkpoint to continue from, where it is not in `checkpoints_dir`."""
    decay: DecayBranch | None = None
    """None: the rate is as the config says."""
    template_dir: str | None = None
    """Folder with the model's own chat template as it was, where the model has another by now."""
    probe: bool = False
    """Find out what the widest micro-batch takes of memory before anything is trained."""
