"""Products in blocks: the same result, and sizes that repeat whatever the number of tokens."""

from array import array
from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

import transformers
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens, pack
from trainer.data.tensors import to_tensors
from trainer.engine.attention import use_documents
from trainer.engine.products import BLOCK_TOKENS, STEPS, add_product, product, products
from trainer.engine.step import accumulate_gradients

WIDTH, OUTPUTS = 16, (24, 8)
SMALLEST = min(STEPS.values())
SIZES = (1, SMALLEST, SMALLEST + 1, 257, BLOCK_TOKENS, BLOCK_TOKENS + 5, 2 * BLOCK_TOKENS + SMALLEST)


def signs(*shape: int, seed: int) -> Any:
    """Return -1, 0 and 1 at random: of them bfloat16 makes no error, in sums of up to 256."""
    return torch.randint(-1, 2, shape, generator=torch.Generator().manual_seed(seed)).float()


def linears(**settings: Any) -> list[nn.Linear]:
    made = [nn.Linear(WIDTH, width, **{"bias": False, **settings}) for width in OUTPUTS]
    for number, one in enumerate(made):
        one.weight.data = signs(*one.weight.shape, seed=number)
    return made


def learnt(size: int, modules: list[nn.Linear], *, in_blocks: bool) -> list[Any]:
    """Return outputs and gradients: in blocks under autocast, or in float64 by the modules themselves."""
    dtype = torch.float32 if in_blocks else torch.float64
    tokens = signs(1, size, WIDTH, seed=7).to(dtype).requires_grad_()
    for module in modules:
        module.to(dtype).zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=in_blocks):
        found = products(tokens, modules)
    d_out = [signs(*one.shape, seed=8).to(one.dtype) for one in found]
    torch.autograd.backward(found, d_out)
    made = [*found, tokens.grad, *(module.weight.grad for module in modules)]
    return [None if one is None else one.detach().clone() for one in made]


@pytest.mark.parametrize("size", SIZES)
def test_outputs_and_gradients_are_those_of_the_modules(size: int) -> None:
    modules = linears()
    found, wanted = learnt(size, modules, in_blocks=True), learnt(size, modules, in_blocks=False)
    assert [one.dtype for one in found[: len(OUTPUTS)]] == [torch.bfloat16] * len(OUTPUTS)
    assert all(torch.equal(a.double(), b) for a, b in zip(found, wanted, strict=True))


def test_outputs_in_another_order_teach_each_row_of_a_matrix_what_it_made() -> None:
    modules, order = linears(), torch.arange(OUTPUTS[0]).flip(0)
    tokens = signs(1, 70, WIDTH, seed=7)
    d_out = signs(1, 70, sum(OUTPUTS), seed=8).split(OUTPUTS, dim=-1)
    learnt_by_order = {}
    for name, orders in (("as they are", ()), ("turned round", [order])):
        for module in modules:
            module.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            first, second = products(tokens, modules, orders)
        first = first[..., order] if orders else first
        torch.autograd.backward([first, second], [one.to(first.dtype) for one in d_out])
        learnt_by_order[name] = [first, second, *(module.weight.grad for module in modules)]
    assert all(torch.equal(a, b) for a, b in zip(*learnt_by_order.values(), strict=True))


def test_a_frozen_weight_gets_no_gradient_and_passes_it_on() -> None:
    modules = linears()
    modules[0].requires_grad_(False)
    *_, d_tokens, none, some = learnt(40, modules, in_blocks=True)
    *_, wanted, _, wanted_some = learnt(40, modules, in_blocks=False)
    assert none is None
    assert torch.equal(d_tokens.double(), wanted)
    assert torch.equal(some.double(), wanted_some)


@pytest.mark.parametrize(("is_frozen", "kept"), [(True, 0), (False, 1)])
def test_tokens_are_kept_for_weights_that_learn_alone(is_frozen: bool, kept: int) -> None:
    modules, seen = linears(), []
    for module in modules:
        module.requires_grad_(not is_frozen)
    tokens = signs(40, WIDTH, seed=7).requires_grad_()
    keep = torch.autograd.graph.saved_tensors_hooks(lambda one: seen.append(one) or one, lambda one: one)
    with torch.autocast("cpu", dtype=torch.bfloat16), keep:
        found = products(tokens, modules)
    assert sum(len(one) >= len(tokens) for one in seen) == kept
    torch.autograd.backward(found, [torch.ones_like(one) for one in found])
    assert torch.equal(tokens.grad, sum(one.weight.sum(0) for one in modules).expand(40, WIDTH))


@pytest.mark.parametrize("size", SIZES)
def test_without_a_gradient_the_product_is_the_same(size: int) -> None:
    left, right, matrix = signs(size, 8, seed=1), signs(size, 5, seed=2), signs(8, 6, seed=3)
    halves = [one.bfloat16() for one in (left, right, matrix)]
    assert torch.equal(product(halves[0], halves[2]).float(), left @ matrix)
    found = torch.ones(8, 5)
    add_product(found, halves[0], halves[1])
    assert torch.equal(found, left.t() @ right + 1)


class Sizes(TorchDispatchMode):
    """Notes how many bytes each operation's result has."""

    def __enter__(self) -> "Sizes":
        self.found: list[int] = []
        return super().__enter__()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and func is not torch.ops.aten.add_.Tensor:
            self.found.append(out.nbytes)
        return out


def test_a_sum_needs_no_second_float32_matrix_beside_it() -> None:
    """Of a large vocabulary's head that would be half a gigabyte."""
    total, left, right = torch.zeros(400, 300), torch.ones(20, 400).bfloat16(), torch.ones(20, 300).bfloat16()
    with Sizes() as sizes:
        add_product(total, left, right)
    assert max(sizes.found) == total.nbytes // 2


class Rows(TorchDispatchMode):
    """Notes how many tokens each product in bfloat16 has."""

    def __enter__(self) -> "Rows":
        self.found: set[int] = set()
        return super().__enter__()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.mm.default, torch.ops.aten.mm.out) and args[0].dtype == torch.bfloat16:
            is_by_weight = args[0].stride(0) == 1  # a transposed left side: summed over tokens
            self.found.add(args[0].shape[1 if is_by_weight else 0])
        return func(*args, **(kwargs or {}))


def updates(num_updates: int) -> Iterator[list[Document]]:
    generator = torch.Generator().manual_seed(4)
    for _ in range(num_updates):
        lengths = torch.randint(2, 60, (8,), generator=generator).tolist()
        yield [
            Document(row=row, ids=array("i", range(length)), spans=((length // 2, length),))
            for row, length in enumerate(lengths)
        ]


def rows_of_updates(*, has_shortcuts: bool) -> set[int]:
    """Return the sizes of all products of twelve updates, whose flat rows have as many lengths."""
    model_class = transformers.Qwen3ForCausalLM
    config = model_class.config_class(
        vocab_size=97, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        intermediate_size=48,
    )  # fmt: skip
    model = model_class(config).train()
    use_documents(model)
    if not has_shortcuts:
        for module in model.modules():
            module.__dict__.pop("forward", None)
    with Rows() as rows:
        for documents in updates(12):
            batches = [to_tensors(one, "cpu") for one in pack(documents, 10_000)]
            accumulate_gradients(model, batches, num_trained_tokens(documents), "bf16")
    return rows.found


def test_updates_of_ever_other_lengths_have_products_of_a_few_sizes() -> None:
    found = rows_of_updates(has_shortcuts=True)
    assert all(size % SMALLEST == 0 for size in found), found
    assert len(found) < 12


def test_the_models_own_modules_have_another_size_with_each_update() -> None:
    """The negative control."""
    assert len([size for size in rows_of_updates(has_shortcuts=False) if size % SMALLEST]) >= 12


@pytest.mark.parametrize(
    ("settings", "autocasts"), [({"bias": True}, True), ({}, False)], ids=["with a bias", "in float32"]
)
def test_what_blocks_are_not_for_is_left_to_the_module(settings: dict[str, Any], autocasts: bool) -> None:
    tokens, modules = torch.randn(1, 40, WIDTH), linears(**settings)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocasts):
        for found, module in zip(products(tokens, modules), modules, strict=True):
            assert torch.equal(found, module(tokens))
            assert "Products" not in str(found.grad_fn)
