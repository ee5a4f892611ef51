"""What lies in the trash, for `get trash`: until when it can be taken back, and what is not ours."""

from collections.abc import Iterator

from reconciler.app.looking.items import TrashItem
from reconciler.app.planning.look import View, world_of
from reconciler.plan.keeping.held_back import is_wanted_back
from reconciler.plan.keeping.to_come import held_by_name
from reconciler.plan.observed_time import observed_now
from reconciler.plan.trash.contents import foreign, is_vanished
from reconciler.plan.trash.names import dropped_since, is_replaced, told_of_nowhere
from reconciler.plan.trash.undeletes import wanted_in_words
from state.store.rows import TrashRow

UNKNOWN = "the store is an older copy, and does not know of its drop: reconcile doctor --rebuild"
NOT_OURS = "no tombstone names it: it is never deleted"
LOST_STONE = "its tombstone is lost: it is never deleted, and cannot be taken back"
VANISHED = "somebody took it out of the trash"
REPLACED = "somebody put something else in its place"


def trash(view: View) -> tuple[TrashItem, ...]:
    """Return what is in the trash, what goes first standing first; what is not ours stands last."""
    ours = sorted(_ours(view), key=_first_gone_first)
    return (*ours, *_unknown(view), *_foreign(view))


def _first_gone_first(item: TrashItem) -> tuple[float, str, int]:
    """Return what sorts by the time that is left, to the minute, then by campaign and step."""
    campaign, _, step = item.id.partition("@")
    return (item.left_seconds or 0.0) // 60, campaign, int(step.rpartition(":")[2] or 0)


def next_purge_seconds(view: View) -> float | None:
    """Return how soon something may be deleted for good, in observed time; None where nothing waits."""
    now = observed_now(view.facts.store, view.seen_at, view.facts.boot)
    named = held_by_name(view.plan, view.facts.in_trash)
    waiting = (stone for stone in view.facts.in_trash if stone.sequence not in named)
    return min((_left(stone, now) for stone in waiting), default=None)


def _ours(view: View) -> Iterator[TrashItem]:
    now = observed_now(view.facts.store, view.seen_at, view.facts.boot)
    are_all_held = view.facts.purges_wait_while is not None
    named = held_by_name(view.plan, view.facts.in_trash)
    for stone in view.facts.in_trash:
        gone = is_vanished(view.facts, stone)
        yield TrashItem(
            id=stone.thing,
            thing=stone.subject.partition("/")[0],
            is_optimizer_state=stone.keeps is not None,
            state="vanished" if gone else stone.state,
            kind=stone.kind,
            reason=_gone(view, stone) if gone else _why(view, stone),
            size_bytes=0 if gone else stone.size_bytes,
            trashed_at=stone.trashed_at,
            left_seconds=_left(stone, now),
            is_held=stone.state == "trashed" and not gone and (are_all_held or stone.sequence in named),
            path=str(view.layout.root / stone.path),
            digest=stone.digest,
        )


def _gone(view: View, stone: TrashRow) -> str:
    return REPLACED if is_replaced(view.facts, stone) else VANISHED


def _why(view: View, stone: TrashRow) -> str:
    """Return why it was dropped; of a campaign whose spec wants it again that, for it stays for that."""
    world = world_of(view)
    return wanted_in_words(world, stone) if is_wanted_back(world, stone) else stone.reason


def _left(stone: TrashRow, now: float) -> float:
    return max(0.0, stone.trashed_at_seconds + stone.grace_seconds - now)


def _unknown(view: View) -> Iterator[TrashItem]:
    for name in sorted(dropped_since(view.facts)):
        path = str(view.layout.trash / name)
        yield TrashItem(id=name, state="unknown", reason=UNKNOWN, is_held=True, path=path)


def _foreign(view: View) -> Iterator[TrashItem]:
    dropped = told_of_nowhere(view.facts)
    for name in foreign(view.facts):
        path, why = str(view.layout.trash / name), LOST_STONE if name in dropped else NOT_OURS
        yield TrashItem(id=name, state="foreign", reason=why, path=path)
