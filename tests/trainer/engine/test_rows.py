"""Documents attend in rows of their own as by `scaled_dot_product_attention` one by one, to the bit."""

from itertools import accumulate
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from trainer.engine import attention
from trainer.engine.attention import Documents, document_attention
from trainer.engine.rows import has_kernel

LENGTHS = (7, 7, 5, 3, 3, 3, 1)
HEAD_WIDTH = 8


def attended(
    dtype: Any, *, changed: int | None = None, lengths: tuple[int, ...] = LENGTHS, rounded: Any = None
) -> list[Any]:
    """Return what tokens take, and the gradients of queries, keys and values; of 4 heads, 2 of keys.

    `rounded`: a type that everything given is rounded to before.
    """
    generator, total = torch.Generator().manual_seed(2), sum(lengths)
    bounds = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32)

    def drawn(*shape: int) -> Any:
        return torch.randn(*shape, generator=generator, dtype=dtype).to(rounded or dtype).to(dtype)

    tensors = [drawn(1, heads, total, HEAD_WIDTH) for heads in (4, 2, 2)]
    if changed is not None:
        for tensor in tensors:
            tensor[:, :, changed] += 1
    given = [tensor.requires_grad_() for tensor in tensors]
    taken, _ = document_attention(None, *given, None, documents=Documents(lengths, bounds), scaling=0.3)
    taken.backward(drawn(*taken.shape))
    return [taken.detach(), *(tensor.grad for tensor in given)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_outputs_and_gradients_are_those_of_each_document_alone_to_the_bit(
    monkeypatch: pytest.MonkeyPatch, dtype: Any
) -> None:
    if not has_kernel():
        pytest.skip("this torch has not the kernel that documents go through in rows")
    found = attended(dtype)
    monkeypatch.setattr(attention, "has_kernel", lambda: False)
    assert all(torch.equal(a, b) for a, b in zip(found, attended(dtype), strict=True))


def test_under_bf16_short_documents_go_by_matrices_and_longer_ones_by_the_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}

    def noting(name: str, real: Any) -> Any:
        return lambda *given: seen.update({name: given[3]}) or real(*given)

    for name in ("attention_in_rows", "matrix_attention"):
        monkeypatch.setattr(attention, name, noting(name, getattr(attention, name)))
    attended(torch.bfloat16, lengths=(300, 257, 256, 7, 7))
    assert seen == {"attention_in_rows": [(1, 300), (1, 257)], "matrix_attention": [256, 7, 7]}
    seen.clear()
    attended(torch.float32, lengths=(300, 256, 7))
    assert seen == {"attention_in_rows": [(1, 300), (1, 256), (1, 7)]}


def test_a_changed_token_changes_its_own_document_alone() -> None:
    before, after = attended(torch.float32)[0][0], attended(torch.float32, changed=15)[0][0]
    changed = (before != after).flatten(1).any(1).nonzero().flatten().tolist()
    assert changed == [15, 16, 17, 18]


def test_the_installed_torch_has_the_kernel() -> None:
    """Where it is gone, or takes other settings, documents go one by one: right, and a little slower."""
    if not torch.__version__.startswith("2.13"):
        pytest.skip("known of torch 2.13 alone")
    assert has_kernel()
