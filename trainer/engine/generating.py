"""Generation: the most likely answers to prompts, many at once."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

import torch

from state.contract.row_shapes import Message
from trainer.engine.vocabulary import Vocabulary

BATCH_PROMPTS = 128


def answers(
    model: Any,
    vocabulary: Vocabulary,
    prompts: Sequence[str],
    max_new_tokens: int,
    after_token: Callable[[], None] = lambda: None,
) -> list[str]:
    """Return the model's most likely answer to each prompt, token by token, up to the end of its turn.

    Prompts of similar length go through together, filled up on the left. `after_token` is called after each
    token of those that go through together; what it raises ends it.
    """
    documents = [vocabulary.renderer.prompt_ids([Message("user", prompt)]) for prompt in prompts]
    by_length = sorted(range(len(documents)), key=lambda number: len(documents[number]))
    found: dict[int, str] = {}
    for start in range(0, len(by_length), BATCH_PROMPTS):
        numbers = by_length[start : start + BATCH_PROMPTS]
        batch = [documents[number] for number in numbers]
        texts = _answer_batch(model, vocabulary, batch, max_new_tokens, after_token)
        found.update(zip(numbers, texts, strict=True))
    return [found[number] for number in range(len(documents))]


def _answer_batch(
    model: Any,
    vocabulary: Vocabulary,
    documents: Sequence[Sequence[int]],
    max_new_tokens: int,
    after_token: Callable[[], None],
) -> list[str]:
    encoder = vocabulary.encoder
    width = max(len(document) for document in documents)
    ids = [[encoder.pad_id] * (width - len(document)) + list(document) for document in documents]
    mask = [[0] * (width - len(document)) + [1] * len(document) for document in documents]
    with torch.no_grad():  # no inference mode: a model that is examined trains on with the same buffers
        output = model.generate(
            input_ids=torch.tensor(ids, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            do_sample=False,
            max_new_tokens=max_new_tokens,
            eos_token_id=list(vocabulary.stop_ids),
            pad_token_id=encoder.pad_id,
            stopping_criteria=[partial(_goes_on, after_token)],
        )
    return [_text(vocabulary, row) for row in output[:, width:].tolist()]


def _goes_on(after_token: Callable[[], None], ids: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    """Stop none of the answers: transformers asks after each token."""
    after_token()
    return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)


def _text(vocabulary: Vocabulary, ids: Sequence[int]) -> str:
    """Return the text up to the first token that ends the turn."""
    said = takewhile(lambda token: token not in vocabulary.stop_ids, ids)
    return vocabulary.encoder.decode(list(said))
