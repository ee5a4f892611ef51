"""How much memory training takes, estimated from the config alone: the plan shows it, the trainer uses it.

The parts: 16 bytes for each trained parameter (float32 weight, gradient and two moments), what the layers
keep for the backward pass, and one chunk of logits, every token taken as trained. Counted from what this
engine's operations keep (a Qwen3 layer: two norms, four projections with norms and rotation, attention, a
gated block). On a CPU, where what counts is the process, its own memory comes to that: the libraries, the
copy of what a save writes, and what the heap cannot reuse. A GPU's memory is that of the tensors: the
driver's context and fragments are not in it.

Letters: H hidden width, A width of all heads, K width of all heads of keys, I width of the gated block,
V vocabulary, L layers.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from state.contract.linear_layers import LLAMA_LAYERS
from state.contract.run_config import ALL_LINEAR, LoraConfig, TrainingConfig

FLOAT32, BFLOAT16 = 4, 2
FOUR_BIT = 0.5 + FLOAT32 / 64
"""Bytes of an NF4 parameter with its share of a block's scale (arXiv 2305.14314, section 3; blocks of 64)."""
CHUNK_LOGITS = {"cpu": 2**23, "cuda": 2**28}
"""Logits that are there at once, by kind of device (`trainer/engine/head.py`)."""
MIN_CHUNK = 16
"""Tokens of a chunk at least: fewer make slow products."""
MAX_MATRIX_LENGTH = 256
"""Documents of at most so many tokens attend by products of matrices on a CPU in bfloat16
(`trainer/engine/matrix_attention.py`), whose shares are kept: two bytes for each head and pair of tokens."""
LIBRARIES = 348_000_000
"""Bytes of a process that has loaded Python, torch and transformers: 332 MiB measured on Linux, x86-64, torch
2.13 without CUDA, transformers 5.23. Each trainer tells its own (`libraries_bytes` of its status)."""
LIBRARIES_OF_CUDA = 360_000_000
"""What torch's build with CUDA takes beside that there, on a CPU, too."""
FIRST_USE = 42_000_000
"""What such a process takes beside them once it has computed."""
USABLE = 0.9
"""Share of a device's memory to plan with: contexts of drivers, working space and fragments take some."""
HEAP_GAPS = 0.5
"""Share of activations and logits that the C library's heap takes beside them: blocks of another size do not
fit between those in use. Measured 0.2 (most in blocks beyond 32 MiB, which are not of the heap) to 0.9."""


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
        return dict(zip(LLAMA_LAYERS, sizes, strict=True))

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
    """A chunk of logits, and the head's gradient beside what is summed; or a layer that is computed again."""
    process_bytes: int
    """On a CPU what the process takes beside these tensors; 0 on a GPU."""

    @property
    def tensor_bytes(self) -> int:
        """Return what the tensors of an update take."""
        return self.state_bytes + self.activation_bytes + self.head_bytes

    @property
    def total_bytes(self) -> int:
        """Return all of it."""
        return self.tensor_bytes + self.process_bytes


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
    libraries_bytes: int = LIBRARIES,
) -> MemoryNeed:
    """Return what an update in micro-batches of so many tokens needs."""
    is_half = _is_half(training, device_type)
    layer = tokens * _layer(shape, training.lora, is_half=is_half)
    if is_half and device_type == "cpu":
        layer += tokens * BFLOAT16 * shape.num_attention_heads * min(training.max_length, MAX_MATRIX_LENGTH)
    head: float = _head(shape, training, device_type, tokens, is_half=is_half)
    casts = _casts(shape, training, is_half=is_half, is_checkpointing=is_checkpointing)
    kept: float = shape.num_hidden_layers * layer
    if is_checkpointing:  # logits and a layer are never there together
        gate = 2 * tokens * (BFLOAT16 if is_half else FLOAT32) * shape.intermediate_size  # its gradients
        kept, head = shape.num_hidden_layers * tokens * FLOAT32 * shape.hidden_size, max(head, layer + gate)
    return MemoryNeed(
        state_bytes=int(_state(shape, training, is_half=is_half) + casts),
        activation_bytes=int(kept),
        head_bytes=int(head),
        process_bytes=libraries_bytes + FIRST_USE + _process(shape, training, kept + head)
        if device_type == "cpu"
        else 0,
    )


def state_bytes(shape: Shape, training: TrainingConfig, device_type: Literal["cpu", "cuda"]) -> int:
    """Return what weights, gradients and moments take: as much, however short documents are."""
    return int(_state(shape, training, is_half=_is_half(training, device_type)))


def usable_of(device_bytes: int) -> int:
    """Return how much of a device's memory a run plans with."""
    return int(USABLE * device_bytes)


def wished_tokens(training: TrainingConfig, device_type: Literal["cpu", "cuda"]) -> int:
    """Return how many tokens go through at once where they fit: on a GPU all of an update's."""
    is_wide = device_type == "cuda" and training.packing
    return tokens_at_once(training) * (training.gradient_accumulation if is_wide else 1)


def tokens_at_once(training: TrainingConfig) -> int:
    """Return the most tokens that go through the model together, as the settings grant them."""
    return training.max_length * (training.batch_size if training.packing else 1)


def needs_checkpointing(
    shape: Shape,
    training: TrainingConfig,
    device_type: Literal["cpu", "cuda"],
    usable_bytes: int | None,
    libraries_bytes: int = LIBRARIES,
) -> bool:
    """Return whether layers are computed twice: as the settings say.

    `auto` does so where the rest does not fit; where nobody knows how much memory there is, it does not.
    """
    if training.gradient_checkpointing != "auto":
        return training.gradient_checkpointing
    tokens = tokens_at_once(training)
    need = memory_need(
        shape, training, device_type, tokens=tokens, is_checkpointing=False, libraries_bytes=libraries_bytes
    )
    return usable_bytes is not None and need.total_bytes > usable_bytes


def roomy_tokens(
    shape: Shape,
    training: TrainingConfig,
    device_type: Literal["cpu", "cuda"],
    usable_bytes: int,
    *,
    wished: int,
    is_checkpointing: bool,
    libraries_bytes: int = LIBRARIES,
) -> int:
    """Return the most tokens of a micro-batch that fit, in steps of the longest document, one at least."""
    length = training.max_length
    fitting = (
        number * length
        for number in range(wished // length, 1, -1)
        if memory_need(
            shape,
            training,
            device_type,
            tokens=number * length,
            is_checkpointing=is_checkpointing,
            libraries_bytes=libraries_bytes,
        ).total_bytes
        <= usable_bytes
    )
    return next(fitting, length)


def _is_half(training: TrainingConfig, device_type: str) -> bool:
    return training.precision == "bf16" or (training.precision == "auto" and device_type == "cuda")


def _state(shape: Shape, training: TrainingConfig, *, is_half: bool) -> float:
    """Return weights, gradients and moments."""
    body, rest = shape.num_body, shape.num_embedding + shape.num_norms
    if training.lora is None:
        return _saved(shape, training) + FLOAT32 * (body + rest)
    frozen = FOUR_BIT if training.method == "qlora" else BFLOAT16 if is_half else FLOAT32
    gradients = FLOAT32 * num_adapter_parameters(shape, training.lora)
    return body * frozen + rest * FLOAT32 + _saved(shape, training) + gradients


def _saved(shape: Shape, training: TrainingConfig) -> int:
    """Return what a checkpoint holds: trained weights and their moments, of which Muon keeps one."""
    of_matrix = FLOAT32 * (2 if training.optimizer == "muon" else 3)
    if training.lora is not None:
        return of_matrix * num_adapter_parameters(shape, training.lora)
    return of_matrix * shape.num_body + 3 * FLOAT32 * (shape.num_embedding + shape.num_norms)


def _process(shape: Shape, training: TrainingConfig, passing: float) -> int:
    """Return what a process on a CPU takes for its tensors beside them; so many bytes of them come and go."""
    return _saved(shape, training) + int(HEAP_GAPS * passing)


def _casts(shape: Shape, training: TrainingConfig, *, is_half: bool, is_checkpointing: bool) -> float:
    """Return what autocast's copies of trained weights take: they stay until the backward pass is through."""
    if not is_half:
        return 0
    lora = training.lora
    trained = shape.num_body if lora is None else num_adapter_parameters(shape, lora)
    return BFLOAT16 * trained / (shape.num_hidden_layers if is_checkpointing else 1)


def num_adapter_parameters(shape: Shape, lora: LoraConfig) -> int:
    """Return the trained parameters: rank x (rows + columns) for each matrix that gets an adapter."""
    wanted = _wanted(lora)
    sides = sum(rows + columns for name, (rows, columns) in shape.matrices().items() if name in wanted)
    return shape.num_hidden_layers * lora.rank * sides


def _layer(shape: Shape, lora: LoraConfig | None, *, is_half: bool) -> float:
    """Return what a layer keeps for each token, in bytes.

    Norms keep their normed input (`trainer/engine/shortcuts.py`). Of products those keep their input whose
    weight is trained; under autocast each has a copy of its own.
    """
    h, i = shape.hidden_size, shape.intermediate_size
    a, k = shape.num_attention_heads * shape.head_dim, shape.num_key_value_heads * shape.head_dim
    product = BFLOAT16 if is_half else FLOAT32
    norms = FLOAT32 * (2 * h + a + k)
    between = product * (2 * a + 2 * k + 3 * i)  # rotated heads, attention's result, both sides of the gate
    wanted = _wanted(lora)
    first, second = len(wanted & set(LLAMA_LAYERS[:3])), len(wanted & set(LLAMA_LAYERS[4:6]))
    copies = first + second if is_half else min(first, 1) + min(second, 1)
    own_copy = a if is_half and lora is not None and "o_proj" in wanted else 0
    inputs = product * (copies * h + own_copy + (i if "down_proj" in wanted else 0))
    return norms + between + inputs + (_adapters(shape, lora, is_half=is_half) if lora is not None else 0)


def _adapters(shape: Shape, lora: LoraConfig, *, is_half: bool) -> float:
    """Return what a layer's adapters keep for each token: what goes through their rank, and is dropped out.

    Dropping out makes of each adapter's input a copy of its own and a mask: 5 bytes, under autocast, whose
    copies are counted already, 4.
    """
    wanted = _wanted(lora)
    inputs = sum(columns for name, (_, columns) in shape.matrices().items() if name in wanted)
    dropped = inputs * (4 if is_half else FLOAT32 + 1) if lora.dropout else 0
    return len(wanted) * lora.rank * (BFLOAT16 if is_half else FLOAT32) + dropped


def _wanted(lora: LoraConfig | None) -> set[str]:
    """Return the names of the layer's matrices that are trained, by adapters or themselves."""
    if lora is None or lora.target_modules == (ALL_LINEAR,):
        return set(LLAMA_LAYERS)
    return set(lora.target_modules) & set(LLAMA_LAYERS)


def _head(shape: Shape, training: TrainingConfig, device_type: str, tokens: int, *, is_half: bool) -> int:
    rows = min(tokens, max(MIN_CHUNK, CHUNK_LOGITS[device_type] // shape.vocab_size))
    logits = rows * shape.vocab_size * 2 * FLOAT32  # with their shares, or two half copies of them
    matrix = shape.vocab_size * shape.hidden_size
    gradient = FLOAT32 * matrix if training.lora is None else 0
    cast = BFLOAT16 * matrix if is_half else 0
    return logits + gradient + cast
