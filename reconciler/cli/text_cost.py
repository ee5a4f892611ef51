"""What a plan keeps, now and at the goals, and what it costs on the disk, in a few lines. Pure."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from reconciler.cli.text_layout import INDENT, safe, wrapped
from state.amounts import count, duration, energy, size

if TYPE_CHECKING:
    from reconciler.app.planning.plan_document import Kept, PlanDocument, PlannedChange
    from reconciler.plan.costs.disk import Cost
    from reconciler.plan.costs.memory import RunMemory
    from reconciler.plan.costs.releases import ReleaseCost
    from reconciler.plan.costs.training import AtFloor, TrainingCost
    from reconciler.plan.keeping.kept_at_goal import AtGoal

_MOST_CAMPAIGNS = 5
_MOST_ROWS = 10
_AS_MUCH_AGAIN = 100


def kept_lines(document: "PlanDocument", width: int) -> list[str]:
    """Return what is kept of the campaigns that lose something by this plan, or will before their goal."""
    told = [one for one in document.retention if _loses(one)] if _acts(document) else []
    lines = [line for one in told[:_MOST_CAMPAIGNS] for line in wrapped(_kept(one), width)]
    if (more := len(told) - _MOST_CAMPAIGNS) > 0:
        lines += wrapped(f"And {count(more, 'campaign')} more: reconcile plan --json (retention)", width)
    return lines


def cost_text(document: "PlanDocument") -> str | None:
    """Return the line of costs; None where the plan neither trains, writes nor frees anything that counts."""
    training, disk = document.training, document.cost
    parts = list(_training_parts(training)) if training is not None else []
    like = training.saves_like if training is not None else None
    parts += _cost_parts(disk, like) if disk is not None else []
    return f"Cost: {', '.join(parts)}." if parts else None


def cost_without(document: "PlanDocument") -> str | None:
    """Return what training costs without what BASE..HEAD adds; None where that is the same, or unknown."""
    base, training = document.base, document.training
    if base is None or base.training is None or training is None:
        return None
    without, cost = (", ".join(_training_parts(one, is_all=False)) for one in (base.training, training))
    whose = f" ({safe(base.training.campaign)})" if base.training.campaign != training.campaign else ""
    return f"Without it{whose}: {without}." if whose or without != cost else None


def each_lines(document: "PlanDocument", width: int) -> list[str]:
    """Return what each change costs, below the line of all, where that is not the cost of one of them."""
    told = [one for one in (*document.changes, *document.afterwards) if one.cost is not None]
    trains = [one for one in told if one.cost is not None and one.cost.training is not None]
    writes = [one for one in told if one not in trains and (disk := _disk_of(one)) and disk.adds_bytes]
    frees = list(_freed(one for one in told if _frees(one)))
    is_all = len(trains) + len(writes) == 1 and not _is_a_part(document, trains)
    rows = [] if is_all else [_row(one) for one in (*trains, *writes)]
    whole = document.training
    rows += [_release_row(one, whole.device) for one in whole.releases] if whole is not None else []
    rows += [_floor_row(whole.at_floor)] if whole is not None and whole.at_floor is not None else []
    rows += [_freed_row(of_kind) for of_kind in frees] if len(frees) > 1 or (frees and rows) else []
    more = [f"and {count(len(rows) - _MOST_ROWS, 'change')} more: reconcile plan --json (changes.cost)"]
    shown = rows if len(rows) <= _MOST_ROWS else rows[:_MOST_ROWS] + more
    return [line for row in shown for line in _hanging(row, width)]


def _release_row(one: "ReleaseCost", device: str | None) -> str:
    """Return what a release takes of the whole."""
    release = f"release at step {one.at:,}"
    if one.branches_at is None:
        return f"{release}: none of it, what there is to train ends before"
    if one.branches_at != one.at:
        release += f", off the checkpoint at {one.branches_at:,}"
    if not one.updates:
        return f"{release}: its {count(one.waiting, 'update')} wait for rows that come after that"
    parts = [f"{release}: {count(one.updates, 'update')}"]
    parts += [f"{one.waiting:,} more wait for rows"] if one.waiting else []
    parts += [f"about {count(one.tokens, 'token')}"] if one.tokens else []
    if one.time is not None:
        reach = _reach(one.time.seconds, one.time.high_seconds, duration)
        parts.append(f"+{duration(one.time.seconds)} on {device} ({reach})")
    parts += [f"+{size(one.saves_bytes)} disk at most"] if one.saves_bytes else []
    return ", ".join(parts)


def _floor_row(one: "AtFloor") -> str:
    """Return what is trained once the rate has come down."""
    return (
        f"{count(one.updates, 'update')} of these at a rate of {one.rate:g}: it has come down at update "
        f"{one.since:,}, {safe(one.cause)}"
    )


def _is_a_part(document: "PlanDocument", trains: "list[PlannedChange]") -> bool:
    """Is there more to train than what these changes bring?"""
    whole = document.training.updates if document.training is not None else None
    costs = [one.cost.training for one in trains if one.cost is not None]
    return any(cost is not None and cost.updates != whole for cost in costs)


def _hanging(row: str, width: int) -> list[str]:
    first, *rest = wrapped(row, width - len(INDENT), at=", ")
    return [f"{INDENT}{first}", *(f"{INDENT}{INDENT}{line}" for line in rest)]


def _disk_of(one: "PlannedChange") -> "Cost | None":
    return one.cost.disk if one.cost is not None else None


def _frees(one: "PlannedChange") -> bool:
    disk = _disk_of(one)
    return disk is not None and bool(disk.frees_now_bytes or disk.frees_later_bytes)


def _row(one: "PlannedChange") -> str:
    training, disk = (one.cost.training, one.cost.disk) if one.cost is not None else (None, None)
    parts = list(_training_parts(training, is_all=False)) if training is not None else []
    parts += _disk_parts(disk) if disk is not None else ()
    return f"{safe(one.verb)} {safe(one.thing)}: {', '.join(parts)}"


def _freed(changes: "Iterable[PlannedChange]") -> "Iterator[list[PlannedChange]]":
    """Yield what frees room, of one campaign and by one verb together: there may be hundreds."""
    kinds: dict[tuple[str, str], list[PlannedChange]] = {}
    for one in changes:
        campaign = one.subject.partition("@")[0].partition("/")[2]
        kinds.setdefault((one.verb, campaign), []).append(one)
    yield from kinds.values()


def _freed_row(changes: "list[PlannedChange]") -> str:
    disks = [disk for one in changes if (disk := _disk_of(one)) is not None]
    first, last = changes[0], max(disks, key=lambda disk: disk.later_seconds)
    whole = msgspec.structs.replace(
        last,
        frees_now_bytes=sum(disk.frees_now_bytes for disk in disks),
        frees_later_bytes=sum(disk.frees_later_bytes for disk in disks),
    )
    what = safe(first.thing) if len(changes) == 1 else f"{len(changes):,} of {_campaign_of(first)}"
    return f"{safe(first.verb)} {what}: {', '.join(_disk_parts(whole))}"


def _campaign_of(one: "PlannedChange") -> str:
    return safe(one.subject.partition("@")[0].partition("/")[2])


def _training_parts(cost: "TrainingCost", *, is_all: bool = True) -> Iterator[str]:
    """Yield what is known, and of the cost in all what is not, too: that is said once."""
    if cost.updates is None:
        yield "updates and time unknown" if is_all else "updates unknown"
        return
    yield f"{'about ' if cost.is_about else ''}{count(cost.updates, 'update')}"
    if cost.tokens is not None:
        yield count(cost.tokens, "token")
    if cost.time is not None:
        reach = _reach(cost.time.seconds, cost.time.high_seconds, duration)
        yield f"+{duration(cost.time.seconds)} on {cost.device} ({reach})"
    elif is_all:
        yield "time unknown before a run like it" if cost.updates else "no time"
    if cost.energy is not None:
        reach = _reach(cost.energy.joules, cost.energy.high_joules, energy)
        yield f"{energy(cost.energy.joules)} ({reach})"
    elif is_all and cost.time is not None:
        yield "energy unknown: no run like it has measured it"


def _reach(expected: float, high: float, words: Callable[[float], str]) -> str:
    """Return how far it may be off: `±12%`; where that is as much again, what it may come to."""
    percent = math.ceil(100 * (high / expected - 1))
    return f"±{percent}%" if percent < _AS_MUCH_AGAIN else f"up to {words(high)}"


def memory_lines(document: "PlanDocument") -> list[str]:
    """Return what the runs that are started need, how that is known, and whether the device has it."""
    return [_memory(one) for one in document.memory]


def _memory(one: "RunMemory") -> str:
    subject = f"Memory of {safe(one.campaign)}"
    if one.need_bytes is None:
        return f"{subject}: unknown, as are the sizes of its model."
    about = "about " if one.measured_at is None else ""
    has = "" if one.device_bytes is None else f" of {size(one.device_bytes)}"
    free = "" if one.free_bytes is None else f", {size(one.free_bytes)} free"
    return (
        f"{subject}: {about}{size(one.need_bytes)}{has} on {one.device}{free} ({_known(one)}): {_fits(one)}."
    )


def _known(one: "RunMemory") -> str:
    if one.measured_at is not None:
        return f"measured on {one.measured_at[:10]}"
    so_many = "the longest document alone" if one.verdict == "does not fit" else "as many as fit"
    at_once = f" at {one.tokens:,} tokens at once, {so_many}" if one.tokens is not None else ""
    first = "; a probe before the first update finds out" if one.is_probed_first else ""
    return f"estimated{at_once}{first}"


def _fits(one: "RunMemory") -> str:
    if one.verdict == "unknown device":
        return f"unknown, as is how much {one.device} has"
    if one.verdict == "does not fit":
        return f"does not fit; {_what_needs_less(one)} needs less"
    missing = (one.need_bytes or 0) - (one.free_bytes if one.free_bytes is not None else math.inf)
    return f"fits once {size(int(missing))} more are free" if missing > 0 else "fits"


def _what_needs_less(one: "RunMemory") -> str:
    """Return what to change: where not even one token fits, neither length nor checkpointing helps."""
    if one.least_bytes is not None and one.least_bytes > (one.device_bytes or 0):
        return "a smaller model, or method: lora or qlora,"
    return "a smaller max_length" + ("" if one.is_checkpointing else " or gradient_checkpointing: true")


def _acts(document: "PlanDocument") -> bool:
    return bool(document.changes) or document.awaiting is not None


def _loses(one: "Kept") -> bool:
    later = one.at_goal
    return one.num_dropped > 0 or (later is not None and later.num_kept != later.num_checkpoints)


def _kept(one: "Kept") -> str:
    there = one.num_kept + one.num_dropped
    now = f"{one.num_kept:,} of {count(there, 'checkpoint')} now ({size(one.kept_bytes)})"
    later = f"; {_later(one.at_goal)}" if one.at_goal is not None else ""
    return f"Kept of {safe(one.campaign)}: {now}{later}"


def _later(goal: "AtGoal") -> str:
    at = f"at its goal of {goal.updates:,} updates"
    if goal.num_kept is None or goal.num_checkpoints is None:
        return f"{at} unknown: {safe(goal.unknown or '')}"
    about = f" (about {size(goal.kept_bytes)})" if goal.kept_bytes is not None else ""
    return f"{at} {goal.num_kept:,} of {goal.num_checkpoints:,}{about}"


def _cost_parts(cost: "Cost", like: str | None) -> Iterator[str]:
    if cost.adds_bytes:
        known = f" (each save as large as {safe(like)})" if like is not None else ""
        yield f"+{size(cost.adds_bytes)} disk{' at most' if cost.is_at_most else ''}{known}"
    if cost.unknown and cost.is_first_training:
        yield f"{'the rest of the disk' if cost.adds_bytes else 'disk'} unknown before a first training"
    elif cost.unknown:
        yield f"disk unknown for {' and '.join(cost.unknown)}"
    yield from _freed_parts(cost)


def _disk_parts(cost: "Cost") -> Iterator[str]:
    """Yield what one change writes and frees, as far as it is known."""
    if cost.adds_bytes:
        yield f"+{size(cost.adds_bytes)} disk{' at most' if cost.is_at_most else ''}"
    yield from _freed_parts(cost)


def _freed_parts(cost: "Cost") -> Iterator[str]:
    if cost.frees_now_bytes:
        yield f"frees {size(cost.frees_now_bytes)} now"
    if cost.frees_later_bytes:
        yield f"frees {size(cost.frees_later_bytes)} after {duration(cost.later_seconds)} in the trash"
