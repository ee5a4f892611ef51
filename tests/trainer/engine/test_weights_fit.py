"""Would the weights in a folder fill the model beside them? Told from headers, as launching would tell it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

import torch
import transformers
from safetensors.torch import load_file, save_file

from trainer.engine.failures import EnvironmentFailure
from trainer.engine.model import pretrained_model
from trainer.engine.weights_fit import base_fit, checkpoint_fit

ONE = "model.layers.1.mlp.up_proj.weight"
Tensors = dict[str, torch.Tensor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny model as transformers saves it, its head tied to its embeddings."""
    config = transformers.Qwen3Config(
        vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, max_position_embeddings=32, tie_word_embeddings=True,
    )  # fmt: skip
    transformers.Qwen3ForCausalLM(config).save_pretrained(tmp_path / "theirs")
    return tmp_path / "theirs"


def change(folder: Path, made: Callable[[Tensors], Tensors]) -> None:
    path = folder / "model.safetensors"
    save_file(made(dict(load_file(path))), path)


def without(tensors: Tensors) -> Tensors:
    return {name: one for name, one in tensors.items() if name != ONE}


def renamed(tensors: Tensors) -> Tensors:
    return {f"transformer.{name}": one for name, one in tensors.items()}


def reshaped(tensors: Tensors) -> Tensors:
    return {**tensors, ONE: torch.zeros(3, 5)}


def test_a_whole_model_fits_whether_its_head_is_saved_twice_or_not(folder: Path) -> None:
    assert (base_fit(folder).problem, checkpoint_fit(folder).problem) == (None, None)
    change(folder, lambda had: {**had, "lm_head.weight": had["model.embed_tokens.weight"].clone()})
    assert (base_fit(folder).problem, checkpoint_fit(folder).problem) == (None, None)
    assert base_fit(folder).unused == ()


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(without, f"1 tensor of the model not in its files, for example {ONE!r}", id="lacks one"),
        pytest.param(renamed, "it knows nothing, as 'transformer.model.embed_tokens.weight'", id="names"),
        pytest.param(
            reshaped,
            f"1 tensor of another shape than config.json says: {ONE!r} is 3 x 5, the model has 32 x 16",
            id="a shape",
        ),
    ],
)
def test_tensors_that_do_not_fill_the_model_are_refused_by_name_before_and_at_the_launch(
    folder: Path, made: Callable[[Tensors], Tensors], expected: str, wanted_of: Callable[[Path], Any]
) -> None:
    change(folder, made)
    assert expected in str(base_fit(folder).problem)
    assert expected in str(checkpoint_fit(folder).problem)
    with pytest.raises(EnvironmentFailure, match=r"of the model not in|of another shape"):
        pretrained_model(wanted_of(folder), folder)


def test_what_a_folder_lacks_is_not_drawn_to_find_that_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large model it took minutes, and all memory."""
    change(folder, without)

    def drawn(tensor: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        assert tensor.is_meta, "a tensor was drawn"
        return tensor

    monkeypatch.setattr(torch.Tensor, "normal_", drawn)
    assert f"for example {ONE!r}" in str(base_fit(folder).problem)


@pytest.fixture
def wanted_of() -> Callable[[Path], Any]:
    from builders import a_model

    return lambda folder: a_model(
        init="pretrained",
        vocab_size=json.loads((folder / "config.json").read_text())["vocab_size"],
        architecture="Qwen3ForCausalLM",
    )


def test_a_tensor_too_many_is_named_of_a_base_and_refused_of_a_checkpoint(folder: Path) -> None:
    change(folder, lambda had: {**had, "model.layers.7.mlp.up_proj.weight": torch.zeros(2)})
    assert base_fit(folder).problem is None
    assert base_fit(folder).unused == ("model.layers.7.mlp.up_proj.weight",)
    assert "of which the model knows nothing, for example 'model.layers.7" in str(
        checkpoint_fit(folder).problem
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"architectures": None}, "architectures is None; expected one name", id="none named"),
        pytest.param(
            {"architectures": ["FooForCausalLM"]}, "'FooForCausalLM' is none of transformers", id="unknown"
        ),
        pytest.param({"hidden_size": "wide"}, "config.json", id="no number"),
        pytest.param({"num_attention_heads": 0}, "by zero", id="no heads"),
    ],
)
def test_a_config_that_makes_no_model_is_a_problem_and_no_traceback(
    folder: Path, said: dict[str, Any], expected: str
) -> None:
    config = json.loads((folder / "config.json").read_text()) | said
    (folder / "config.json").write_text(json.dumps(config))
    for fit in (base_fit(folder), checkpoint_fit(folder)):
        assert expected in str(fit.problem)


def test_packed_weights_are_not_compared_and_it_is_said_so(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": {"bits": 4}}))
    fit = base_fit(folder)
    assert fit.problem is None
    assert "quantization_config" in str(fit.why_not)
