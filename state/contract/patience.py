"""How long a run may get no further in what it does: watchdog and reconciler ask here. Pure."""

from state.contract.status import RunStatus

LEAST_UPDATE_SECONDS = 600.0
LEAST_LONG_SECONDS = 3600.0
"""For what has no usual duration: loading, reading a quest's rows, the first update, measuring, saving."""
_UPDATES, _SAVES = 10, 10


def patience_seconds(status: RunStatus) -> float | None:
    """Return how long a run may get no further in what it does now; None: as long as it likes."""
    if status.waiting_for is not None:
        return None
    match status.phase:
        case "paused" | "exited":
            return None
        case "training" if status.update_seconds is not None and status.quest_update > 0:
            return max(LEAST_UPDATE_SECONDS, _UPDATES * status.update_seconds)
        case "saving" | "stopping":
            return max(LEAST_LONG_SECONDS, _SAVES * (status.save_seconds or 0.0))
    return LEAST_LONG_SECONDS
