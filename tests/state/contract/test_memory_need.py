"""The estimate agrees with the published arithmetic, and says nothing where a size is unknown."""

import pytest
from msgspec.structs import replace

from state.contract.memory_need import (
    Shape,
    memory_need,
    needs_checkpointing,
    num_adapter_parameters,
    roomy_tokens,
    shape_of,
    tokens_at_once,
)
from state.contract.run_config import LoraConfig, TrainingConfig

QWEN3_600M = {
    "hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8,
    "head_dim": 128, "intermediate_size": 3072, "tie_word_embeddings": True,
}  # fmt: skip
FULL = TrainingConfig(
    precision="fp32", batch_size=1, gradient_accumulation=16, optimizer="adamw", learning_rate=4e-4,
    lr_scheduler="constant", warmup_steps=100, max_length=2048, weight_decay=0.0, adam_beta1=0.9,
    adam_beta2=0.999, adam_epsilon=1e-8, muon_learning_rate=None, muon_momentum=0.95, clip=1.0, seed=0,
    gradient_checkpointing=False,
)  # fmt: skip


@pytest.fixture
def shape() -> Shape:
    found = shape_of(QWEN3_600M, 151_936)
    assert found is not None
    return found


def test_the_parameters_of_a_known_model_are_counted_to_the_last_one(shape: Shape) -> None:
    assert shape.num_body + shape.num_embedding + shape.num_norms == 596_049_920


def test_full_training_takes_sixteen_bytes_a_parameter(shape: Shape) -> None:
    """9.5 GB for 0.6 B parameters."""
    need = memory_need(shape, FULL, "cuda", tokens=2048, is_checkpointing=False)
    assert need.state_bytes == 16 * 596_049_920
    assert need.state_bytes == pytest.approx(9.5e9, rel=0.01)


def test_a_chunk_of_logits_takes_the_place_of_five_gigabytes(shape: Shape) -> None:
    """Full logits of 2,048 tokens cost 5 GB in float32 copies and gradients."""
    need = memory_need(shape, FULL, "cpu", tokens=2048, is_checkpointing=False)
    assert pytest.approx(5e9, rel=0.01) == 4 * 4 * 2048 * 151_936
    assert need.head_bytes < 0.8e9


@pytest.mark.parametrize("device_type", ["cpu", "cuda"])
def test_more_tokens_need_more_and_checkpointing_needs_less(shape: Shape, device_type: str) -> None:
    def total(tokens: int, *, is_checkpointing: bool = False) -> int:
        return memory_need(
            shape, FULL, device_type, tokens=tokens, is_checkpointing=is_checkpointing
        ).total_bytes

    assert total(4096) > total(2048) > total(2048, is_checkpointing=True)


def test_adapters_need_less_than_every_weight_and_four_bits_less_still(shape: Shape) -> None:
    lora = LoraConfig(rank=64, alpha=16.0, dropout=0.0, target_modules=("q_proj", "v_proj"))
    assert num_adapter_parameters(shape, lora) == 28 * 64 * ((2048 + 1024) + (1024 + 1024))
    states = [
        memory_need(shape, training, "cuda", tokens=2048, is_checkpointing=False).state_bytes
        for training in (
            replace(FULL, method="qlora", lora=lora), replace(FULL, method="lora", lora=lora),
            replace(FULL, optimizer="muon"), FULL,
        )
    ]  # fmt: skip
    assert states == sorted(states)
    assert len(set(states)) == 4


def test_a_config_without_a_size_gives_no_estimate() -> None:
    for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"):
        fields = {key: value for key, value in QWEN3_600M.items() if key != name}
        assert shape_of(fields, 151_936) is None


def test_tokens_at_once_are_a_micro_batch_of_the_longest_documents() -> None:
    training = replace(FULL, batch_size=3)
    assert tokens_at_once(training) == 3 * 2048
    assert tokens_at_once(replace(training, packing=False)) == 2048


def test_layers_are_computed_twice_where_they_would_not_fit_else_and_auto_was_asked_for(shape: Shape) -> None:
    auto = replace(FULL, gradient_checkpointing="auto")
    need = memory_need(shape, FULL, "cuda", tokens=2048, is_checkpointing=False).total_bytes
    assert needs_checkpointing(shape, auto, "cuda", need - 1)
    assert not needs_checkpointing(shape, auto, "cuda", need)
    assert not needs_checkpointing(shape, auto, "cuda", None)


@pytest.mark.parametrize("asked", [True, False])
def test_what_was_asked_for_stays_whatever_fits(shape: Shape, asked: bool) -> None:
    assert needs_checkpointing(shape, replace(FULL, gradient_checkpointing=asked), "cuda", 1) is asked
    assert needs_checkpointing(shape, replace(FULL, gradient_checkpointing=asked), "cuda", 10**15) is asked


@pytest.mark.parametrize("number", [1, 5, 16])
def test_as_many_of_the_longest_documents_go_through_at_once_as_fit(shape: Shape, number: int) -> None:
    def fitting(usable_bytes: int) -> int:
        return roomy_tokens(shape, FULL, "cuda", usable_bytes, wished=16 * 2048, is_checkpointing=False)

    need = memory_need(shape, FULL, "cuda", tokens=number * 2048, is_checkpointing=False).total_bytes
    assert fitting(need) == number * 2048
    assert fitting(need - 1) == max(1, number - 1) * 2048
    assert fitting(10**15) == 16 * 2048
