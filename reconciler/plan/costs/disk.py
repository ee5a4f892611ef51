"""What a plan costs on the disk: what is added, what of that nobody knows yet, what becomes free and when."""

from collections.abc import Iterable

import msgspec

from reconciler.observed.facts import Facts
from reconciler.plan import actions as a
from reconciler.plan.changes import Change

SAVES, MADE, ROWS, TAKEN_OVER = "what training saves", "what is generated", "rows", "a starting checkpoint"
IMPORTED, MENDED, BROUGHT_BACK = "an import", "a mended checkpoint", "a checkpoint brought back"
_WRITTEN_WHOLE = {
    a.ImportCheckpoint: IMPORTED,
    a.MendCheckpoint: MENDED,
    a.BringBackCheckpoint: BROUGHT_BACK,
}

_TO_THE_TRASH = (a.TrashCheckpoint, a.DeleteCampaign, a.DemoteCheckpoint, a.MoveOutCheckpoint)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """The disk before and after; never a guess: what is not known is named."""

    adds_bytes: int
    """Known to be written."""
    is_at_most: bool
    """Some of that may share its bytes with what lies there already, or be dropped again meanwhile."""
    unknown: tuple[str, ...]
    """What else is written, and nobody knows how large it will be."""
    is_first_training: bool = False
    """Nothing was ever saved here, so that not even a size to compare with is known."""
    frees_now_bytes: int
    frees_later_bytes: int
    """What goes to the trash, and is free only after the purge."""
    later_seconds: float
    """Of observed time, until the last of that may be purged."""


def cost_of(facts: Facts, changes: Iterable[Change], saves_bytes: int | None = None) -> Cost:
    """Return what these changes cost; `saves_bytes`: what all that is to be trained saves at most."""
    actions = [change.action for change in changes]
    adds = [added for action in actions if (added := _added(facts, action)) is not None]
    if saves_bytes is not None:
        adds = [(saves_bytes, SAVES), *(added for added in adds if added != (None, SAVES))]
    drops = [action for action in actions if isinstance(action, _TO_THE_TRASH)]
    return Cost(
        adds_bytes=sum(size for size, _ in adds if size is not None),
        is_at_most=any(size and what in (TAKEN_OVER, SAVES) for size, what in adds),
        unknown=tuple(dict.fromkeys(what for size, what in adds if size is None)),
        is_first_training=not facts.store.ledger,
        frees_now_bytes=sum(action.size_bytes for action in actions if isinstance(action, a.PurgeTrash)),
        frees_later_bytes=sum(drop.size_bytes for drop in drops),
        later_seconds=max((drop.grace_seconds for drop in drops), default=0.0),
    )


def _added(facts: Facts, action: a.AnyAction) -> tuple[int | None, str] | None:
    """Return how much an action writes and what; None: nothing that counts."""
    if isinstance(action, a.SnapshotFile):
        return _snapshot_bytes(facts, action), ROWS
    if isinstance(action, a.TakeOverCheckpoint):
        return _checkpoint_bytes(facts, action), TAKEN_OVER
    if isinstance(action, a.ImportCheckpoint | a.MendCheckpoint | a.BringBackCheckpoint):
        return action.size_bytes, _WRITTEN_WHOLE[type(action)]
    if isinstance(action, a.GenerateQuest):
        return None, MADE
    return (None, SAVES) if isinstance(action, a.LaunchRun) else None


def _snapshot_bytes(facts: Facts, action: a.SnapshotFile) -> int | None:
    """Return how much of a quest's file is copied, as it was checked."""
    seen = facts.quest_files.get(action.quest_id)
    if seen is None or seen.content is None:
        return None
    end = seen.content.size_bytes if action.stop_byte is None else action.stop_byte
    return max(0, end - action.start_byte)


def _checkpoint_bytes(facts: Facts, action: a.TakeOverCheckpoint) -> int | None:
    rows = facts.ledger_of(action.source_uid)
    return next((row.size_bytes for row in rows if row.digest == action.digest), None)
