"""The estimate beside what torch takes on the CPU, allocation by allocation."""

from array import array
from itertools import accumulate
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import a_model, a_training
from torch.profiler import ProfilerActivity, profile

from state.contract.memory_need import memory_need, shape_of
from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens, pack
from trainer.data.tensors import to_tensors
from trainer.engine.attention import use_documents
from trainer.engine.model import compute_layers_twice, new_model
from trainer.engine.optimizer import build_optimizers
from trainer.engine.step import make_update

WIDE = {
    "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 32, "intermediate_size": 384, "tie_word_embeddings": True,
}  # fmt: skip


def measured_peak(config: dict[str, Any], vocab_size: int, num_tokens: int, *, is_checkpointing: bool) -> int:
    """Return the most bytes that were taken at once from the model's birth to the end of the second update."""
    training = a_training(precision="fp32")
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        model = new_model(a_model(config=config, vocab_size=vocab_size), seed=0, special_ids={})
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
            make_update(model, optimizers, batches, num_trained_tokens(rows), training, "fp32", update)
    events = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    return max(accumulate(event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())))


@pytest.mark.parametrize(
    ("vocab_size", "num_tokens", "is_checkpointing"),
    [(320, 2048, False), (320, 2048, True), (320, 512, False), (20_000, 512, False)],
    ids=["layers", "layers computed twice", "fewer tokens", "a larger vocabulary"],
)
def test_it_is_within_a_tenth_of_what_was_measured(
    vocab_size: int, num_tokens: int, is_checkpointing: bool
) -> None:
    measured = measured_peak(WIDE, vocab_size, num_tokens, is_checkpointing=is_checkpointing)
    shape = shape_of(WIDE, vocab_size)
    assert shape is not None
    need = memory_need(shape, a_training(), "cpu", tokens=num_tokens, is_checkpointing=is_checkpointing)
    assert need.total_bytes == pytest.approx(measured, rel=0.1)
