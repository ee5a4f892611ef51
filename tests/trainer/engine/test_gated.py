"""The gated block as one step: what module by module makes, to the bit; nothing is kept for what is frozen."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from torch import nn
from torch.nn.functional import silu

from trainer.engine.gated import gated_block
from trainer.engine.products import products

WIDTH, INNER = 16, 40


def linears() -> list[nn.Linear]:
    torch.manual_seed(1)
    return [
        nn.Linear(columns, rows, bias=False)
        for columns, rows in ((WIDTH, INNER), (WIDTH, INNER), (INNER, WIDTH))
    ]


def learnt(size: int, modules: list[nn.Linear], *, at_once: bool) -> list[Any]:
    """Return what comes out, and the gradients of tokens and weights."""
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randn(1, size, WIDTH, generator=generator).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        if at_once:
            out = gated_block(tokens, *(module.weight for module in modules))
        else:
            gate, up = products(tokens, modules[:2])
            (out,) = products(silu(gate) * up, modules[2:])
    out.backward(torch.randn(out.shape, generator=generator).bfloat16())
    found = [out.detach(), tokens.grad, *(module.weight.grad for module in modules)]
    for module in modules:
        module.weight.grad = None
    return found


@pytest.mark.parametrize("size", [1, 64, 70, 300])
def test_it_makes_what_module_by_module_makes_to_the_bit(size: int) -> None:
    modules = linears()
    pairs = zip(learnt(size, modules, at_once=True), learnt(size, modules, at_once=False), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("frozen", [(0, 1, 2), (0, 1), (2,), (0,)])
def test_a_frozen_weight_gets_no_gradient_and_passes_it_on(frozen: tuple[int, ...]) -> None:
    modules = linears()
    wanted = learnt(70, modules, at_once=True)
    for number in frozen:
        modules[number].requires_grad_(False)
    out, d_tokens, *of_weights = learnt(70, modules, at_once=True)
    assert torch.equal(out, wanted[0])
    assert torch.equal(d_tokens, wanted[1])
    for number, (found, full) in enumerate(zip(of_weights, wanted[2:], strict=True)):
        assert found is None if number in frozen else torch.equal(found, full)


@pytest.mark.parametrize(("frozen", "kept"), [((), 2), ((0, 1), 1), ((2,), 1), ((0, 1, 2), 0)])
def test_inputs_are_kept_for_weights_that_learn_alone(frozen: tuple[int, ...], kept: int) -> None:
    modules, seen = linears(), []
    for number in frozen:
        modules[number].requires_grad_(False)
    keep = torch.autograd.graph.saved_tensors_hooks(lambda one: seen.append(one) or one, lambda one: one)
    tokens = torch.randn(64, WIDTH).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16), keep:
        gated_block(tokens, *(module.weight for module in modules))
    of_tokens = [one for one in seen if len(one) == len(tokens)]
    assert len(of_tokens) == 2 + kept  # both sides of the gate, and what it lets through
