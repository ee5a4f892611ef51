"""A checkpoint is gone on from only by a run that asks for the same model, tokens and architecture."""

from state.contract.locked import Locked, first_unlike
from trainer.checkpoints.errors import CheckpointError


def check_locked(saved: Locked, wanted: Locked, name: str, *, is_start: bool = False) -> None:
    """Compare a checkpoint's locked values with those that a run asks for; `name` says which checkpoint.

    `is_start`: the campaign only begins with it, and may train it by another method.

    Raises:
        CheckpointError: names the first value that differs, on both sides.
    """
    unlike = first_unlike(saved, wanted, is_start=is_start)
    if unlike is not None:
        raise CheckpointError(
            f"{name}: {unlike.key} is {unlike.found!r}; the run asks for {unlike.asked!r}. "
            "It is locked along a lineage: a new campaign may change it."
        )
