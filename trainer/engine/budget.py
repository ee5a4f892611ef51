"""How many tokens go through the model at once: what fits by the estimate, less where memory ran out.

No part of what an update means: its documents and their gradient stay the same, in smaller micro-batches.
What was learnt about the device's memory is saved with the weights, so that a resumed run packs alike.
"""

from collections.abc import Sequence

from trainer.checkpoints.state import MemoryState
from trainer.data.tensors import Batch
from trainer.engine.failures import OutOfMemoryError


class Budget:
    """The largest micro-batch, in tokens."""

    def __init__(self, granted_tokens: int, tokens: int | None = None) -> None:
        """`granted_tokens` by the settings; `tokens` where it is known that more, or only less, fits."""
        self.granted_tokens = granted_tokens
        self.tokens = granted_tokens if tokens is None else tokens

    @property
    def state(self) -> MemoryState:
        """Return what to save."""
        return MemoryState(granted_tokens=self.granted_tokens, tokens=self.tokens)

    def shrink(self, batches: Sequence[Batch]) -> None:
        """Grant half of the largest of these micro-batches from now on: memory ran out with them.

        Raises:
            OutOfMemoryError: each of them holds one document already.
        """
        if all(len(batch.lengths) == 1 for batch in batches):
            longest = max(batch.lengths[0] for batch in batches)
            raise OutOfMemoryError(
                f"there is no memory for one document of {longest} tokens alone; "
                "gradient_checkpointing: true or a smaller max_length needs less"
            )
        self.tokens = max(sum(batch.lengths) for batch in batches) // 2
