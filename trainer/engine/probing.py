"""A probe of memory: gradients of the widest micro-batch before anything is trained; nothing is learnt by it.

What it took is told as the run's peak, and serves later runs of the same model and settings as evidence.
Where memory runs out, less goes through at once from the first update on.
"""

from array import array
from collections.abc import Iterator

import torch

from trainer.checkpoints.state import random_tensors, set_random
from trainer.data.documents import Document
from trainer.data.packing import num_trained_tokens
from trainer.engine.failures import is_out_of_memory
from trainer.engine.log import say
from trainer.engine.measures import peak_memory_bytes
from trainer.engine.recipes import note_turn
from trainer.engine.run_state import RunState
from trainer.engine.step import accumulate_gradients, forget_gradients
from trainer.engine.telling import Teller

_UPDATES = 3
"""The first one takes working space that stays; the others show what is taken beside it."""


def probe_memory(state: RunState, teller: Teller) -> None:
    """Find out what the widest micro-batch takes; weights, moments and generators are as they were.

    Raises:
        OutOfMemoryError: the longest document alone does not fit.
    """
    random, budget = random_tensors(), state.shelf.budget
    expected = budget.tokens
    try:
        while not _fits(state):
            budget.shrink(state.shelf.batches(_widest(state)))
    finally:
        set_random(random)
    if budget.tokens != expected:
        note_turn(state, tokens_at_once=budget.tokens)
    peak = peak_memory_bytes(state.model.device)
    note = f"{_UPDATES} updates of {budget.tokens} tokens at once, of which nothing was learnt"
    teller.record("probe", tokens=budget.tokens, memory_bytes=peak, note=note)
    teller.heartbeat.tell(device=state.request.device, peak_memory_bytes=peak)
    say("probe", peak_bytes=peak, tokens_at_once=budget.tokens)


def _fits(state: RunState) -> bool:
    """Make the gradients as updates do, beside moments that are not there yet."""
    documents = _widest(state)
    number = num_trained_tokens(documents)
    try:
        moments = list(_missing_moments(state))
        for _ in range(_UPDATES):
            accumulate_gradients(state.model, state.shelf.batches(documents), number, state.precision)
            forget_gradients(state.optimizers)
        del moments
    except Exception as error:
        forget_gradients(state.optimizers)
        if is_out_of_memory(error):
            return False
        raise
    return True


def _widest(state: RunState) -> list[Document]:
    """Return documents of the greatest length that fill what goes through at once; every token is trained."""
    length = state.vocabulary.max_length
    size = state.model.get_input_embeddings().weight.shape[0]
    number = max(1, state.shelf.budget.tokens // length) if state.shelf.is_packing else 1
    ids = array("i", [place % size for place in range(length)])
    return [Document(row=row, ids=ids, spans=((0, length),)) for row in range(number)]


def _missing_moments(state: RunState) -> Iterator[torch.Tensor]:
    """Yield as much as the optimizers' state will take: one tensor a matrix under Muon, else two."""
    for name, optimizer in state.optimizers.items():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter not in optimizer.state:
                    yield from (torch.zeros_like(parameter) for _ in range(1 if name == "muon" else 2))
