"""The training settings: one set of keys for realm defaults, hero defaults and campaign overrides."""

from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from reconciler.desired.base import Line, Name, Words, record
from reconciler.desired.places import Finding

MAX_SEED = 2**53 - 1
"""Larger whole numbers are not the same in every JSON reader."""

Updates = Annotated[int, Gt(0), Le(1_000_000_000)]
Share = Annotated[float, Ge(0), Le(0.5)]
OptimizerName = Annotated[
    str, Words("the name of an optimizer, such as adamw or muon", lambda t: t.isascii() and t.isidentifier(), "^[A-Za-z_][A-Za-z0-9_]*$")
]

LOCKED_KEYS = frozenset(
    {
        "base_model", "model_name", "model_path", "hf_name", "model_architecture", "architecture", "family", "model",
        "model_version", "vocab_size", "max_context_length", "context_length", "rope_scaling", "tokenizer", "size_b",
        "config", "chat", "chat_template", "init",
    }
)  # fmt: skip
"""What is equal along a lineage: it comes from the hero's own sections and nowhere else."""


@record
class RowFields:
    """Which fields of a row are the prompt and the answer."""

    prompt: Name
    """Field with the question."""
    completion: Name
    """Field with the answer; only this is learnt."""


@record
class HeldOutFile:
    """A file of rows that are never trained on."""

    file: Name
    """JSONL; absolute, or relative to the realm's root or to the top folder of this repository."""
    fields: RowFields | None = None
    """For rows that are not `messages`."""


@record
class Evaluation:
    """When and on what the loss of rows is measured that are never trained on."""

    every_updates: Updates | None = None
    """Optimizer updates between two measurements."""
    held_out: Share | HeldOutFile | None = None
    """Share of each quest's rows (0 to 0.5), chosen by their content, or a file of its own."""
    max_rows: Annotated[int, Gt(0), Le(1_000_000)] | None = None
    """At most so many held-out rows are scored."""


@record
class Checkpoint:
    """When the training state is saved; it is also saved at the end of each quest and when a run leaves."""

    every_updates: Updates | None = None
    """Optimizer updates between two checkpoints."""
    every_minutes: Annotated[float, Gt(0), Le(10_080)] | None = None
    """Minutes between two checkpoints, whichever comes first."""


@record
class LigerKernel:
    """Fused kernels that an older engine used; ours has its own."""

    enabled: bool | None = None
    fused_rope: bool | None = None
    fused_rms_norm: bool | None = None
    fused_swiglu: bool | None = None
    fused_linear_cross_entropy: bool | None = None


@record
class TrainingSettings:
    """How a hero is trained. What is absent here is decided by the layer below."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] | None = None
    """`auto` is bf16 where the device computes it well, else fp32."""
    batch_size: Annotated[int, Gt(0), Le(65_536)] | None = None
    """Documents in a micro-batch."""
    gradient_accumulation: Annotated[int, Gt(0), Le(65_536)] | None = None
    """Micro-batches in an update; documents per update = batch_size x gradient_accumulation."""
    optimizer: OptimizerName | None = None
    """`adamw`, or `muon` for matrices with AdamW for the rest. Other names load; launching with them is refused."""
    learning_rate: Annotated[float, Gt(0), Lt(1)] | None = None
    """The rate after the warm-up."""
    lr_scheduler: OptimizerName | None = None
    """`constant`: the rate stays after the warm-up."""
    warmup_steps: Annotated[int, Ge(0), Le(1_000_000)] | None = None
    """Updates over which the rate rises from 0."""
    max_length: Annotated[int, Ge(8), Le(16_777_216)] | None = None
    """Longest document in tokens. A campaign may shrink it and never grow it."""
    weight_decay: Annotated[float, Ge(0), Lt(1)] | None = None
    """Pull of the weights towards zero, per update and learning rate."""
    adam_beta1: Annotated[float, Ge(0), Lt(1)] | None = None
    """AdamW's memory of the gradient."""
    adam_beta2: Annotated[float, Ge(0), Lt(1)] | None = None
    """AdamW's memory of the squared gradient."""
    adam_epsilon: Annotated[float, Gt(0), Lt(1)] | None = None
    """AdamW's guard against division by zero."""
    muon_learning_rate: Annotated[float, Gt(0), Lt(1)] | None = None
    """Rate of the matrices that Muon updates; absent: `learning_rate` serves both."""
    muon_momentum: Annotated[float, Ge(0), Lt(1)] | None = None
    """Muon's memory of the gradient."""
    clip: Annotated[float, Gt(0), Le(1_000_000)] | None = None
    """Largest global norm of the gradient."""
    seed: Annotated[int, Ge(0), Le(MAX_SEED)] | None = None
    """Decides first weights and the order of rows."""
    gradient_checkpointing: bool | None = None
    """Compute activations twice to save memory."""
    evaluation: Evaluation | None = None
    """Measuring the held-out loss."""
    checkpoint: Checkpoint | None = None
    """Saving."""
    save_steps: Updates | None = None
    """Older name of checkpoint.every_updates."""
    save_total_limit: Annotated[int, Gt(0)] | None = None
    """Older; nothing is deleted by it: this version keeps every checkpoint."""
    load_in_4bit: bool | None = None
    """Older; true is refused at launch."""
    optimizer_type: OptimizerName | None = None
    """Older name of optimizer."""
    liger_kernel: LigerKernel | None = None
    """Older; has no effect on what is learnt."""


ALIASES = {"save_steps": "checkpoint.every_updates", "optimizer_type": "optimizer"}
"""Older key → the key that says the same."""


def check_settings(settings: TrainingSettings | None, section: str) -> Iterator[Finding]:
    """Yield what is wrong between keys of one set of settings."""
    if settings is None:
        return
    if settings.save_steps is not None and settings.checkpoint and settings.checkpoint.every_updates is not None:
        yield _said_twice(section, "save_steps", "checkpoint.every_updates")
    if settings.optimizer_type is not None and settings.optimizer is not None:
        yield _said_twice(section, "optimizer_type", "optimizer")


def _said_twice(section: str, older: str, newer: str) -> Finding:
    message = f"{older} is an older name of {newer}, which is given too"
    return Finding(at=(section, older), on_key=True, message=message, hint=f"keep {newer}")
