"""`request.json`: everything a run was asked to be. Written once, before the trainer starts."""

from typing import Any, Literal

import msgspec

from state.canonical import sha256_of
from state.contract.orders import RowShape


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The locked architecture: equal along a lineage."""

    init: Literal["scratch", "pretrained"]
    base_model: str | None
    """The name in the hero's spec; None when the weights start at random."""
    family: str
    architecture: str
    """The transformers class, for example Qwen3ForCausalLM."""
    vocab_size: int
    max_context_length: int
    """Longest document in tokens, the training `max_length`."""
    config: dict[str, Any]
    """Architecture fields of the transformers config; empty for pretrained weights."""
    config_digest: str | None = None
    """SHA-256 of the pretrained model's own config.json."""


class TokenizerConfig(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["bytes", "pretrained"]
    digest: str


class ChatConfig(msgspec.Struct, frozen=True, kw_only=True):
    template: str
    digest: str
    """SHA-256 of the template's text."""


class TrainingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How an update is made."""

    precision: Literal["auto", "fp32", "bf16", "fp16"]
    batch_size: int
    """Documents per micro-batch."""
    gradient_accumulation: int
    """Micro-batches per update; documents per update = batch_size x gradient_accumulation."""
    optimizer: Literal["adamw", "muon"]
    learning_rate: float
    lr_scheduler: Literal["constant"]
    warmup_steps: int
    """Updates over which the rate rises linearly from 0."""
    max_length: int
    weight_decay: float
    adam_beta1: float
    adam_beta2: float
    adam_epsilon: float
    muon_learning_rate: float | None
    """Rate of the matrices that Muon updates; None: `learning_rate` serves both."""
    muon_momentum: float
    clip: float
    """Largest global gradient norm."""
    seed: int
    gradient_checkpointing: bool


class EvaluationConfig(msgspec.Struct, frozen=True, kw_only=True):
    every_updates: int
    held_out_fraction: float
    """Share of each quest's rows that is never trained on; 0 when a file serves."""
    max_rows: int
    """At most so many held-out rows are scored."""


class CheckpointConfig(msgspec.Struct, frozen=True, kw_only=True):
    every_updates: int
    every_minutes: float


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Every resolved value. No paths, ids or times: equal configs have equal hashes."""

    model: ModelConfig
    tokenizer: TokenizerConfig
    chat: ChatConfig
    training: TrainingConfig
    evaluation: EvaluationConfig
    checkpoint: CheckpointConfig


def config_hash(config: RunConfig) -> str:
    """Return the SHA-256 of the config's RFC 8785 canonical JSON, as `sha256:` and 64 hex digits."""
    return sha256_of(msgspec.to_builtins(config))


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
    """CPU threads; None leaves the choice to torch."""
    checkpoints_dir: str
    model_dir: str | None
    """Folder of the pretrained weights; None when they start at random."""
    trainer_lock: str
    held_out: HeldOutFile | None
    resume_step: int | None
    """Continue from this complete checkpoint; None starts at step 0."""
    optimizer_state: Literal["resume", "fresh"]
    """`fresh` keeps the weights and starts the optimizer anew."""
