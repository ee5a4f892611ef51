"""Queries and keys turned by their positions: as transformers does, half by half or pair by pair."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from trainer.engine.turning import pairs, turned, turned_in_pairs, turns_of_pairs

TOKENS, HEADS, WIDTH = 10, 3, 8
ORDER = pairs(HEADS, WIDTH)


def positions() -> tuple[Any, Any]:
    """Return cosines and sines, (1, T, 1, W), both halves alike."""
    angles = torch.arange(float(TOKENS))[None, :, None, None] * torch.linspace(0.1, 1, WIDTH // 2).repeat(2)
    return angles.cos(), angles.sin()


def numbers(seed: int) -> Any:
    return torch.randn(1, TOKENS, HEADS, WIDTH, generator=torch.Generator().manual_seed(seed))


def in_order(heads: Any) -> Any:
    return heads.flatten(2)[..., ORDER].view(heads.shape)


def test_halves_are_turned_as_transformers_does_to_the_bit() -> None:
    from transformers.models.qwen3.modeling_qwen3 import apply_rotary_pos_emb

    cos, sin = positions()
    theirs, own = numbers(5).requires_grad_(), numbers(5).requires_grad_()
    wanted, _ = apply_rotary_pos_emb(theirs, theirs, cos.squeeze(2), sin.squeeze(2), unsqueeze_dim=2)
    found = turned(own, cos, sin)
    assert torch.equal(found, wanted)
    wanted.backward(numbers(6))
    found.backward(numbers(6))
    assert torch.equal(own.grad, theirs.grad)


def test_pairs_are_turned_as_halves_are_but_for_their_order() -> None:
    cos, sin = positions()
    by_halves, by_pairs = numbers(5).requires_grad_(), in_order(numbers(5)).requires_grad_()
    wanted, found = turned(by_halves, cos, sin), turned_in_pairs(by_pairs, turns_of_pairs(cos, sin))
    torch.testing.assert_close(found, in_order(wanted), rtol=1e-6, atol=1e-6)
    wanted.backward(numbers(6))
    found.backward(in_order(numbers(6)))
    torch.testing.assert_close(by_pairs.grad, in_order(by_halves.grad), rtol=1e-6, atol=1e-6)


def test_pairs_that_are_not_side_by_side_would_be_seen() -> None:
    """The negative control of the test above."""
    cos, sin = positions()
    found = turned_in_pairs(numbers(5), turns_of_pairs(cos, sin))
    assert not torch.allclose(found, in_order(turned(numbers(5), cos, sin)), atol=0.1)


def test_scores_of_queries_and_keys_do_not_see_the_order() -> None:
    cos, sin = positions()
    turns = turns_of_pairs(cos, sin)
    halves = [turned(numbers(seed), cos, sin) for seed in (5, 7)]
    beside = [turned_in_pairs(in_order(numbers(seed)), turns) for seed in (5, 7)]
    wanted, found = (torch.einsum("bqhw,bkhw->bhqk", *one) for one in (halves, beside))
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_a_part_of_a_wider_matrix_is_turned_in_float32_and_learns_in_its_own_type(dtype: Any) -> None:
    wide = torch.randn(1, TOKENS, 2 * HEADS * WIDTH, dtype=dtype, requires_grad=True)
    part = wide[..., : HEADS * WIDTH].unflatten(-1, (HEADS, WIDTH))
    found = turned_in_pairs(part, turns_of_pairs(*positions()))
    assert found.dtype == torch.float32
    found.transpose(1, 2).sum(-1).sum().backward()
    assert wide.grad.dtype == dtype
    assert not wide.grad[..., HEADS * WIDTH :].any()
