"""The chunked head: the loss and gradients of full logits, without ever having them."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.engine import head as chunked
from trainer.engine.head import chunk_rows, summed_cross_entropy

VOCABULARY, WIDTH, TOKENS = 1000, 8, 53


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunked, "CHUNK_LOGITS", {"cpu": 20 * VOCABULARY})


def a_head(*, bias: bool = False, dtype: Any = torch.float64) -> Any:
    torch.manual_seed(0)
    return nn.Linear(WIDTH, VOCABULARY, bias=bias, dtype=dtype)


def states(dtype: Any = torch.float64) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(TOKENS, WIDTH, generator=generator, dtype=dtype).requires_grad_()
    return hidden, torch.randint(0, VOCABULARY, (TOKENS,), generator=generator)


def gradients(loss: Any, *of: Any) -> list[Any]:
    return list(torch.autograd.grad(loss / TOKENS, of))


@pytest.mark.parametrize("bias", [False, True], ids=["a plain matrix", "with a bias"])
def test_loss_and_gradients_are_those_of_full_logits(bias: bool) -> None:
    head, (hidden, targets) = a_head(bias=bias), states()
    whole = cross_entropy(head(hidden), targets, reduction="sum")
    ours = summed_cross_entropy(head, hidden, targets)
    assert ours.item() == pytest.approx(whole.item(), rel=1e-12)
    pairs = zip(
        gradients(ours, hidden, *head.parameters()), gradients(whole, hidden, *head.parameters()), strict=True
    )
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-15)


def test_a_chunk_of_logits_is_the_most_that_is_ever_there() -> None:
    head, (hidden, targets) = a_head(), states()
    with Largest() as ours:
        summed_cross_entropy(head, hidden, targets).backward()
    assert ours.numel == 20 * VOCABULARY
    with Largest() as whole:  # the negative control
        cross_entropy(head(hidden), targets, reduction="sum").backward()
    assert whole.numel == TOKENS * VOCABULARY


class Largest(TorchDispatchMode):
    """Notes the largest tensor that an operation returns."""

    def __enter__(self) -> "Largest":
        self.numel = 0
        return super().__enter__()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if isinstance(found, torch.Tensor):
            self.numel = max(self.numel, found.numel())
        return found


def test_a_frozen_head_passes_its_gradient_on_and_gets_none() -> None:
    head, (hidden, targets) = a_head().requires_grad_(False), states()
    whole = gradients(cross_entropy(head(hidden), targets, reduction="sum"), hidden)
    torch.testing.assert_close(gradients(summed_cross_entropy(head, hidden, targets), hidden), whole)
    assert head.weight.grad is None


def test_bf16_products_sum_in_float32() -> None:
    head, (hidden, targets) = a_head(dtype=torch.float32), states(torch.float32)
    exact = cross_entropy(head(hidden), targets, reduction="sum")
    with torch.autocast("cpu", torch.bfloat16):
        ours = summed_cross_entropy(head, hidden, targets)
    assert ours.dtype == torch.float32
    assert ours.item() == pytest.approx(exact.item(), rel=1e-3)
    by_weight, expected = (gradients(loss, head.weight)[0] for loss in (ours, exact))
    assert by_weight.dtype == torch.float32
    assert float((by_weight - expected).norm() / expected.norm()) < 2e-2


def test_no_tokens_give_no_loss_and_no_gradient() -> None:
    head, (hidden, targets) = a_head(), states()
    loss = summed_cross_entropy(head, hidden[:0], targets[:0])
    assert loss.item() == 0
    assert gradients(loss, head.weight)[0].abs().max() == 0


def test_measuring_makes_no_gradients() -> None:
    head, (hidden, targets) = a_head(), states()
    with torch.no_grad():
        found = summed_cross_entropy(head, hidden, targets)
    assert not found.requires_grad
    assert found.item() == pytest.approx(cross_entropy(head(hidden), targets, reduction="sum").item())


def test_a_large_vocabulary_still_has_chunks_worth_a_product() -> None:
    assert chunk_rows(320, "cpu") == 62
    assert chunk_rows(151_936, "cpu") == 16
