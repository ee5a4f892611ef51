"""bf16 is for products alone: weights and moments stay float32. Each trap beside the step that falls into it."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from adapters import pretrained
from builders import a_model, a_training
from transformers import AutoModelForCausalLM

from trainer.engine.model import new_model, pretrained_model
from trainer.engine.muon import ShapedMuon
from trainer.engine.optimizer import build_optimizers

RATE = 1e-5
BASE = a_model(init="pretrained", base_model="org/base", config={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model whose file is in bf16."""
    made = pretrained(tmp_path / "base")
    AutoModelForCausalLM.from_pretrained(made).to(torch.bfloat16).save_pretrained(made)
    return made


def share_unchanged(model: Any) -> float:
    """Return the share of the matrices' weights that one AdamW step at a low rate leaves as they were."""
    optimizers = build_optimizers(model, a_training(learning_rate=RATE, weight_decay=0.0))
    torch.manual_seed(0)
    before = [p.detach().clone() for p in model.parameters()]
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    for optimizer in optimizers.values():
        optimizer.step()
    pairs = [(old, new) for old, new in zip(before, model.parameters(), strict=True) if old.ndim > 1]
    same = sum(int((old == new).sum()) for old, new in pairs)
    return same / sum(old.numel() for old, _ in pairs)


def test_weights_of_a_bf16_file_are_trained_in_float32(folder: Path) -> None:
    model = pretrained_model(BASE, folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert share_unchanged(model) < 0.02


def test_what_the_library_loads_by_itself_would_lose_most_updates(folder: Path) -> None:
    """The negative control: `from_pretrained` keeps bf16, and a step at 1e-5 is rounded away."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert share_unchanged(model) > 0.8


def momentum_after(make: Any, dtype: Any, **settings: Any) -> Any:
    """Return Muon's momentum after twenty gradients, and the average that it should be."""
    weight = torch.nn.Parameter(torch.zeros(8, 8, dtype=dtype))
    optimizer = make([weight], lr=1e-3, momentum=0.95, weight_decay=0.0, **settings)
    average = torch.zeros(8, 8)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        gradient = torch.randn(8, 8, generator=generator) * 1e-2
        weight.grad = gradient.to(dtype)
        average = average.lerp(gradient, 0.05)
        optimizer.step()
    return optimizer.state[weight]["momentum_buffer"].float(), average


@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16])
def test_the_momentum_of_muon_is_the_average_of_the_gradients(products: Any) -> None:
    found, average = momentum_after(ShapedMuon, torch.float32, product_dtype=products)
    assert torch.equal(found, average)


def test_torchs_muon_corrupts_momentum_in_bf16_without_nesterov() -> None:
    """The negative control: there the orthogonalisation works on the momentum itself, in place."""
    found, average = momentum_after(torch.optim.Muon, torch.bfloat16, nesterov=False)
    assert found.norm() > 10 * average.norm()
    kept, average = momentum_after(torch.optim.Muon, torch.float32, nesterov=False)
    assert torch.equal(kept, average)


@pytest.mark.parametrize(
    ("dtype", "settings", "message"),
    [
        (torch.bfloat16, {}, r"Muon needs float32 weights; one of \(2, 2\) is torch.bfloat16"),
        (torch.float32, {"nesterov": False}, r"Muon is built with Nesterov momentum"),
    ],
)
def test_muon_refuses_what_would_corrupt_its_momentum(dtype: Any, settings: Any, message: str) -> None:
    weight = torch.nn.Parameter(torch.zeros(2, 2, dtype=dtype))
    with pytest.raises(ValueError, match=message):
        ShapedMuon([weight], product_dtype=torch.float32, **settings)


def test_what_is_not_a_matrix_goes_to_adamw_because_muon_takes_none() -> None:
    model = new_model(a_model(), seed=0, special_ids={})
    held = build_optimizers(model, a_training(optimizer="muon"))["muon"].param_groups[0]["params"]
    assert {p.ndim for p in held} == {2}
    with pytest.raises(ValueError, match="only supports 2D parameters"):
        torch.optim.Muon([torch.nn.Parameter(torch.zeros(3))])
