"""How much memory training takes, estimated from the config alone: the plan shows it, the trainer uses it.

The parts: 16 bytes for each trained parameter (float32 weight, gradient and two moments), what the layers
keep for the backward pass, and one chunk of logits, every token taken as trained. Counted from what this
engine's operations keep (a Qwen3 layer: two norms, four projections with norms and rotation, attention, a
gated block). torch's own working space, the driver's context and fragments are not in it.

Letters: H hidden width, A width of all heads, K width of all heads of keys, I width of the gated block,
V vocabulary, L layers.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from state.contract.run_config import LoraConfig, TrainingConfig

FLOAT32, BFLOAT16 = 4, 2
FOUR_BIT = 0.5 + FLOAT32 / 64
"""Bytes of an NF4 parameter with its share of a block's scale (arXiv 2305.14314, section 3; blocks of 64)."""
CHUNK_LOGITS = {"cpu": 2**23, "cuda": 2**28}
"""Logits that are there at once, by kind of device (`trainer/engine/head.py`)."""
MIN_CHUNK = 16
"""Tokens of a chunk at least: fewer make slow products."""
_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes of a model with Llama-like layers, under the names of transformers' configs."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    num_key_value_heads: int
    head_dim: int
    tie_word_embeddings: bool

    def matrices(self) -> dict[str, tuple[int, int]]:
        """Return rows and columns of each matrix of a layer."""
        wide, narrow = self.num_attention_heads * self.head_dim, self.num_key_value_heads * self.head_dim
        h, i = self.hidden_size, self.intermediate_size
        sizes = ((wide, h), (narrow, h), (narrow, h), (h, wide), (i, h), (i, h), (h, i))
        return dict(zip(_LINEAR, sizes, strict=True))

    @property
    def num_body(self) -> int:
        """Return the parameters of all layers' matrices."""
        return self.num_hidden_layers * sum(rows * columns for rows, columns in self.matrices().values())

    @property
    def num_embedding(self) -> int:
        """Return the parameters of embeddings and head."""
        return self.vocab_size * self.hidden_size * (1 if self.tie_word_embeddings else 2)

    @property
    def num_norms(self) -> int:
        """Return the parameters of the norms, those of queries and keys included."""
        return self.num_hidden_layers * 2 * (self.hidden_size + self.head_dim) + self.hidden_size


class MemoryNeed(msgspec.Struct, frozen=True, kw_only=True):
    """What one run needs at its peak, in bytes."""

    state_bytes: int
    """Weights, gradients, moments."""
    activation_bytes: int
    """What the layers keep of one micro-batch."""
    head_bytes: int
    """A chunk of logits, and the head's gradient beside what is summed."""

    @property
    def total_bytes(self) -> int:
        """Return all of it."""
        return self.state_bytes + self.activation_bytes + self.head_bytes


def shape_of(fields: Mapping[str, Any], vocab_size: int) -> Shape | None:
    """Return the sizes that a model's config names; None where one is missing, so that nothing is guessed.

    What transformers derives itself is derived alike: a head's width, as many heads of keys as of queries.
    """
    needed = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    sizes = [fields.get(name) for name in needed]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        return None
    hidden, layers, heads, inner = (int(size) for size in sizes if size is not None)
    return Shape(
        vocab_size=vocab_size,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        num_key_value_heads=fields.get("num_key_value_heads") or heads,
        head_dim=fields.get("head_dim") or hidden // heads,
        tie_word_embeddings=bool(fields.get("tie_word_embeddings", False)),
    )


def memory_need(
    shape: Shape,
    training: TrainingConfig,
    device_type: Literal["cpu", "cuda"],
    *,
    tokens: int,
    is_checkpointing: bool,
) -> MemoryNeed:
    """Return what an update in micro-batches of so many tokens needs."""
    is_half = training.precision == "bf16" or (training.precision == "auto" and device_type == "cuda")
    return MemoryNeed(
        state_bytes=int(_state(shape, training, is_half=is_half)),
        activation_bytes=_activations(shape, tokens, is_half=is_half, is_checkpointing=is_checkpointing),
        head_bytes=_head(shape, training, device_type, tokens, is_half=is_half),
    )


def tokens_at_once(training: TrainingConfig) -> int:
    """Return the most tokens that go through the model together, as the settings grant them."""
    return training.max_length * (training.batch_size if training.packing else 1)


def _state(shape: Shape, training: TrainingConfig, *, is_half: bool) -> float:
    body, rest = shape.num_body, shape.num_embedding + shape.num_norms
    casts = BFLOAT16 * body if is_half else 0  # autocast keeps its copies until the backward pass is through
    if training.lora is not None:
        frozen = FOUR_BIT if training.method == "qlora" else FLOAT32
        adapters = num_adapter_parameters(shape, training.lora)
        return body * frozen + rest * FLOAT32 + 4 * FLOAT32 * adapters + casts * (training.method != "qlora")
    moments = 1 if training.optimizer == "muon" else 2
    return (2 + moments) * FLOAT32 * body + 4 * FLOAT32 * rest + casts


def num_adapter_parameters(shape: Shape, lora: LoraConfig) -> int:
    """Return the trained parameters: rank x (rows + columns) for each matrix that gets an adapter."""
    wanted = set(_LINEAR) if lora.target_modules == ("all-linear",) else set(lora.target_modules)
    sides = sum(rows + columns for name, (rows, columns) in shape.matrices().items() if name in wanted)
    return shape.num_hidden_layers * lora.rank * sides


def _activations(shape: Shape, tokens: int, *, is_half: bool, is_checkpointing: bool) -> int:
    h, i = shape.hidden_size, shape.intermediate_size
    a, k = shape.num_attention_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
    product = BFLOAT16 if is_half else FLOAT32
    norms = FLOAT32 * (4 * h + 2 * (a + k))  # input and normed input of four norms
    products = product * (2 * h + 5 * a + 4 * i)  # inputs of the products, rotated heads, attention's result
    layer = tokens * (norms + products)
    if is_checkpointing:
        return shape.num_hidden_layers * tokens * FLOAT32 * h + layer
    return shape.num_hidden_layers * layer


def _head(shape: Shape, training: TrainingConfig, device_type: str, tokens: int, *, is_half: bool) -> int:
    rows = min(tokens, max(MIN_CHUNK, CHUNK_LOGITS[device_type] // shape.vocab_size))
    logits = rows * shape.vocab_size * (2 * FLOAT32 + (2 * BFLOAT16 if is_half else 0))
    matrix = shape.vocab_size * shape.hidden_size
    gradient = FLOAT32 * matrix if training.lora is None else 0
    cast = BFLOAT16 * matrix if is_half else 0
    return logits + gradient + cast
