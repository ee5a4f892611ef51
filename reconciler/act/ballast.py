"""The ballast: room that is kept for a full disk."""

from reconciler.act.tools import Tools
from reconciler.plan.actions import SetBallast
from state.amounts import size
from state.atomic import ensure_folder
from state.ballast import let_go, make


def set_size(action: SetBallast, tools: Tools) -> str:
    """Make the file as large as the action says, or let it go; one of another size goes first."""
    place = tools.layout.ballast
    if action.size_bytes and place.is_file() and place.stat().st_size == action.size_bytes:
        return f"{size(action.size_bytes)} are kept"
    freed = let_go(place)
    if not action.size_bytes:
        return f"{size(freed)} let go" if freed else "it is gone already"
    ensure_folder(place.parent)
    make(place, action.size_bytes)
    return f"{size(action.size_bytes)} are kept for when the disk is full"
