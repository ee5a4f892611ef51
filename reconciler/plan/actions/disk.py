"""What is done about the room on the root's disk."""

from reconciler.plan.actions.base import Action


class SetBallast(Action, frozen=True, kw_only=True):
    """Let the file that keeps room for a full disk have this size; 0: let it go."""

    size_bytes: int
    was_bytes: int
