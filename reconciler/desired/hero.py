"""`specs/heroes/<id>.yaml`: a model, what is fixed about it, and how it is trained by default."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reconciler.desired.base import Id, Identifier, Json, Line, Name, Record, Spec, Words, is_known
from reconciler.desired.places import Finding
from reconciler.desired.training import MAX_SEED, TrainingSettings, check_optimizer, check_settings
from state.contract.byte_tokens import VOCAB_SIZE

Gigabytes = Annotated[float, Meta(ge=0)]
MAX_MODEL_NAME = 500


def _is_model_name(text: str) -> bool:
    fits = 0 < len(text) <= MAX_MODEL_NAME and text.isprintable()
    return fits and text == text.strip() and ".." not in text.split("/")


ModelName = Annotated[str, Words("a hub id or a local path without ..", _is_model_name)]


class Model(Record, frozen=True, kw_only=True):
    """What the model is. Everything here is locked: no campaign changes it."""

    hf_name: ModelName | None = None
    """Hub id or local path; relative: the models folder, then the realm's root, then the hub's cache."""
    init: Literal["scratch"] | None = None
    """`scratch` instead of hf_name: the weights start at random."""
    tokenizer: Literal["bytes"] | None = None
    """With scratch: `bytes` is built in and needs no download."""
    family: Name
    """qwen3, llama, mistral, phi, ..."""
    architecture: Identifier
    """The transformers class."""
    size_b: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    """Billions of parameters."""
    vocab_size: Annotated[int, Meta(gt=0, le=100_000_000)]
    """Tokens that the model knows."""
    context_length: Annotated[int, Meta(ge=8, le=1_000_000_000)]
    """The model's limit in tokens; `max_length` is what training uses."""
    rope_scaling: str | dict[str, Json] | None = None
    """Older; a value that contradicts the model's own config is a warning."""
    config: dict[str, Json] = msgspec.field(default_factory=dict)
    """With scratch: the sizes, by their names in the transformers config."""


class Qlora(Record, frozen=True, kw_only=True):
    """Older: what training_defaults says as method and lora; enabled, it counts where those say nothing."""

    enabled: bool = False
    """Older name of method: qlora; of method: lora where load_in_4bit is false."""
    r: Annotated[int, Meta(gt=0)] = 64
    """Older name of lora.rank."""
    alpha: Annotated[float, Meta(gt=0)] = 16
    """Older name of lora.alpha."""
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    """Older name of lora.dropout."""
    target_modules: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    """Older name of lora.target_modules."""


class Chat(Record, frozen=True, kw_only=True):
    """How a conversation becomes text."""

    template: Name = "chatml"
    """`chatml`; older names of the same format are qwen3_chat and qwen2_chat."""
    system_token: str | None = None
    """What opens a system message."""
    user_token: str | None = None
    """What opens a user message."""
    assistant_token: str | None = None
    """What opens the model's message."""
    end_token: str | None = None
    """What ends a message."""
    supports_system: bool | None = None
    """May there be a system message?"""


class Vram(Record, frozen=True, kw_only=True):
    """Measured or estimated GPU memory, for estimates."""

    base_memory_gb: Gigabytes | None = None
    """Weights in bf16."""
    per_batch_gb: Gigabytes | None = None
    """One micro-batch of one document of 2,048 tokens."""
    optimizer_overhead_gb: Gigabytes | None = None
    """AdamW's state."""
    gradients_gb: Gigabytes | None = None
    """Gradients."""
    activations_gb: Gigabytes | None = None
    """Activations."""
    peak_measured_gb: Gigabytes | None = None
    """The highest that was seen."""
    optimizer_note: str | None = None
    """For people."""


class Display(Record, frozen=True, kw_only=True):
    """How the hero is shown."""

    icon: str | None = None
    """A path or an emoji."""
    portrait: str | None = None
    """A path."""
    color: str | None = None
    """#RRGGBB."""
    emoji: str | None = None
    """Where there is no icon."""


class IdleGeneration(Record, frozen=True, kw_only=True):
    """Older: making data while nothing else is to do."""

    enabled: bool | None = None
    """Older."""
    batch_size: Annotated[int, Meta(gt=0)] | None = None
    """Older: problems made at a time."""
    levels: tuple[int, ...] = ()
    """Older: levels of the skill."""
    min_queue_depth: Annotated[int, Meta(ge=0)] | None = None
    """Older: with fewer quests waiting more were made."""


class IdleBehavior(Record, frozen=True, kw_only=True):
    """Older: what a hero does while its queue is empty; this version does nothing then."""

    enabled: bool | None = None
    """Older."""
    skill_priorities: dict[str, float] = msgspec.field(default_factory=dict)
    """Older: id of a skill → its weight."""
    generation: IdleGeneration | None = None
    """Older."""


class Galore(Record, frozen=True, kw_only=True):
    """Older: low-rank gradients."""

    rank: Annotated[int, Meta(gt=0)] | None = None
    """Older."""


class Trainer(Record, frozen=True, kw_only=True):
    """Older: which training program was used."""

    type: Literal["flo", "ultimate", "deepspeed"] | None = None
    """deepspeed is refused at launch."""
    optimizer: Identifier | None = None
    """Used where training_defaults names none."""
    galore: Galore | None = None
    """Only for the galore optimizers."""


class Hero(Spec, frozen=True, kw_only=True):
    """A model and how it is trained."""

    id: Id
    """Equals the file's name."""
    name: Line | None = None
    """For people."""
    rpg_name: Line | None = None
    """The Skeptic, The Scholar, ..."""
    description: str | None = None
    """For people."""
    notes: str | None = None
    """For people."""
    model: Model
    """What the model is; locked."""
    training_defaults: TrainingSettings | None = None
    """How it is trained unless a campaign says otherwise."""
    qlora: Qlora | None = None
    """Older: adapters. training_defaults has method and lora."""
    chat: Chat = Chat()
    """How a conversation becomes text."""
    vram: Vram | None = None
    """GPU memory, for estimates."""
    display: Display | None = None
    """How it is shown."""
    skills_affinity: tuple[str, ...] = ()
    """Skills that suit it; names of skills that are not here are no mistake."""
    idle_behavior: IdleBehavior | None = None
    """Older."""
    trainer: Trainer | None = None
    """Older."""
    locked: dict[str, Json] = msgspec.field(default_factory=dict)
    """Older: repeats what `model` says."""
    memory_profile: str | None = None
    """Older: a preset; refused at launch."""


SAID_IN_MODEL = {
    "vocab_size": "comes from vocab_size of this section",
    "max_position_embeddings": "is transformers' own for the architecture; context_length bounds max_length",
    "architectures": "comes from architecture of this section",
    "model_type": "comes from architecture of this section",
}
"""Fields of a transformers config that a hero's own must not have, and where they come from."""


def check(hero: Hero) -> Iterator[Finding]:
    """Yield what is wrong between keys of a hero."""
    yield from check_settings(hero.training_defaults, "training_defaults")
    if hero.trainer is not None:
        yield from check_optimizer(hero.trainer.optimizer, "trainer", "optimizer")
    if not is_known(hero.model):
        return
    yield from _check_weights(hero.model)
    yield from _check_whole_numbers(hero.model.config, ("model", "config"))
    length = hero.training_defaults.max_length if hero.training_defaults else None
    is_read = is_known(length, hero.model.context_length)
    if is_read and length is not None and length > hero.model.context_length:
        message = f"is {length}, more than the model's context_length ({hero.model.context_length})"
        yield Finding(at=("training_defaults", "max_length"), message=message)


def _check_whole_numbers(value: Json, at: tuple[str | int, ...]) -> Iterator[Finding]:
    """Yield the whole numbers that are not the same in every JSON reader, which the config's hash needs."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _check_whole_numbers(inner, (*at, key))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _check_whole_numbers(inner, (*at, place))
    elif isinstance(value, int) and abs(value) > MAX_SEED:
        yield Finding(at=at, message=f"is {value}; whole numbers go up to {MAX_SEED} (2^53 - 1)")


def _check_weights(model: Model) -> Iterator[Finding]:
    if (model.hf_name is None) == (model.init is None):
        found = (
            "both hf_name and init: scratch"
            if model.init is not None
            else "neither hf_name nor init: scratch"
        )
        yield Finding(at=("model",), on_key=True, message=f"has {found}; expected one of them")
        return
    if model.init is None:
        for key in ("tokenizer", "config"):
            if getattr(model, key):
                message = f"{key} goes with init: scratch; weights that exist bring their own"
                yield Finding(at=("model", key), on_key=True, message=message)
        return
    if model.tokenizer is None:
        yield Finding(at=("model",), on_key=True, message="init: scratch needs tokenizer: bytes")
    elif is_known(model.vocab_size) and model.vocab_size < VOCAB_SIZE:
        message = f"is {model.vocab_size}; tokenizer: bytes has {VOCAB_SIZE} tokens"
        yield Finding(at=("model", "vocab_size"), message=message)
    if not is_known(model.config):
        return
    if not model.config:
        yield Finding(
            at=("model",), on_key=True, message="init: scratch needs config: the sizes of the model"
        )
    for key in sorted(SAID_IN_MODEL.keys() & model.config.keys()):
        message = f"{key} {SAID_IN_MODEL[key]}"
        yield Finding(at=("model", "config", key), on_key=True, message=message, hint="remove it")
