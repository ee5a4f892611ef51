"""The estimate for a CPU beside what whole processes of real runs took, before any run has told."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from adapters import adapter_training
from builders import Realm, a_config, a_model, a_training, orders
from seen import why

from state.contract.files import read
from state.contract.memory_need import memory_need, shape_of, tokens_at_once
from state.contract.request import TrainingConfig
from state.contract.status import RunStatus

SPROUT = {
    "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 32, "intermediate_size": 384, "tie_word_embeddings": True,
}  # fmt: skip
"""The built-in heroes."""
WIDER = SPROUT | {
    "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8, "head_dim": 64, "intermediate_size": 1536,
}  # fmt: skip
HOUSE = Path(__file__).parents[3]


def long_rows(number: int, length: int) -> str:
    """Return rows that are nearly so many tokens long; a token is a byte."""
    answers = (f"{row} ".ljust(5, "x") * (length // 5 - 20) for row in range(number))
    rows = (
        [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}] for answer in answers
    )
    return "".join(json.dumps({"messages": messages}) + "\n" for messages in rows)


def peak_of_a_run(realm: Realm, model: dict[str, Any], training: TrainingConfig, vocab_size: int) -> int:
    """Return the most memory of a process that makes two updates of long documents, measures and saves."""
    number = 3 * training.batch_size
    order = realm.quest_of(long_rows(number, training.max_length), rows=number)
    config = msgspec.structs.replace(
        a_config(training=training),
        model=a_model(config=model, vocab_size=vocab_size, max_context_length=training.max_length),
    )
    files = realm.run(orders(order), config)
    command = ("-m", "trainer", "run", "--request", str(files.request))
    try:
        return peak_of(*command)
    except subprocess.CalledProcessError as error:
        raise AssertionError(why(files)) from error


def peak_of(*arguments: str) -> int:
    """Return the most memory that Python took with these arguments.

    A process counts what its parent had when it was forked (getrusage(2)): so a small one starts it.
    """
    small = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", small, sys.executable, *arguments]
    said = subprocess.run(command, cwd=HOUSE, stdout=subprocess.PIPE, check=True).stdout
    return int(said) * 1024


@pytest.mark.parametrize(
    ("model", "vocab_size", "training"),
    [
        (SPROUT, 320, a_training(batch_size=8, gradient_accumulation=1, max_length=2048)),
        (
            SPROUT,
            320,
            a_training(batch_size=8, gradient_accumulation=1, max_length=2048, gradient_checkpointing=True),
        ),
        (WIDER, 320, a_training(batch_size=4, gradient_accumulation=1, max_length=512, precision="bf16")),
        (WIDER, 20_000, a_training(batch_size=2, gradient_accumulation=1, max_length=512, optimizer="muon")),
        (WIDER, 320, adapter_training(batch_size=4, gradient_accumulation=1, max_length=1024)),
    ],
    ids=["a tiny hero", "layers computed twice", "bf16", "a larger vocabulary under muon", "adapters"],
)
def test_a_process_takes_what_was_estimated_within_a_third(
    realm: Realm, model: dict[str, Any], vocab_size: int, training: TrainingConfig
) -> None:
    if training.method != "full":
        pytest.importorskip("peft")
    peak = peak_of_a_run(realm, model, training, vocab_size)
    shape = shape_of(model, vocab_size)
    assert shape is not None
    need = memory_need(
        shape,
        training,
        "cpu",
        tokens=tokens_at_once(training),
        is_checkpointing=training.gradient_checkpointing is True,
        libraries_bytes=of_libraries(),
    )
    estimate = need.total_bytes
    print(f"{estimate / 1e6:.0f} MB estimated, {peak / 1e6:.0f} MB taken")
    assert 0.75 < estimate / peak < 1.34


@cache
def of_libraries() -> int:
    """Return what torch's build and transformers take here, as a trainer tells it of itself."""
    return peak_of("-c", "from transformers import Qwen3ForCausalLM")


def test_a_trainer_tells_what_its_libraries_take_before_it_makes_a_tensor(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), a_config())
    command = [sys.executable, "-m", "trainer", "run", "--request", str(files.request)]
    subprocess.run(command, cwd=HOUSE, stdout=subprocess.DEVNULL, check=True)
    told = read(files.status, RunStatus)
    assert told.libraries_bytes is not None
    assert told.libraries_bytes == pytest.approx(of_libraries(), rel=0.15)
    assert told.peak_memory_bytes is not None
    assert told.libraries_bytes < told.peak_memory_bytes
