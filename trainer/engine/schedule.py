"""The learning rate: a pure function of the update's number, so that a resume needs no scheduler state."""


def rate_factor(update: int, warmup_updates: int) -> float:
    """Return the share of the full rate for the update of this number, counted from 1.

    Rises linearly from 0 (before the first update) to 1 at the update `warmup_updates`, then stays.
    """
    return min(1.0, update / warmup_updates) if warmup_updates > 0 else 1.0
