"""The estimate beside what torch takes on the CPU, allocation by allocation."""

import gc
from array import array
from itertools import accumulate
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from adapters import a_lora, adapter_training
from builders import a_model, a_training
from torch.profiler import ProfilerActivity, profile

from state.contract.memory_need import memory_need, shape_of
from state.contract.run_config import TrainingConfig
from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens, pack
from trainer.data.tensors import to_tensors
from trainer.engine.adapters import put_adapters
from trainer.engine.attention import use_documents
from trainer.engine.device import Precision
from trainer.engine.head import chunk_rows, summed_cross_entropy
from trainer.engine.merging import keep_frozen_in
from trainer.engine.model import compute_layers_twice, new_model
from trainer.engine.optimizer import build_optimizers
from trainer.engine.step import make_update

WIDE = {
    "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 32, "intermediate_size": 384, "tie_word_embeddings": True,
}  # fmt: skip


def measured_peak(
    training: TrainingConfig, vocab_size: int, num_tokens: int, *, is_checkpointing: bool
) -> int:
    """Return the most bytes that were taken at once from the model's birth to the end of the second update."""
    precision: Precision = "bf16" if training.precision == "bf16" else "fp32"
    with looked_at() as seen:
        model = new_model(a_model(config=WIDE, vocab_size=vocab_size), seed=0, special_ids={})
        if training.lora is not None:
            put_adapters(model, "lora", training.lora, precision, seed=0, base_name=None)
            keep_frozen_in(model, precision)
        if is_checkpointing:
            compute_layers_twice(model)
        use_documents(model.train())
        optimizers = build_optimizers(model, training)
        rows = [
            Document(row=row, ids=array("i", [(row + i) % vocab_size for i in range(64)]), spans=((0, 64),))
            for row in range(num_tokens // 64)
        ]
        batches = [to_tensors(flat, "cpu") for flat in pack(rows, num_tokens)]
        for update in (1, 2):
            make_update(model, optimizers, batches, num_trained_tokens(rows), training, precision, update)
    return most_at_once(seen)


def looked_at() -> Any:
    """Return what hears each allocation; what tests before left as garbage is not freed in the middle of it."""
    gc.collect()
    return profile(activities=[ProfilerActivity.CPU], profile_memory=True)


def most_at_once(seen: Any) -> int:
    """Return the most bytes that were taken at once while it was looked at."""
    events = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    return max(accumulate(event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())))


@pytest.mark.parametrize(
    ("training", "vocab_size", "num_tokens", "is_checkpointing"),
    [
        (a_training(), 320, 2048, False),
        (a_training(), 320, 2048, True),
        (a_training(), 320, 512, False),
        (a_training(), 20_000, 512, False),
        (a_training(optimizer="muon"), 320, 512, False),
        (adapter_training(lora=a_lora(dropout=0.0)), 320, 512, False),
        (adapter_training(lora=a_lora(dropout=0.1)), 320, 512, False),
        (adapter_training(lora=a_lora(dropout=0.0, target_modules=("q_proj", "v_proj"))), 320, 512, False),
        (adapter_training(lora=a_lora(dropout=0.0), precision="bf16"), 320, 256, False),
    ],
    ids=[
        *("layers", "layers computed twice", "fewer tokens", "a larger vocabulary", "muon"),
        *("adapters", "adapters with dropout", "adapters on two matrices", "adapters under bf16"),
    ],
)
def test_it_is_within_a_tenth_of_what_was_measured(
    training: TrainingConfig, vocab_size: int, num_tokens: int, is_checkpointing: bool
) -> None:
    measured = measured_peak(training, vocab_size, num_tokens, is_checkpointing=is_checkpointing)
    shape = shape_of(WIDE, vocab_size)
    assert shape is not None
    need = memory_need(shape, training, "cpu", tokens=num_tokens, is_checkpointing=is_checkpointing)
    assert need.tensor_bytes == pytest.approx(measured, rel=0.1)


def test_logits_of_the_chunk_before_are_gone_when_the_next_one_is_made() -> None:
    """Three chunks take no more than one, beside what the tokens themselves take."""
    vocab_size, peaks = 40_000, []
    rows = chunk_rows(vocab_size, "cpu")
    head = torch.nn.Linear(8, vocab_size, bias=False)
    for chunks in (1, 3):
        hidden, wanted = torch.randn(chunks * rows, 8), torch.zeros(chunks * rows, dtype=torch.int64)
        with looked_at() as seen:
            summed_cross_entropy(head, hidden, wanted)
        peaks.append(most_at_once(seen))
    assert peaks[1] < 1.05 * peaks[0]
