"""Attention by products of matrices: what float64 says within bfloat16's rounding, document by document."""

from itertools import accumulate
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from torch.nn.functional import scaled_dot_product_attention
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.engine.matrix_attention import MAX_TOGETHER, STEP_TOKENS, matrix_attention

LENGTHS = (70, 64, 40, 33, 32, 5, 1)
HEADS, KEY_HEADS, WIDTH, SCALE = 4, 2, 16, 0.3


def given(lengths: tuple[int, ...] = LENGTHS, *, changed: int | None = None) -> list[Any]:
    """Return queries, keys, values (T, heads, W), and the gradient of what is taken, of bfloat16's numbers."""
    generator = torch.Generator().manual_seed(2)
    shapes = [(sum(lengths), heads, WIDTH) for heads in (HEADS, KEY_HEADS, KEY_HEADS, HEADS)]
    tensors = [torch.randn(shape, generator=generator).bfloat16().float() for shape in shapes]
    if changed is not None:
        for tensor in tensors[:3]:
            tensor[changed] += 1
    return tensors


def by_matrices(tensors: list[Any], lengths: tuple[int, ...] = LENGTHS) -> list[Any]:
    """Return what the tokens take, and the gradients of queries, keys and values."""
    *inputs, d_taken = (tensor.clone() for tensor in tensors)
    taken = matrix_attention(*(tensor.requires_grad_() for tensor in inputs), lengths, SCALE)
    taken.backward(d_taken.bfloat16())
    return [taken.detach(), *(tensor.grad for tensor in inputs)]


def one_by_one(tensors: list[Any], dtype: Any) -> list[Any]:
    """Return the same by torch's kernel, each document alone."""
    *inputs, d_taken = (tensor.to(dtype) for tensor in tensors)
    rows = [tensor.requires_grad_().transpose(0, 1)[None] for tensor in inputs]
    parts = zip(*(row.split(LENGTHS, dim=2) for row in rows), strict=True)
    found = [
        scaled_dot_product_attention(*part, is_causal=True, scale=SCALE, enable_gqa=True) for part in parts
    ]
    taken = torch.cat(found, dim=2)[0].transpose(0, 1)
    taken.backward(d_taken)
    return [taken.detach(), *(tensor.grad for tensor in inputs)]


def apart(found: list[Any], wanted: list[Any]) -> list[float]:
    """Return the largest distance of each pair, of the largest value."""
    return [
        float((a.double() - b.double()).abs().max() / b.double().abs().max())
        for a, b in zip(found, wanted, strict=True)
    ]


def test_outputs_and_gradients_are_right_within_the_rounding_of_the_kernel_in_the_same_type() -> None:
    exact = one_by_one(given(), torch.float64)
    own, kernel = apart(by_matrices(given()), exact), apart(one_by_one(given(), torch.bfloat16), exact)
    assert max(own) < 1.5 * max(kernel) < 0.02


def test_without_its_scale_it_would_be_seen() -> None:
    """The negative control of the bound above."""
    tensors = given()
    exact = one_by_one(tensors, torch.float64)
    tensors[0] *= 1.05
    assert max(apart(by_matrices(tensors), exact)) > 0.03


def test_a_changed_token_changes_what_follows_it_in_its_own_document_alone() -> None:
    changed_at = LENGTHS[0] + 10
    before, after = by_matrices(given()), by_matrices(given(changed=changed_at))
    changed = (before[0] != after[0]).flatten(1).any(1).nonzero().flatten().tolist()
    assert changed == list(range(changed_at, LENGTHS[0] + LENGTHS[1]))
    ends = list(accumulate(LENGTHS))
    for one, other in zip(before[1:], after[1:], strict=True):
        differs = (one != other).flatten(1).any(1)
        assert not differs[: ends[0]].any()
        assert not differs[ends[1] :].any()


def test_what_fills_a_row_up_is_learnt_from_by_nobody() -> None:
    """A document alone, and behind others in rows that are filled up: the same to the bit."""
    alone = (LENGTHS[-2],)
    start = sum(LENGTHS[:-2])
    everything = given()
    found = by_matrices(everything)
    single = by_matrices([tensor[start : start + alone[0]] for tensor in everything], alone)
    assert all(torch.equal(a[start : start + alone[0]], b) for a, b in zip(found, single, strict=True))


class Shapes(TorchDispatchMode):
    """Notes the shapes of all products."""

    def __enter__(self) -> "Shapes":
        self.found: set[tuple[int, ...]] = set()
        return super().__enter__()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if "bmm" in str(func):
            self.found |= {tuple(one.shape[1:]) for one in args if isinstance(one, torch.Tensor)}
        return func(*args, **(kwargs or {}))


def test_documents_of_ever_other_lengths_have_products_of_a_few_sizes() -> None:
    with Shapes() as shapes:
        for length in range(1, 3 * STEP_TOKENS + 1):
            by_matrices(given((length,)), (length,))
    sizes = {size for shape in shapes.found for size in shape} - {WIDTH}
    assert sizes == {STEP_TOKENS * times for times in (1, 2, 3, 4, 6)}


def test_many_documents_go_a_few_at_a_time_and_learn_the_same() -> None:
    lengths = (9,) * (MAX_TOGETHER + 3)
    everything = given(lengths)
    found = by_matrices(everything, lengths)
    last = slice(9 * (len(lengths) - 1), None)
    single = by_matrices([tensor[last] for tensor in everything], lengths[-1:])
    assert all(torch.equal(a[last], b) for a, b in zip(found, single, strict=True))
