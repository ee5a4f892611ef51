"""Documents attend in rows of their own as by `scaled_dot_product_attention` one by one, to the bit."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from trainer.engine import attention
from trainer.engine.attention import Documents, document_attention
from trainer.engine.rows import has_kernel

LENGTHS = (7, 7, 5, 3, 3, 3, 1)
BOUNDS = torch.tensor([0, 7, 14, 19, 22, 25, 28, 29], dtype=torch.int32)


def attended(dtype: Any, *, changed: int | None = None) -> list[Any]:
    """Return what tokens take, and the gradients of queries, keys and values; of 4 heads, 2 of keys."""
    generator = torch.Generator().manual_seed(2)
    tensors = [torch.randn(1, heads, 29, 8, generator=generator, dtype=dtype) for heads in (4, 2, 2)]
    if changed is not None:
        for tensor in tensors:
            tensor[:, :, changed] += 1
    given = [tensor.requires_grad_() for tensor in tensors]
    taken, _ = document_attention(None, *given, None, documents=Documents(LENGTHS, BOUNDS), scaling=0.3)
    taken.backward(torch.randn(taken.shape, generator=generator, dtype=dtype))
    return [taken.detach(), *(tensor.grad for tensor in given)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_outputs_and_gradients_are_those_of_each_document_alone_to_the_bit(
    monkeypatch: pytest.MonkeyPatch, dtype: Any
) -> None:
    if not has_kernel():
        pytest.skip("this torch has not the kernel that documents go through in rows")
    found = attended(dtype)
    monkeypatch.setattr(attention, "has_kernel", lambda: False)
    assert all(torch.equal(a, b) for a, b in zip(found, attended(dtype), strict=True))


def test_a_changed_token_changes_its_own_document_alone() -> None:
    before, after = attended(torch.float32)[0][0], attended(torch.float32, changed=15)[0][0]
    changed = (before != after).flatten(1).any(1).nonzero().flatten().tolist()
    assert changed == [15, 16, 17, 18]


def test_the_installed_torch_has_the_kernel() -> None:
    """Where it is gone, or takes other settings, documents go one by one: right, and a little slower."""
    if not torch.__version__.startswith("2.13"):
        pytest.skip("known of torch 2.13 alone")
    assert has_kernel()
