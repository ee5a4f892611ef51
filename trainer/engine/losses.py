"""The loss: summed over trained tokens, with logits only where a token is learnt."""

from typing import Any

from torch import Tensor

from trainer.data.tensors import Batch
from trainer.engine.attention import ATTENTION, Documents
from trainer.engine.head import summed_cross_entropy


def summed_loss(model: Any, batch: Batch) -> Tensor:
    """Return the cross entropy in nats, summed over the trained tokens, as a float32 scalar.

    `use_cache=False` because the cache is of no use here, and where positions are given it changes the mask
    of attention implementations other than ours.

    Raises:
        ValueError: the model was not made ready for documents (`attention.use_documents`).
    """
    if model.config._attn_implementation != ATTENTION:
        raise ValueError(f"the model's attention is {model.config._attn_implementation!r}, not {ATTENTION!r}")
    found = model.base_model(
        input_ids=batch.ids_1T,
        position_ids=batch.positions_1T,
        use_cache=False,
        documents=Documents(batch.lengths, batch.bounds, read=batch.sources_N),
    )
    hidden_ND = found.last_hidden_state[0]
    if len(hidden_ND) == batch.ids_1T.shape[1]:  # not where the last layer has left out the others
        hidden_ND = hidden_ND[batch.sources_N]
    return summed_cross_entropy(model.get_output_embeddings(), hidden_ND, batch.targets_N)
