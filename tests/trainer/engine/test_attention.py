"""The way to the kernel for rows of many lengths; the kernel itself needs a device, so another stands for it."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

import torch.nn.attention.varlen as torch_varlen
from builders import a_model

from trainer.engine import attention
from trainer.engine.attention import Documents, use_documents
from trainer.engine.model import new_model

LENGTHS = (5, 3)


def kernel(seen: list[Any], *, knows_groups: bool) -> Any:
    """Return a function of the kernel's signature in torch 2.12, or in 2.11, that does its work row by row."""

    def of_2_12(q, k, v, bounds, _, longest, __, *, scale=None, window_size=(-1, -1), enable_gqa=False):
        assert window_size == (-1, 0)
        assert (longest, bounds.tolist()) == (5, [0, 5, 8])
        seen.append((q.dtype, k.dtype, v.dtype, k.shape[1]))
        rows = []
        for start, stop in zip(bounds.tolist(), bounds.tolist()[1:], strict=False):
            part = [tensor[start:stop].transpose(0, 1)[None].float() for tensor in (q, k, v)]
            rows.append(
                torch.nn.functional.scaled_dot_product_attention(
                    *part, is_causal=True, scale=scale, enable_gqa=enable_gqa
                )[0].transpose(0, 1)
            )
        return torch.cat(rows).to(q.dtype)

    def of_2_11(q, k, v, bounds, same, longest, also, *, scale=None, window_size=(-1, -1)):
        return of_2_12(q, k, v, bounds, same, longest, also, scale=scale, window_size=window_size)

    return of_2_12 if knows_groups else of_2_11


def hidden_states() -> Any:
    model = new_model(a_model(), seed=0, special_ids={})
    use_documents(model)
    documents = Documents(LENGTHS, torch.tensor([0, 5, 8], dtype=torch.int32))
    ids, positions = torch.arange(8)[None], torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2]])
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        return model.base_model(
            ids, position_ids=positions, use_cache=False, documents=documents
        ).last_hidden_state


@pytest.mark.parametrize(("version", "heads_of_keys"), [("2.12", 1), ("2.11", 2)])
def test_under_autocast_the_kernel_gets_bf16_though_norms_make_queries_float32(
    monkeypatch: pytest.MonkeyPatch, version: str, heads_of_keys: int
) -> None:
    wanted, seen = hidden_states(), []
    monkeypatch.setattr(torch_varlen, "varlen_attn", kernel(seen, knows_groups=version == "2.12"))
    monkeypatch.setattr(attention, "uses_rows", lambda _: False)
    attention._varlen_settings.cache_clear()
    try:
        found = hidden_states()
    finally:
        attention._varlen_settings.cache_clear()
    assert seen == [(torch.bfloat16, torch.bfloat16, torch.bfloat16, heads_of_keys)] * 2
    torch.testing.assert_close(found, wanted, rtol=0.05, atol=0.05)


def test_without_autocast_float32_goes_through_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "uses_rows", lambda _: False)
    monkeypatch.setattr(attention, "_varlen", lambda *_: pytest.fail("no kernel for float32"))
    model = new_model(a_model(), seed=0, special_ids={})
    use_documents(model)
    documents = Documents(LENGTHS, torch.tensor([0, 5, 8], dtype=torch.int32))
    found = model.base_model(torch.arange(8)[None], use_cache=False, documents=documents)
    assert found.last_hidden_state.dtype == torch.float32


def test_torchs_flex_attention_would_learn_nothing_on_a_cpu() -> None:
    """Why documents go by the kernels above instead."""
    from torch.nn.attention.flex_attention import flex_attention

    query, key, value = (torch.randn(1, 2, 128, 16, requires_grad=True) for _ in range(3))
    with pytest.raises(NotImplementedError, match="does not support backward on CPU"):
        flex_attention(query, key, value)
