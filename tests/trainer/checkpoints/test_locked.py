"""What may not change along a lineage."""

import msgspec
import pytest
from builders import a_config, a_model

from state.contract.locked import Locked, locked_values
from trainer.checkpoints.errors import CheckpointError
from trainer.checkpoints.locked import check_locked


def locked(**changes: object) -> Locked:
    return locked_values(a_config(model=a_model(**changes)))


def test_equal_values_pass() -> None:
    check_locked(locked(), locked(), "checkpoint-1")


def test_the_hero_bounds_the_length_of_documents_not_what_was_trained_before() -> None:
    check_locked(locked(max_context_length=256), locked(max_context_length=128), "checkpoint-1")
    check_locked(locked(max_context_length=128), locked(max_context_length=256), "checkpoint-1")


@pytest.mark.parametrize(
    ("key", "value"), [("vocab_size", 321), ("architecture", "LlamaForCausalLM"), ("base_model", "other")]
)
def test_a_difference_is_named_with_both_values(key: str, value: object) -> None:
    with pytest.raises(
        CheckpointError, match=rf"checkpoint-1: model\.{key} is .*; the run asks for {value!r}"
    ):
        check_locked(locked(), locked(**{key: value}), "checkpoint-1")


def test_another_tokenizer_is_another_lineage() -> None:
    config = a_config()
    other = msgspec.structs.replace(
        config, tokenizer=msgspec.structs.replace(config.tokenizer, digest="sha256:0")
    )
    with pytest.raises(
        CheckpointError, match=r"tokenizer\.digest is 'sha256:[0-9a-f]{64}'; the run asks for 'sha256:0'"
    ):
        check_locked(locked_values(config), locked_values(other), "checkpoint-1")
