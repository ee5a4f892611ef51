"""Which software wrote a folder without a manifest of ours, and is it whole? Pure: judges what was read.

Whole is a positive test, one for each producer: every part that its format names is there, of the length
that its own header or index says. What is whole can be taken in; until then it is foreign like everything
else that is not ours: listed, never deleted, never resumed from.

Formats: safetensors (8 bytes of length, a JSON header with the offsets of each tensor, the data), the
sharded index of transformers (`weight_map`: tensor → file), the Hugging Face Trainer's folder (its
`trainer_state.json` is written last), PyTorch's distributed checkpoints (`.metadata` is written last and
names every `.distcp` file).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

Producer = Literal["realm", "hugging-face-trainer", "pytorch-dcp", "safetensors"]
Weights = Literal["safetensors", "adapter", "pickle", "distributed", "none"]

SAYS: Mapping[str, str] = {
    "realm": "a checkpoint of this software",
    "hugging-face-trainer": "a checkpoint of the Hugging Face Trainer",
    "pytorch-dcp": "a distributed checkpoint of PyTorch (DCP)",
    "safetensors": "a folder of safetensors weights",
}
CONFIG, ADAPTER_CONFIG, STATE = "config.json", "adapter_config.json", "trainer_state.json"
DCP_METADATA, DCP_SUFFIX = ".metadata", ".distcp"
INDEX_SUFFIX, TENSORS_SUFFIX = ".index.json", ".safetensors"
_MODEL, _ADAPTER, _PICKLE = "model.safetensors", "adapter_model.safetensors", "pytorch_model.bin"
_OPTIMIZER, _SCHEDULER = "optimizer.pt", "scheduler.pt"
_RNG = r"rng_state(_[0-9]+)?\.pth"


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the folder, as far as it says itself whether it is whole."""

    size_bytes: int = 0
    problem: str | None = None
    """A Git LFS pointer, a link, empty, shorter than its own header says, ..."""
    tensors: frozenset[str] = frozenset()
    """Names, of a safetensors file."""
    values: Mapping[str, Any] = {}
    """What a JSON file says that is read here."""
    parts: Mapping[str, int] = {}
    """Of DCP's metadata: each file that it names → the length that it needs, in bytes."""


class ReadFolder(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a folder without a manifest."""

    files: Mapping[str, ReadFile]
    folders: tuple[str, ...] = ()


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Whose checkpoint a folder is, and what it lacks."""

    producer: Producer
    weights: Weights
    step: int | None = None
    """As its own files say it; None: they do not."""
    has_optimizer: bool = False
    problems: tuple[str, ...] = ()
    """Why it is not whole; none: it is."""

    @property
    def is_whole(self) -> bool:
        return not self.problems


def judge(folder: ReadFolder, step: int | None = None) -> Judgement | None:
    """Return whose checkpoint it is and whether it is whole; None: nothing that is known here.

    `step` is what the folder's name says, if it says one.
    """
    producer = _producer(folder)
    if producer is None:
        return None
    weights, weight_problems = _weights(folder, producer)
    said = _said_step(folder)
    return Judgement(
        producer=producer,
        weights=weights,
        step=said,
        has_optimizer=any(name.startswith("optimizer") for name in (*folder.files, *folder.folders)),
        problems=(
            *_wrong_files(folder),
            *weight_problems,
            *_wrong_trainer(folder, producer, said, step),
        ),
    )


def in_words(judgement: Judgement) -> str:
    """Return what a folder is, as a sentence's part."""
    says = SAYS[judgement.producer]
    if judgement.is_whole:
        at = f" (step {judgement.step})" if judgement.step is not None else ""
        return f"{says}{at}, whole, and not taken in"
    return f"{says} that is not whole: {judgement.problems[0]}"


def _producer(folder: ReadFolder) -> Producer | None:
    names = folder.files.keys()
    if STATE in names:
        return "realm" if "locked" in folder.files[STATE].values else "hugging-face-trainer"
    if DCP_METADATA in names or any(name.endswith(DCP_SUFFIX) for name in names):
        return "pytorch-dcp"
    if {_OPTIMIZER, _SCHEDULER, _PICKLE, f"{_PICKLE}{INDEX_SUFFIX}"} & names:
        return "hugging-face-trainer"
    is_weights = any(name.endswith((TENSORS_SUFFIX, f"{TENSORS_SUFFIX}{INDEX_SUFFIX}")) for name in names)
    return "safetensors" if is_weights else None


def _said_step(folder: ReadFolder) -> int | None:
    state = folder.files.get(STATE)
    step = state.values.get("global_step", state.values.get("step")) if state is not None else None
    return step if isinstance(step, int) and not isinstance(step, bool) and step >= 0 else None


def _wrong_files(folder: ReadFolder) -> Iterator[str]:
    for name, file in sorted(folder.files.items()):
        if file.problem is not None:
            yield f"{name} {file.problem}"


def _weights(folder: ReadFolder, producer: Producer) -> tuple[Weights, tuple[str, ...]]:
    """Return how the weights lie there, and what of them is missing."""
    names = folder.files.keys()
    if producer == "pytorch-dcp":
        return "distributed", tuple(_wrong_parts(folder))
    for main, kind in ((_MODEL, "safetensors"), (_ADAPTER, "adapter"), (_PICKLE, "pickle")):
        found: Weights = kind  # type: ignore[assignment]  # the three literals above
        if main in names:
            return found, tuple(_needs(folder, ADAPTER_CONFIG if kind == "adapter" else CONFIG))
        stem, _, suffix = main.rpartition(".")
        index = f"{main}{INDEX_SUFFIX}"
        if index in names or any(re.fullmatch(rf"{stem}-[0-9]+-of-[0-9]+\.{suffix}", name) for name in names):
            return found, (*_needs(folder, CONFIG, index), *_wrong_shards(folder, index))
    other = next((name for name in sorted(names) if name.endswith(TENSORS_SUFFIX)), None)
    if other is not None and producer == "safetensors":
        return "none", (f"{_MODEL} is missing ({other} is no name that a model is loaded from)",)
    return "none", ("there are no weights: expected model.safetensors, or its index and shards",)


def _needs(folder: ReadFolder, *names: str) -> Iterator[str]:
    for name in names:
        if name not in folder.files:
            yield f"{name} is missing"


def _wrong_shards(folder: ReadFolder, index: str) -> Iterator[str]:
    """Yield what an index of shards names and what is not there as it says."""
    if index not in folder.files:
        return
    shards: dict[str, set[str]] = {}
    said = folder.files[index].values.get("weight_map", {})
    if not isinstance(said, dict):
        yield f"{index} has a weight_map that is none: expected tensor: file"
        return
    for tensor, name in said.items():
        shards.setdefault(str(name), set()).add(tensor)
    if not shards:
        yield f"{index} names no shard"
    for name, tensors in sorted(shards.items()):
        if name not in folder.files:
            yield f"{name} is missing, which {index} names"
        elif name.endswith(TENSORS_SUFFIX) and folder.files[name].problem is None:
            lacks = sorted(tensors - folder.files[name].tensors)
            if lacks:
                yield f"{name} has no tensor {lacks[0]}, which {index} says is in it"


def _wrong_parts(folder: ReadFolder) -> Iterator[str]:
    """Yield what DCP's metadata names and what is not there in its length."""
    metadata = folder.files.get(DCP_METADATA)
    if metadata is None:
        yield f"{DCP_METADATA} is missing, which is written last: not saved to the end"
    elif metadata.problem is None and not metadata.parts:
        yield f"{DCP_METADATA} names no file"
    for name, needed in sorted(metadata.parts.items()) if metadata is not None else ():
        if name not in folder.files:
            yield f"{name} is missing, which {DCP_METADATA} names"
        elif folder.files[name].size_bytes < needed:
            found = folder.files[name].size_bytes
            yield f"{name} has {found:,} bytes, {DCP_METADATA} names {needed:,}: a torn copy"


def _wrong_trainer(
    folder: ReadFolder, producer: Producer, said: int | None, step: int | None
) -> Iterator[str]:
    """Yield what a training library's folder lacks beside the weights."""
    if producer == "realm":
        yield "there is no manifest.json, which is written last: not saved to the end"
    if producer != "hugging-face-trainer":
        return
    if STATE not in folder.files:
        yield f"{STATE} is missing, which is written last: not saved to the end"
    elif folder.files[STATE].problem is None and said is None:
        yield f"{STATE} has no global_step"
    if None not in (said, step) and said != step:
        yield f"{STATE} says step {said}, the folder's name says {step}"
    parts = (
        _OPTIMIZER in folder.files,
        _SCHEDULER in folder.files,
        any(re.fullmatch(_RNG, name) for name in folder.files),
    )
    if any(parts[:2]) and not all(parts):
        missing = (_OPTIMIZER, _SCHEDULER, "rng_state.pth")[parts.index(False)]
        yield f"{missing} is missing beside the rest of the training state: a half copy"
