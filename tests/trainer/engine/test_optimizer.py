"""Which parameter is updated how, and that our Muon is torch's."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import a_model, a_training

from trainer.engine.model import new_model
from trainer.engine.muon import ShapedMuon, orthogonal
from trainer.engine.optimizer import build_optimizers, set_learning_rate, split_parameters

SHAPES = ((16, 16), (48, 16), (16, 48), (48, 16))
SETTINGS = {"lr": 1e-2, "weight_decay": 0.1, "momentum": 0.95, "adjust_lr_fn": "match_rms_adamw"}
COEFFICIENTS = (3.4445, -4.775, 2.0315)


@pytest.fixture
def model():
    return new_model(a_model(), seed=0, special_ids={})


def test_only_the_matrices_of_the_body_are_matrices(model) -> None:
    matrices, others = split_parameters(model)
    assert all(name.endswith("_proj.weight") for name, _ in matrices)
    assert {"model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"} <= {
        name for name, _ in others
    }


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_every_parameter_is_updated_by_exactly_one_optimizer(model, kind: str) -> None:
    optimizers = build_optimizers(model, a_training(optimizer=kind))
    held = [
        id(p)
        for optimizer in optimizers.values()
        for group in optimizer.param_groups
        for p in group["params"]
    ]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_norms_and_embeddings_do_not_decay(model) -> None:
    (optimizer,) = build_optimizers(model, a_training(weight_decay=0.1)).values()
    decay = {name: group["weight_decay"] for group in optimizer.param_groups for name in group["param_names"]}
    assert decay["model.embed_tokens.weight"] == decay["model.norm.weight"] == decay["lm_head.weight"] == 0
    assert decay["model.layers.0.mlp.up_proj.weight"] == 0.1


def test_everything_decays_where_the_config_says_so(model) -> None:
    for kind in ("adamw", "muon"):
        training = a_training(optimizer=kind, weight_decay=0.1, weight_decay_on="all")
        optimizers = build_optimizers(model, training).values()
        assert {group["weight_decay"] for one in optimizers for group in one.param_groups} == {0.1}


def test_muon_may_have_a_rate_of_its_own(model) -> None:
    training = a_training(optimizer="muon", learning_rate=0.002, muon_learning_rate=0.01, warmup_steps=4)
    optimizers = build_optimizers(model, training)
    assert set_learning_rate(optimizers, training, update=2) == 0.001
    assert optimizers["muon"].param_groups[0]["lr"] == 0.005


def test_our_muon_is_torchs_muon_to_the_bit_in_bf16() -> None:
    ours, theirs = matrices(), matrices()
    one = ShapedMuon(ours, product_dtype=torch.bfloat16, **SETTINGS)
    other = torch.optim.Muon(theirs, **SETTINGS)
    for step in range(3):
        give_gradients(ours, step)
        give_gradients(theirs, step)
        one.step()
        other.step()
    for mine, its in zip(ours, theirs, strict=True):
        assert torch.equal(mine, its)


def test_our_muon_in_float32_is_torchs_without_its_cast_to_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is, cast_out = matrices(), matrices()
    give_gradients(as_it_is, 0)
    torch.optim.Muon(as_it_is, **SETTINGS).step()
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    give_gradients(cast_out, 0)
    torch.optim.Muon(cast_out, **SETTINGS).step()

    ours = matrices()
    give_gradients(ours, 0)
    ShapedMuon(ours, product_dtype=torch.float32, **SETTINGS).step()

    for mine, its, rounded, was in zip(ours, cast_out, as_it_is, matrices(), strict=True):
        moved = (its - was).norm()
        assert (mine - its).norm() / moved < 1e-5
        assert 1e-3 < (rounded - its).norm() / moved < 0.03


@pytest.mark.parametrize("shape", [(8, 8), (8, 24), (24, 8)])
def test_orthogonal_matrices_have_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    found = torch.linalg.svdvals(orthogonal(torch.randn(3, *shape), COEFFICIENTS, 5))
    assert found.min() > 0.3
    assert found.max() < 1.3


def matrices() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(*shape, generator=generator)) for shape in SHAPES]


def give_gradients(parameters: list[torch.nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(100 + step)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)
