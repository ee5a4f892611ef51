"""Models: repeatable from a seed, found to be what was asked for, and never more than weights."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import TINY, a_model

from trainer.engine.failures import EnvironmentFailure, SettingsError
from trainer.engine.model import new_model, pretrained_model, weight_tensors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny model as the hub would have it."""
    place = tmp_path_factory.mktemp("model")
    new_model(a_model(), seed=3, special_ids={}).save_pretrained(place)
    return place


def test_equal_seeds_give_equal_weights_and_others_others() -> None:
    first, again, other = (weight_tensors(new_model(a_model(), seed, {})) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], other["lm_head.weight"])


def test_a_misspelt_field_of_the_config_is_named() -> None:
    with pytest.raises(SettingsError, match=r"model\.config\.hiden_size is no field of Qwen3Config"):
        new_model(a_model(config={**TINY, "hiden_size": 8}), 0, {})


@pytest.mark.parametrize("name", ["Qwen9ForCausalLM", "Qwen3Model", "os"])
def test_an_unknown_architecture_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"architecture '{name}' is none of transformers"):
        new_model(a_model(architecture=name), 0, {})


def test_sizes_that_do_not_fit_are_an_error_of_the_config() -> None:
    with pytest.raises(SettingsError, match=r"model\.config does not make a Qwen3ForCausalLM"):
        new_model(a_model(config={**TINY, "num_attention_heads": 0}), 0, {})


def test_models_that_scale_their_logits_are_refused() -> None:
    wanted = a_model(
        architecture="Gemma2ForCausalLM", family="gemma", config={**TINY, "num_attention_heads": 2}
    )
    with pytest.raises(SettingsError, match=r"changes its logits after the head \(final_logit_softcapping\)"):
        new_model(wanted, 0, {})


def test_pretrained_weights_are_loaded_as_float32(folder: Path) -> None:
    model = pretrained_model(a_model(init="pretrained"), folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert torch.equal(model.lm_head.weight, new_model(a_model(), 3, {}).lm_head.weight)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"architecture": "LlamaForCausalLM"},
            "architecture is 'Qwen3ForCausalLM'; the hero says 'LlamaForCausalLM'",
        ),
        ({"vocab_size": 321}, "vocab_size is 320; the hero says 321"),
        (
            {"config_digest": "sha256:0"},
            r"the digest of config\.json is 'sha256:.*'; the hero says 'sha256:0'",
        ),
    ],
)
def test_a_hero_that_contradicts_its_weights_is_refused_with_both_values(
    folder: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(EnvironmentFailure, match=message):
        pretrained_model(a_model(init="pretrained", **changes), folder)


def test_weights_of_other_formats_are_never_loaded(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(
        EnvironmentFailure, match=r"no \*\.safetensors here; other weight files are never loaded"
    ):
        pretrained_model(a_model(init="pretrained"), tmp_path)


def test_code_beside_the_weights_is_not_run(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "config.json").read_bytes())
    config["auto_map"] = {"AutoModelForCausalLM": "evil.Evil"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')", encoding="utf-8")
    assert type(pretrained_model(a_model(init="pretrained"), tmp_path)).__module__.startswith("transformers.")
