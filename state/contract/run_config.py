"""The config of a run: every resolved value, and the hash that names it.

Part of the request, and of the orders once a live change is handed to a running trainer.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from state.canonical import sha256_of
from state.contract.examination import SkillExam


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


Method = Literal["full", "lora", "qlora"]
ALL_LINEAR = "all-linear"
"""As target_modules: every linear layer of the body; the head is none of them."""


class LoraConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Adapters: of W + (alpha / rank) B A, W is frozen, A and B are trained (arXiv 2106.09685)."""

    rank: int
    alpha: float
    dropout: float
    """Share of an adapter's inputs set to zero while training."""
    target_modules: tuple[str, ...]
    """Names of layers, sorted, or `all-linear` alone."""


class TrainingConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an update is made.

    What has a default came later: it is no part of the hash while it says nothing.
    """

    precision: Literal["auto", "fp32", "bf16", "fp16"]
    batch_size: int
    """Documents per micro-batch."""
    gradient_accumulation: int
    """Micro-batches per update; documents per update = batch_size x gradient_accumulation."""
    optimizer: Literal["adamw", "muon"]
    learning_rate: float
    lr_scheduler: Literal["constant", "wsd", "cosine", "linear"]
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
    gradient_checkpointing: bool | Literal["auto"]
    """`auto`: where the estimate says that memory would not do otherwise; the run tells what it became."""
    schedule_updates: int | None = None
    """The update at which a falling rate has come down; None where it is constant."""
    final_rate_ratio: float | None = None
    """What is left of it then, as a share of the full rate; None where it is constant."""
    method: Method = "full"
    """Every weight, or adapters on frozen ones; `qlora` keeps those in 4 bits."""
    lora: LoraConfig | None = None
    """None trains every weight."""
    weight_decay_on: Literal["matrices", "all"] = "matrices"
    """`matrices` leaves norms, biases, embeddings and the head as they are."""
    packing: bool = True
    """False: each document goes through the model alone."""
    compile: bool = False
    """Layers are compiled where that pays back: on a GPU. On a CPU the run tells that it did not."""


class EvaluationConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    every_updates: int
    held_out_fraction: float
    """Share of each quest's rows that is never trained on; 0 when a file serves."""
    max_rows: int
    """At most so many held-out rows are scored."""
    held_out_digest: str | None = None
    """Of the file that serves, whose rows are never trained; None: none, or an older version did not say."""
    skills: tuple[SkillExam, ...] = ()
    """What is examined by generation when a checkpoint is saved."""


class CheckpointConfig(msgspec.Struct, frozen=True, kw_only=True):
    every_updates: int
    every_minutes: float


class LossGuardConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When an update's loss is a spike, and how many updates may be left out for it."""

    enabled: bool = True
    window: int = 64
    """Updates of the quest that a loss is compared with, the latest ones."""
    warm_up: int = 32
    """Updates of a quest by which others are judged; before, a spike is worse than its first and guessing."""
    deviations: float = 10.0
    """So many of their deviations (1.4826 x MAD) a spike lies above their median, at least."""
    least_nats: float = 3.0
    """And so many nats per trained token: small batches of what is well learnt jump by one or two."""
    skips: int = 3
    """At most so many updates are left out ..."""
    per_updates: int = 200
    """... of so many; one more ends the run."""


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every resolved value. No paths, ids or times: equal configs have equal hashes.

    What has a default came later: it is no part of the hash while it says nothing.
    """

    model: ModelConfig
    tokenizer: TokenizerConfig
    chat: ChatConfig
    training: TrainingConfig
    evaluation: EvaluationConfig
    checkpoint: CheckpointConfig
    loss_guard: LossGuardConfig | None = None
    """None: as it is built in."""


def config_hash(config: RunConfig) -> str:
    """Return the SHA-256 of the config's RFC 8785 canonical JSON, as `sha256:` and 64 hex digits."""
    return sha256_of(msgspec.to_builtins(config))


def by_key(record: Any) -> dict[str, Any]:
    """Return every value of a config, or of a part of it, by its dotted key: `training.learning_rate`.

    Fields of a model's own config have keys of their own, `model.config.hidden_size`.
    """
    return dict(_flat(msgspec.to_builtins(record), ""))


def _flat(value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner
