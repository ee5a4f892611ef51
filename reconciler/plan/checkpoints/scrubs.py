"""Which checkpoints are read again, and when: what was not read for longest comes first.

Due is a matter of moments that were written down, so a scrub that was cut short goes on where it was, and the
end of one is that nothing is due. A moment in the future, left by a clock that was ahead, counts as long ago.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from reconciler.desired.realm import duration_seconds
from reconciler.desired.retention import rate_bytes
from reconciler.plan.actions import ReadAgain, Reading
from reconciler.plan.changes import Change, Source
from reconciler.plan.checkpoints.answers import plan_answer
from reconciler.plan.checkpoints.readings import is_about, is_named, readings
from reconciler.plan.draft import Draft
from reconciler.plan.world import World
from state.amounts import count, size
from state.former_names import called_now
from state.store.rows import RequestRow, ScrubWish

_AT_ONCE = 64
"""So many are named in one change; the rest is counted."""
DEFAULT_EVERY_SECONDS = 7 * 86400.0
"""Where no rule says how often, a scrub without names reads what was not read for so long."""


class _Wanted(NamedTuple):
    """What is to be read again, and why."""

    wish: ScrubWish
    request: RequestRow | None
    reason: str
    cause: str
    source: Source


def plan_scrub(world: World, draft: Draft) -> None:
    """Read the next checkpoints again; tell who asked for it once none of theirs is left."""
    wanted = _asked(world) or _by_the_rules(world)
    if wanted is None:
        return
    is_asked = wanted.request is not None
    found = readings(world, wanted.wish, is_asked=is_asked)
    due = sorted(
        (last, one.sequence, one.path, one) for last, one in found if is_due(world, wanted.wish, last)
    )
    if due:
        _plan_reading(world, draft, wanted, [one for *_, one in due])
    elif wanted.request is not None:
        plan_answer(draft, wanted.request, _answer(world, wanted.wish, wanted.request))


def is_background(change: Change) -> bool:
    """Is it a scrub by the rules, which goes on for hours beside everything else, and nobody waits for?"""
    return isinstance(change.action, ReadAgain) and change.action.request_id is None


def is_due(world: World, wish: ScrubWish, last: str) -> bool:
    """Is it that long ago that this was read?"""
    return last < wish.before or last > max(world.now, wish.before)


def before_of(now: str, every_seconds: float) -> str:
    """Return the moment before which a checkpoint must have been read last to be due."""
    moment = datetime.fromisoformat(now) - timedelta(seconds=every_seconds)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _asked(world: World) -> _Wanted | None:
    request = next((one for one in world.facts.store.requests if one.kind == "scrub"), None)
    if request is None:
        return None
    wish = msgspec.json.decode(request.details_json or "{}", type=ScrubWish)
    things = tuple(called_now(world.facts.store.campaigns, thing) for thing in wish.things)
    wish = msgspec.structs.replace(wish, things=things)
    cause = f"reconcile scrub at {request.asked_at}"
    return _Wanted(wish, request, f"{request.asked_by} asked for it", cause, "request")


def _by_the_rules(world: World) -> _Wanted | None:
    retention = world.retention
    if retention is None or retention.spec.scrub is None or world.is_suspended(retention.spec.suspend):
        return None
    scrub = retention.spec.scrub
    wish = ScrubWish(
        before=before_of(world.now, duration_seconds(scrub.every)), rate_bytes=rate_bytes(scrub.rate)
    )
    return _Wanted(wish, None, f"last read more than {scrub.every} ago", retention.where("scrub"), "rules")


def _plan_reading(world: World, draft: Draft, wanted: _Wanted, due: list[Reading]) -> None:
    half = world.facts.store.scrub
    begun = [one for one in due if half is not None and (one.path, one.digest) == (half.path, half.digest)]
    due = [*begun, *(one for one in due if one not in begun)] if begun else due
    first = due[0]
    draft.add(
        ReadAgain(
            readings=tuple(due[:_AT_ONCE]),
            num_left=len(due),
            left_bytes=sum(one.size_bytes for one in due),
            read_bytes=half.read_bytes if half is not None and begun else 0,
            before=wanted.wish.before,
            rate_bytes=wanted.wish.rate_bytes or _usual_rate(world),
            request_id=wanted.request.id if wanted.request is not None else None,
        ),
        subject=f"checkpoint/{first.campaign}@{first.which}",
        reason=wanted.reason,
        cause=wanted.cause,
        source=wanted.source,
    )


def _usual_rate(world: World) -> int | None:
    retention = world.retention
    return rate_bytes(retention.spec.scrub.rate) if retention and retention.spec.scrub else None


def _answer(world: World, wish: ScrubWish, request: RequestRow) -> str:
    """Return how a scrub ended: what is as it was saved, what is not, what was not read, or out of reach."""
    moments = list(readings(world, wish, is_asked=True))
    read = [one for _, one in moments]
    copies = {(copy.sequence, copy.path): copy for copy in world.facts.store.copies}
    doubtful = [copies[one.sequence, one.path] for one in read if one.place == "copy"]
    away = [copy.unreachable for copy in doubtful if copy.unreachable is not None]
    not_whole = {copy.path for copy in doubtful if copy.damage is not None or copy.unreachable is not None}
    found = [one for one in read if one.path not in not_whole]
    whole = f"{count(len(found), 'checkpoint')}, {size(sum(one.size_bytes for one in found))}: as saved"
    damaged = list(_damaged(world, wish))
    said = f"{whole}; damaged: {', '.join(damaged)}" if damaged else whole
    if num_before := sum(last < request.asked_at for last, _ in moments):
        said += f"; {num_before:,} not read now, but since {wish.before}: reconcile scrub --all reads all"
    return f"{said}; out of reach: {len(away):,} of the copies elsewhere, {away[0]}" if away else said


def _damaged(world: World, wish: ScrubWish) -> Iterator[str]:
    """Yield what a scrub is about and was found damaged, by this one or before."""
    names = {row.uid: row for row in world.facts.store.campaigns}
    for one in world.facts.store.ledger:
        row = names.get(one.campaign_uid)
        if one.damage is None or row is None or not is_about(wish, row, one):
            continue
        if world.facts.stock_of(row).is_in_force(one):
            yield f"{row.name}@{one.which}"
    if not wish.things:
        yield from (copy.path for copy in world.facts.store.copies if copy.damage is not None)
    for stone in world.facts.in_trash:
        if stone.damage is not None and is_named(wish, stone.campaign, stone.thing):
            yield stone.path
