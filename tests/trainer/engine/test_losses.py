"""The loss of a padded batch is that of its documents alone, and only answers are learnt."""

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import a_model

from trainer.engine.losses import IGNORED, summed_loss
from trainer.engine.model import new_model

LENGTHS = (7, 2, 12, 5, 9)


def a_double_model():  # type: ignore[no-untyped-def]
    return new_model(a_model(), seed=0, special_ids={}).double()


def documents() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return documents whose first half is a prompt."""
    generator = torch.Generator().manual_seed(1)
    found = []
    for length in LENGTHS:
        ids = torch.randint(0, 256, (length,), generator=generator)
        labels = ids.clone()
        labels[: length // 2] = IGNORED
        found.append((ids, labels))
    return found


def padded(
    found: list[tuple[torch.Tensor, torch.Tensor]], pad: int = 256
) -> tuple[torch.Tensor, torch.Tensor]:
    pair = (
        torch.nn.utils.rnn.pad_sequence([d[i] for d in found], batch_first=True, padding_value=v)
        for i, v in ((0, pad), (1, IGNORED))
    )
    ids, labels = pair
    return ids, labels


def gradient(model) -> torch.Tensor:  # type: ignore[no-untyped-def]
    flat = torch.cat([p.grad.flatten() for p in model.parameters()])
    model.zero_grad()
    return flat


def test_a_padded_batch_equals_one_document_at_a_time() -> None:
    model, found = a_double_model(), documents()
    alone = sum(summed_loss(model, ids[None], labels[None]) for ids, labels in found)
    alone.backward()
    expected = gradient(model)

    together = summed_loss(model, *padded(found))
    together.backward()

    assert together.item() == pytest.approx(alone.item(), rel=1e-6)  # summed in float32
    assert (gradient(model) - expected).norm() / expected.norm() < 1e-5


def test_what_fills_a_row_up_does_not_matter() -> None:
    model = a_double_model()
    one = summed_loss(model, *padded(documents(), pad=256))
    other = summed_loss(model, *padded(documents(), pad=7))
    assert one.item() == other.item()


def test_a_prompt_that_is_not_learnt_carries_no_gradient_into_its_own_logits() -> None:
    """Learning the prompt too would give another gradient: the negative control."""
    model, (ids, labels) = a_double_model(), documents()[2]
    summed_loss(model, ids[None], labels[None]).backward()
    masked = gradient(model)
    summed_loss(model, ids[None], ids[None]).backward()
    assert (gradient(model) - masked).norm() / masked.norm() > 0.1


def test_a_row_with_nothing_to_learn_gives_no_gradient_at_all() -> None:
    model, (ids, labels) = a_double_model(), documents()[2]
    summed_loss(model, ids[None], torch.full_like(labels, IGNORED)[None]).backward()
    assert gradient(model).abs().max() == 0


def test_the_sum_agrees_with_the_loss_of_transformers() -> None:
    model, (ids, labels) = a_double_model(), padded(documents())
    mask = (torch.arange(ids.shape[1]) < torch.tensor(LENGTHS)[:, None]).long()
    theirs = model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss
    count = int((labels[:, 1:] != IGNORED).sum())
    assert summed_loss(model, ids, labels).item() / count == pytest.approx(theirs.item(), rel=1e-6)


def test_many_logits_are_made_in_chunks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = a_double_model(), padded(documents())
    whole = summed_loss(model, *batch)
    whole.backward()
    expected = gradient(model)

    monkeypatch.setattr("trainer.engine.losses.MAX_LOGITS", 320 * 3)
    chunked = summed_loss(model, *batch)
    chunked.backward()

    assert chunked.item() == pytest.approx(whole.item(), rel=1e-6)
    assert (gradient(model) - expected).norm() / expected.norm() < 1e-5


def test_a_document_does_not_see_its_neighbour() -> None:
    model, found = a_double_model(), documents()
    model.eval()
    with torch.no_grad():
        before = [
            summed_loss(model, *(row[None] for row in pair)).item()
            for pair in zip(*padded(found), strict=True)
        ]
        found[0] = ((found[0][0] + 13) % 256, found[0][1])
        after = [
            summed_loss(model, *(row[None] for row in pair)).item()
            for pair in zip(*padded(found), strict=True)
        ]
    assert before[1:] == after[1:]
    assert before[0] != after[0]
    assert all(a != b for a, b in pairwise(before))
