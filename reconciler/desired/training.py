"""The training settings: one set of keys for realm defaults, hero defaults and campaign overrides."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from reconciler.desired.base import DataPath, Identifier, Name, Record, is_known
from reconciler.desired.mistakes import nearest_name
from reconciler.desired.optimizers import OPTIMIZERS, is_optimizer, nearest_optimizer
from reconciler.desired.places import Finding, Step
from reconciler.desired.schedulers import OLDER_SCHEDULERS, SCHEDULERS
from state.contract.run_config import ALL_LINEAR

MAX_SEED = 2**53 - 1
"""Larger whole numbers are not the same in every JSON reader."""

Updates = Annotated[int, Meta(gt=0, le=1_000_000_000)]
Share = Annotated[float, Meta(ge=0, le=0.5)]

LOCKED_KEYS = frozenset(
    {"architecture", "base_model", "chat", "chat_template", "config", "context_length", "family", "hf_name"}
    | {"init", "max_context_length", "model", "model_architecture", "model_name", "model_path"}
    | {"model_version", "rope_scaling", "size_b", "tokenizer", "vocab_size"}
)
"""What is equal along a lineage: it comes from the hero's own sections and nowhere else."""


class RowFields(Record, frozen=True, kw_only=True):
    """Which fields of a row are the prompt and the answer."""

    prompt: Name
    """Field with the question."""
    completion: Name
    """Field with the answer; only this is learnt."""


class HeldOutFile(Record, frozen=True, kw_only=True):
    """A file of rows that are never trained on."""

    file: DataPath
    """JSONL; absolute, or relative to the realm's root or to the top folder of this repository."""
    fields: RowFields | None = None
    """For rows of a shape that is not built in and that no dataset declares."""


class Evaluation(Record, frozen=True, kw_only=True):
    """When and on what the loss of rows is measured that are never trained on."""

    every_updates: Updates | None = None
    """Optimizer updates between two measurements."""
    held_out: Share | HeldOutFile | None = None
    """Share of each quest's rows (0 to 0.5), chosen by their content, or a file of its own."""
    max_rows: Annotated[int, Meta(gt=0, le=1_000_000)] | None = None
    """At most so many held-out rows are scored."""


class Checkpoint(Record, frozen=True, kw_only=True):
    """When the training state is saved; it is also saved at the end of each quest and when a run leaves."""

    every_updates: Updates | None = None
    """Optimizer updates between two checkpoints."""
    every_minutes: Annotated[float, Meta(gt=0, le=10_080)] | None = None
    """Minutes between two checkpoints, whichever comes first."""


class LossGuard(Record, frozen=True, kw_only=True):
    """Leaves out updates whose loss jumps; where that happens too often, goes back with lower rates."""

    enabled: bool | None = None
    """false: every update with a finite loss is made."""
    window: Annotated[int, Meta(ge=8, le=4096)] | None = None
    """Updates of the quest that a loss is compared with, the latest ones."""
    warm_up: Annotated[int, Meta(ge=8, le=4096)] | None = None
    """Updates of a quest by which others are judged; before, a spike is worse than its first and guessing."""
    deviations: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    """A spike lies so many times their usual deviation above their median (1.4826 x MAD), at least."""
    least_nats: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    """And so many nats per trained token."""
    skips: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    """At most so many updates are left out of `per_updates`; one more ends the run as diverged."""
    per_updates: Updates | None = None
    """See skips."""
    rollbacks: Annotated[int, Meta(ge=0, le=100)] | None = None
    """So often it goes back to the last healthy checkpoint, with lower rates; then the campaign stops."""
    rate_factor: Annotated[float, Meta(gt=0, le=1)] | None = None
    """What is left of the learning rates after each of these."""


class Lora(Record, frozen=True, kw_only=True):
    """The adapters of methods lora and qlora: small matrices beside frozen ones."""

    rank: Annotated[int, Meta(gt=0, le=65_536)] | None = None
    """Their inner width. Locked: adapters of another rank are a new campaign's."""
    alpha: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    """Their weight is alpha / rank. Locked."""
    dropout: Annotated[float, Meta(ge=0, lt=1)] | None = None
    """Share of their inputs set to zero while training."""
    target_modules: Literal["all-linear"] | tuple[Name, ...] | None = None
    """Layers that get adapters, by name such as q_proj; `all-linear`: all but the head. Locked."""


class LigerKernel(Record, frozen=True, kw_only=True):
    """Fused kernels that an older engine used; ours has its own."""

    enabled: bool | None = None
    """Older."""
    fused_rope: bool | None = None
    """Older: of rotary positions."""
    fused_rms_norm: bool | None = None
    """Older: of the normalisation."""
    fused_swiglu: bool | None = None
    """Older: of the feed-forward layers."""
    fused_linear_cross_entropy: bool | None = None
    """Older: of the last layer and its loss."""


class TrainingSettings(Record, frozen=True, kw_only=True):
    """How a hero is trained. What is absent here is decided by the layer below."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] | None = None
    """`auto` is bf16 where the device computes it well, else fp32."""
    batch_size: Annotated[int, Meta(gt=0, le=65_536)] | None = None
    """Documents in a micro-batch."""
    gradient_accumulation: Annotated[int, Meta(gt=0, le=65_536)] | None = None
    """Micro-batches in an update; documents per update = batch_size x gradient_accumulation."""
    optimizer: Identifier | None = None
    """`adamw`, or `muon` for matrices with AdamW for the rest. Other names are refused at launch."""
    method: Literal["full", "lora", "qlora"] | None = None
    """`full`: every weight; `lora`: adapters on frozen weights; `qlora`: those in 4 bits. Locked."""
    lora: Lora | None = None
    """The adapters; nothing of it counts while the method is full."""
    learning_rate: Annotated[float, Meta(gt=0, lt=1)] | None = None
    """The rate after the warm-up."""
    lr_scheduler: Identifier | None = None
    """`constant`, `wsd`: it stays after the warm-up; `cosine`, `linear`: it falls to `schedule_updates`."""
    schedule_updates: Updates | None = None
    """The update at which a falling rate has come down, warm-up counted; `cosine` and `linear` need it."""
    final_rate_ratio: Annotated[float, Meta(gt=0, le=1)] | None = None
    """The share of learning_rate that is left then, and from then on; above 0, or nothing would be learnt."""
    warmup_steps: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    """Updates over which the rate rises from 0."""
    max_length: Annotated[int, Meta(ge=8, le=16_777_216)] | None = None
    """Longest document in tokens. A campaign may shrink it and never grow it."""
    weight_decay: Annotated[float, Meta(ge=0, lt=1)] | None = None
    """Pull of the weights towards zero, per update and learning rate."""
    weight_decay_on: Literal["matrices", "all"] | None = None
    """`matrices` spares norms, biases, embeddings and the head, as the field does; `all` spares nothing."""
    adam_beta1: Annotated[float, Meta(ge=0, lt=1)] | None = None
    """AdamW's memory of the gradient."""
    adam_beta2: Annotated[float, Meta(ge=0, lt=1)] | None = None
    """AdamW's memory of the squared gradient."""
    adam_epsilon: Annotated[float, Meta(gt=0, lt=1)] | None = None
    """AdamW's guard against division by zero."""
    muon_learning_rate: Annotated[float, Meta(gt=0, lt=1)] | None = None
    """Rate of the matrices that Muon updates; absent: `learning_rate` serves both."""
    muon_momentum: Annotated[float, Meta(ge=0, lt=1)] | None = None
    """Muon's memory of the gradient."""
    clip: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    """Largest global norm of the gradient."""
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED)] | None = None
    """Decides first weights and the order of rows."""
    gradient_checkpointing: bool | Literal["auto"] | None = None
    """Compute activations twice to save memory; `auto`: only where the estimate says that it must be."""
    packing: bool | None = None
    """Several documents in one micro-batch, each seeing itself alone. false sends each through the model by
    itself: slower, and the same gradient. ENABLE_PACKING=0 in the environment of `apply` does so too."""
    compile: bool | None = None
    """Compile the model's layers: faster updates after minutes of compiling. On a GPU only; on a CPU the run
    goes on without, and says so."""
    evaluation: Evaluation | None = None
    """Measuring the held-out loss."""
    checkpoint: Checkpoint | None = None
    """Saving."""
    loss_guard: LossGuard | None = None
    """What happens when the loss jumps."""
    save_steps: Updates | None = None
    """Older name of checkpoint.every_updates."""
    save_total_limit: Annotated[int, Meta(gt=0)] | None = None
    """Older; nothing is deleted by it: this version keeps every checkpoint."""
    load_in_4bit: bool | None = None
    """Older; true means method: qlora, false says nothing."""
    optimizer_type: Identifier | None = None
    """Older name of optimizer."""
    liger_kernel: LigerKernel | None = None
    """Older; has no effect on what is learnt."""


ALIASES = {"save_steps": "checkpoint.every_updates", "optimizer_type": "optimizer"}
"""Older key → the key that says the same."""


def check_settings(settings: TrainingSettings | None, *section: Step) -> Iterator[Finding]:
    """Yield what is wrong between keys of the set of settings that stands at this key path."""
    if settings is None:
        return
    if (
        settings.save_steps is not None
        and settings.checkpoint
        and settings.checkpoint.every_updates is not None
    ):
        yield _said_twice(*section, "save_steps", newer="checkpoint.every_updates")
    if settings.optimizer_type is not None and settings.optimizer is not None:
        yield _said_twice(*section, "optimizer_type", newer="optimizer")
    if is_known(settings.method, settings.load_in_4bit) and settings.method is not None:
        yield from _check_older_method(settings, *section)
    if is_known(settings.lora) and settings.lora is not None:
        yield from _check_targets(settings.lora, *section)
    for key in ("optimizer", "optimizer_type"):
        name = getattr(settings, key)
        yield from check_optimizer(name, *section, key)
    yield from _check_scheduler(settings.lr_scheduler, *section, "lr_scheduler")


def _check_older_method(settings: TrainingSettings, *section: Step) -> Iterator[Finding]:
    if settings.load_in_4bit and settings.method != "qlora":
        message = f"load_in_4bit is an older word for method: qlora; method says {settings.method}"
        yield Finding(at=(*section, "load_in_4bit"), on_key=True, message=message, hint="remove one of them")


def _check_targets(lora: Lora, *section: Step) -> Iterator[Finding]:
    at = (*section, "lora", "target_modules")
    targets = lora.target_modules
    if not is_known(targets) or not isinstance(targets, tuple):
        return
    if not targets:
        yield Finding(at=at, message="names no layer", hint="all-linear, or names such as q_proj")
    for index, target in enumerate(targets):
        if target == ALL_LINEAR:
            message, hint = f"{ALL_LINEAR} stands alone", f"target_modules: {ALL_LINEAR}"
            yield Finding(at=(*at, index), message=message, hint=hint)
        elif targets.index(target) < index:
            yield Finding(at=(*at, index), message=f'"{target}" stands here twice')


def check_optimizer(name: str | None, *at: Step) -> Iterator[Finding]:
    """Yield the mistake of a name, at this key path, that no optimizer has."""
    if isinstance(name, str) and not is_optimizer(name):
        near = nearest_optimizer(name)
        message = f'"{name}" is not an optimizer'
        yield Finding(at=at, message=message, known=OPTIMIZERS, nearest=near)


def _check_scheduler(name: str | None, *at: Step) -> Iterator[Finding]:
    if isinstance(name, str) and name not in SCHEDULERS and name not in OLDER_SCHEDULERS:
        near = nearest_name(name, SCHEDULERS) or nearest_name(name, OLDER_SCHEDULERS)
        yield Finding(at=at, message=f'"{name}" is not a schedule', known=SCHEDULERS, nearest=near)


def _said_twice(*at: Step, newer: str) -> Finding:
    message = f"{at[-1]} is an older name of {newer}, which is given too"
    return Finding(at=at, on_key=True, message=message, hint=f"keep {newer}")
