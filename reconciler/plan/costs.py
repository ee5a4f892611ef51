"""What a plan costs on the disk: what is added, what of that nobody knows yet, what becomes free and when."""

from collections.abc import Iterable

import msgspec

from reconciler.observed.facts import Facts
from reconciler.plan import actions as a
from reconciler.plan.changes import Change

SAVES, MADE, ROWS, TAKEN_OVER = "what training saves", "what is generated", "rows", "a starting checkpoint"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """The disk before and after; never a guess: what is not known is named."""

    adds_bytes: int
    """Known to be written."""
    is_at_most: bool
    """Some of that may share its bytes with what lies there already."""
    unknown: tuple[str, ...]
    """What else is written, and nobody knows how large it will be."""
    frees_now_bytes: int
    frees_later_bytes: int
    """What goes to the trash, and is free only after the purge."""
    later_seconds: float
    """Of observed time, until the last of that may be purged."""


def cost_of(facts: Facts, changes: Iterable[Change]) -> Cost:
    """Return what these changes cost."""
    adds: list[tuple[int | None, str]] = []
    now, drops = 0, []
    for action in (change.action for change in changes):
        match action:
            case a.SnapshotFile():
                adds.append((_snapshot_bytes(facts, action), ROWS))
            case a.TakeOverCheckpoint():
                adds.append((_checkpoint_bytes(facts, action), TAKEN_OVER))
            case a.GenerateQuest():
                adds.append((None, MADE))
            case a.LaunchRun():
                adds.append((None, SAVES))
            case a.PurgeTrash():
                now += action.size_bytes
            case a.TrashCheckpoint():
                drops.append(action)
            case _:
                pass  # writes nothing that counts
    return Cost(
        adds_bytes=sum(size for size, _ in adds if size is not None),
        is_at_most=any(size and what == TAKEN_OVER for size, what in adds),
        unknown=tuple(dict.fromkeys(what for size, what in adds if size is None)),
        frees_now_bytes=now,
        frees_later_bytes=sum(drop.size_bytes for drop in drops),
        later_seconds=max((drop.grace_seconds for drop in drops), default=0.0),
    )


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
