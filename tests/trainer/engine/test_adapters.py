"""Adapters: only they are trained and saved, they go on to the bit, and they know the weights below them."""

import json
import shutil
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("peft", reason="needs the lora extra")
pytestmark = pytest.mark.train

from adapters import a_lora, adapter_training, base_of, on_pretrained, pretrained, taken_over
from builders import TINY, Realm, a_config, a_model, a_training, orders
from safetensors.torch import load_file
from seen import losses, manifest, saved_steps, why
from transformers import AutoModelForCausalLM

from state.contract.files import read
from state.contract.linear_layers import LINEAR_LAYERS
from state.contract.run_config import RunConfig
from trainer.__main__ import main
from trainer.engine.adapters import put_adapters
from trainer.engine.answer import load_checkpoint
from trainer.engine.four_bit import linear_layers, quantise_body
from trainer.engine.merging import keep_frozen_in
from trainer.engine.model import new_model
from trainer.engine.run import run

CASES: dict[str, dict[str, Any]] = {
    "lora": {},
    "lora with muon": {"optimizer": "muon"},
    "lora computing layers twice": {"gradient_checkpointing": True},
    "lora in bf16": {"precision": "bf16"},
    "qlora": {"method": "qlora"},
    "qlora with muon": {"method": "qlora", "optimizer": "muon"},
}


def config_of(case: str, **changes: Any) -> RunConfig:
    if case.startswith("qlora"):
        pytest.importorskip("bitsandbytes", reason="needs the qlora extra")
    return a_config(training=adapter_training(**(CASES[case] | changes)))


@pytest.mark.parametrize("case", CASES)
def test_resumed_adapters_have_the_losses_of_the_undisturbed_ones_to_the_bit(
    realm: Realm, tmp_path: Path, case: str
) -> None:
    config = config_of(case)
    undisturbed = Realm(tmp_path / "undisturbed")
    whole = undisturbed.run(orders(undisturbed.quest(epochs=2)), config)
    assert run(whole.request) == 0, why(whole).message

    first = realm.run(orders(realm.quest(epochs=2), goal_updates=4), config)
    run(first.request)
    second = realm.run(orders(realm.quest(epochs=2)), config, resume_step=4)
    assert run(second.request) == 0, why(second).message

    assert losses(first) | losses(second) == losses(whole)
    assert len(losses(whole)) == 9
    for name in ("adapter_model.safetensors", "adapter_config.json", "optimizer.safetensors"):
        one, other = (place.campaign.checkpoint(9) / name for place in (realm, undisturbed))
        assert one.read_bytes() == other.read_bytes()


def test_dropout_is_in_force_while_training_alone(realm: Realm, tmp_path: Path) -> None:
    """The negative control of the test above: without dropout the losses are others, measurements are not."""
    dropping = realm.run(orders(realm.quest()), config_of("lora"))
    run(dropping.request)
    other = Realm(tmp_path / "other")
    keeping = other.run(orders(other.quest()), config_of("lora", lora=a_lora(dropout=0.0)))
    run(keeping.request)
    assert losses(dropping)[1] == losses(keeping)[1]  # B is zero: nothing that is dropped counts yet
    assert losses(dropping)[3] != losses(keeping)[3]


@pytest.mark.parametrize("case", ["lora", "lora with muon", "qlora"])
def test_adapters_learn_and_nothing_else_does(realm: Realm, case: str) -> None:
    files = realm.run(orders(realm.quest(epochs=6)), config_of(case))
    assert run(files.request) == 0, why(files).message
    found = [loss or 9 for loss in losses(files).values()]
    assert fmean(found[-10:]) < found[0] - 0.15  # one update's rows may be hard ones
    folder = realm.campaign.checkpoint(max(saved_steps(realm)))
    assert not (folder / "model.safetensors").exists()
    names = set(load_file(folder / "adapter_model.safetensors"))
    assert len(names) == 2 * 2 * 7
    assert all(name.endswith((".lora_A.weight", ".lora_B.weight")) for name in names)
    assert base_of(realm, max(saved_steps(realm))).kind == "seed"


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # peft's own
def test_a_checkpoint_of_adapters_loads_with_peft(realm: Realm, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    base = pretrained(tmp_path / "base")
    config = on_pretrained(base, adapter_training())
    assert run(realm.run(orders(realm.quest()), config, model_dir=str(base)).request) == 0
    folder = realm.campaign.checkpoint(5)
    theirs = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder).eval()
    ours, _ = load_checkpoint(folder, base)
    plain = AutoModelForCausalLM.from_pretrained(base)
    ids = torch.arange(12)[None]
    with torch.no_grad():
        mine, its, bare = (model.eval()(input_ids=ids).logits for model in (ours, theirs, plain))
    assert torch.equal(mine, its)
    assert not torch.equal(mine, bare)
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "org/base"


def test_an_adapter_for_another_base_is_refused_with_both_digests(realm: Realm, tmp_path: Path) -> None:
    base, other = pretrained(tmp_path / "base"), pretrained(tmp_path / "other", seed=6)
    config = on_pretrained(base, adapter_training())
    run(realm.run(orders(realm.quest(), goal_updates=2), config, model_dir=str(base)).request)
    files = realm.run(orders(realm.quest()), config, model_dir=str(other), resume_step=2)
    assert run(files.request) == 1
    assert why(files).failure_class == "environment"
    digest = base_of(realm, 2).digest
    assert (
        f"the adapters belong to the hero's pretrained weights ({digest}); {other} has blake3:"
        in why(files).message
    )


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"lora": a_lora(rank=8)}, "lora of rank 8, alpha 8, on all-linear"),
        ({"lora": a_lora(alpha=4.0)}, "lora of rank 4, alpha 4, on all-linear"),
        ({"lora": a_lora(target_modules=("q_proj",))}, "lora of rank 4, alpha 8, on q_proj"),
        ({"method": "full", "lora": None}, "full weights"),
    ],
)
def test_adapters_of_another_shape_are_refused_along_a_lineage(
    realm: Realm, changes: dict[str, Any], found: str
) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2), config_of("lora")).request)
    files = realm.run(orders(realm.quest()), config_of("lora", **changes), resume_step=2)
    assert run(files.request) == 1
    assert (
        "checkpoint-2: training.method is 'lora of rank 4, alpha 8, on all-linear'; "
        f"the run asks for '{found}'. It is locked along a lineage" in why(files).message
    )


def test_another_share_of_dropout_goes_on(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2), config_of("lora")).request)
    less = realm.run(orders(realm.quest()), config_of("lora", lora=a_lora(dropout=0.0)), resume_step=2)
    assert run(less.request) == 0


def test_a_campaign_puts_fresh_adapters_on_the_checkpoint_that_it_begins_with(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=3)).request)
    taken_over(realm, 3)
    begins = realm.run(orders(realm.quest()), config_of("lora"), resume_step=3, optimizer_state="fresh")
    assert run(begins.request) == 0, why(begins).message
    goes_on = realm.run(orders(realm.quest("q2", word="other")), config_of("lora"), resume_step=8)
    assert run(goes_on.request) == 0, why(goes_on).message
    base = base_of(realm, max(saved_steps(realm)))
    assert (base.kind, base.step, base.digest) == ("checkpoint", 3, manifest(realm, 3).digest)

    aside = realm.campaign.segments / "1" / "checkpoint-8"  # as a rollback moves it
    shutil.copytree(realm.campaign.checkpoint(8), aside)
    assert load_checkpoint(aside)[0].peft_config

    weights = realm.campaign.checkpoint(3) / "model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    damaged = realm.run(orders(realm.quest()), config_of("lora"), resume_step=8)
    assert run(damaged.request) == 1
    assert "checkpoint-3/model.safetensors: damaged" in why(damaged).message


@pytest.mark.parametrize("case", ["lora", "qlora"])
def test_a_full_campaign_that_begins_with_adapters_merges_them(realm: Realm, case: str) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=3), config_of(case)).request)
    adapted, _ = load_checkpoint(realm.campaign.checkpoint(3))
    taken_over(realm, 3)
    full = realm.run(
        orders(realm.quest("q2", word="other"), goal_updates=4),
        a_config(training=a_training(learning_rate=1e-9)),
        resume_step=3,
        optimizer_state="fresh",
    )
    assert run(full.request) == 0, why(full).message
    merged, _ = load_checkpoint(realm.campaign.checkpoint(4))
    ids = torch.arange(12)[None]
    with torch.no_grad():
        before, after = (model.eval()(input_ids=ids).logits for model in (adapted, merged))
    assert (before - after).abs().max() < 1e-5
    assert manifest(realm, 4).adapter_base is None
    assert all(p.dtype == torch.float32 for p in merged.parameters())


def test_adapters_are_not_put_on_adapters_of_another_shape_at_a_start(realm: Realm) -> None:
    run(realm.run(orders(realm.quest(), goal_updates=2), config_of("lora")).request)
    taken_over(realm, 2)
    wider = config_of("lora", lora=a_lora(rank=8))
    files = realm.run(orders(realm.quest()), wider, resume_step=2, optimizer_state="fresh")
    assert run(files.request) == 1
    assert "the run asks for 'lora of rank 8" in why(files).message


def test_an_unknown_target_is_named_with_those_that_there_are(realm: Realm) -> None:
    files = realm.run(orders(realm.quest()), config_of("lora", lora=a_lora(target_modules=("q_prj",))))
    assert (run(files.request), why(files).failure_class) == (1, "settings")
    assert (
        "lora.target_modules: 'q_prj' is no linear layer of Qwen3ForCausalLM's body; known: down_proj, "
        "gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj" in why(files).message
    )


@pytest.mark.parametrize("architecture", sorted(LINEAR_LAYERS))
def test_the_layers_that_validate_knows_of_an_architecture_are_those_of_its_models(architecture: str) -> None:
    model_class = getattr(transformers, architecture)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}
    config = model_class.config_class(
        **sizes, intermediate_size=32, vocab_size=320, head_dim=8, pad_token_id=0
    )
    with torch.device("meta"):
        names = linear_layers(model_class(config))
    assert {name.rpartition(".")[2] for name in names} == {*LINEAR_LAYERS[architecture]}


@pytest.mark.parametrize(("method", "library"), [("lora", "peft"), ("qlora", "bitsandbytes")])
def test_a_missing_library_is_named_with_the_extra_that_brings_it(
    realm: Realm, monkeypatch: pytest.MonkeyPatch, method: str, library: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)
    files = realm.run(orders(realm.quest()), a_config(training=adapter_training(method)))
    assert run(files.request) == 1
    assert f"method {method} needs {library}, which cannot be imported here" in why(files).message
    assert f"pip install 'realm-reconciler[{method}]', or set method: full" in why(files).message


def test_what_is_in_use_says_the_method_and_the_number_of_trained_weights(realm: Realm) -> None:
    from state.contract.effective import EffectiveRun, reported_otherwise

    config = config_of("lora")
    files = realm.run(orders(realm.quest(), goal_updates=1), config)
    run(files.request)
    found = read(files.effective, EffectiveRun)
    assert found.config.training.method == "lora"
    assert found.config.training.lora.target_modules[0] == "down_proj"
    assert found.num_parameters == 2 * 4 * sum(
        (32 + 32, 32 + 16, 32 + 16, 32 + 32, 32 + 64, 32 + 64, 64 + 32)
    )
    assert [one.key for one in reported_otherwise(config, found) if not one.is_resolved] == []


def test_answers_come_from_the_adapters_and_need_the_base_by_name(
    realm: Realm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = pretrained(tmp_path / "base")
    config = on_pretrained(base, adapter_training())
    run(realm.run(orders(realm.quest(), goal_updates=2), config, model_dir=str(base)).request)
    command = ["answer", "--checkpoint", str(realm.campaign.checkpoint(2)), "--prompt", "row 1?"]
    capsys.readouterr()
    assert main([*command, "--max-new-tokens", "2"]) == 1
    assert "adapters of org/base; say where its weights are: --base DIR" in capsys.readouterr().err
    assert main([*command, "--max-new-tokens", "2", "--base", str(base)]) == 0
    other = pretrained(tmp_path / "other", seed=6)
    assert main([*command, "--base", str(other)]) == 1
    assert "the adapters belong to the hero's pretrained weights" in capsys.readouterr().err


def test_frozen_layers_are_bf16_under_bf16_and_adapters_stay_float32(realm: Realm) -> None:
    files = realm.run(orders(realm.quest(), goal_updates=2), config_of("lora", precision="bf16"))
    assert run(files.request) == 0
    saved = load_file(realm.campaign.checkpoint(2) / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}


def test_frozen_layers_in_bf16_change_no_product_of_autocast() -> None:
    def made() -> Any:
        model = new_model(a_model(), seed=1, special_ids={})
        put_adapters(model, "lora", a_lora(dropout=0.0), "bf16", seed=0, base_name=None)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.data.fill_(0.01)
        return model

    whole, half = made(), keep_frozen_in(made(), "bf16")
    assert half.model.layers[0].mlp.up_proj.base_layer.weight.dtype == torch.bfloat16
    found = []
    for model in (whole, half):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(input_ids=torch.arange(24)[None], use_cache=False).logits.float().square().mean()
        loss.backward()
        found.append((loss, [p.grad for p in model.parameters() if p.requires_grad]))
    (loss, gradients), (other_loss, other_gradients) = found
    assert torch.equal(loss, other_loss)
    assert all(torch.equal(one, other) for one, other in zip(gradients, other_gradients, strict=True))


def test_the_first_values_of_adapters_depend_on_the_seed_alone() -> None:
    def first(seed: int) -> Any:
        model = new_model(a_model(), seed=1, special_ids={})
        torch.rand(seed + 3)
        put_adapters(model, "lora", a_lora(), "fp32", seed=seed, base_name=None)
        return next(p for name, p in model.named_parameters() if "lora_A" in name)

    assert torch.equal(first(3), first(3))
    assert not torch.equal(first(3), first(4))


def layers_bytes(model: Any) -> int:
    """Return what the weights of the body's linear layers take, with all that restores them."""
    total = 0
    for layer in linear_layers(model).values():
        state = getattr(layer.weight, "quant_state", None)
        tensors = [layer.weight] if state is None else [layer.weight, *map(torch.as_tensor, scales_of(state))]
        total += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return total


def scales_of(state: Any) -> list[Any]:
    return [state.absmax, state.state2.absmax, state.offset]


def test_the_body_in_4_bits_takes_under_a_seventh_of_its_memory_and_is_the_same_each_time() -> None:
    pytest.importorskip("bitsandbytes", reason="needs the qlora extra")
    sizes = {**TINY, "hidden_size": 128, "intermediate_size": 384, "head_dim": 64}
    models = [new_model(a_model(config=sizes), seed=1, special_ids={}) for _ in range(3)]
    plain, one, other = models
    for model in (one, other):
        quantise_body(model, "fp32")
    weights = sum(layer.weight.numel() for layer in linear_layers(plain).values())
    assert layers_bytes(plain) == 4 * weights
    assert layers_bytes(one) < 4 * weights / 7
    pairs = zip(linear_layers(one).values(), linear_layers(other).values(), strict=True)
    assert all(torch.equal(mine.weight, its.weight) for mine, its in pairs)


def test_a_measurement_does_not_change_how_4_bit_layers_learn() -> None:
    """bitsandbytes would repack them while measuring where the CPU has bf16 instructions; then no gradient."""
    pytest.importorskip("bitsandbytes", reason="needs the qlora extra")
    model = new_model(a_model(), seed=1, special_ids={})
    quantise_body(model, "bf16")
    layer = next(iter(linear_layers(model).values()))
    before = layer.weight.clone()
    assert layer.support_avx512bf16_for_cpu is False
    with torch.no_grad():
        layer.eval()(torch.ones(2, layer.in_features, dtype=torch.bfloat16))
    assert torch.equal(layer.weight, before)
    inputs = torch.ones(2, layer.in_features, requires_grad=True)
    layer.train()(inputs).sum().backward()
    assert float(inputs.grad.abs().sum()) > 0
