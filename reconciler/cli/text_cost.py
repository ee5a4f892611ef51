"""What a plan keeps, now and at the goals, and what it costs on the disk, in a few lines. Pure."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import safe, wrapped
from state.amounts import count, duration, energy, size

if TYPE_CHECKING:
    from reconciler.app.planning.plan_document import Kept, PlanDocument
    from reconciler.plan.costs.disk import Cost
    from reconciler.plan.costs.memory import RunMemory
    from reconciler.plan.costs.training import TrainingCost
    from reconciler.plan.keeping.kept_at_goal import AtGoal

_MOST_CAMPAIGNS = 5
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
    parts = list(_training_parts(document.training)) if document.training is not None else []
    like = document.training.saves_like if document.training is not None else None
    parts += _cost_parts(document.cost, like) if document.cost is not None else []
    return f"Cost: {', '.join(parts)}." if parts else None


def _training_parts(cost: "TrainingCost") -> Iterator[str]:
    if cost.updates is None:
        yield "updates and time unknown"
        return
    yield f"{'about ' if cost.is_about else ''}{count(cost.updates, 'update')}"
    if cost.tokens is not None:
        yield count(cost.tokens, "token")
    if cost.time is None:
        yield "time unknown before a run like it"
        return
    reach = _reach(cost.time.seconds, cost.time.high_seconds, duration)
    yield f"+{duration(cost.time.seconds)} on {cost.device} ({reach})"
    if cost.energy is None:
        yield "energy unknown: no run like it has measured it"
        return
    reach = _reach(cost.energy.joules, cost.energy.high_joules, energy)
    yield f"{energy(cost.energy.joules)} ({reach})"


def _reach(expected: float, high: float, words: Callable[[float], str]) -> str:
    """Return how far it may be off: `±12%`; where that is as much again, what it may come to."""
    percent = math.ceil(100 * (high / expected - 1))
    return f"±{percent}%" if percent < _AS_MUCH_AGAIN else f"up to {words(high)}"


def memory_lines(document: "PlanDocument") -> list[str]:
    """Return what the runs that are started need, how that is known, and whether the device has it."""
    return [_memory(one) for one in document.memory if one.need_bytes is not None]


def _memory(one: "RunMemory") -> str:
    first = "; a probe before the first update finds out" if one.is_probed_first else ""
    known = f"estimated{first}" if one.measured_at is None else f"measured on {one.measured_at[:10]}"
    has = "" if one.device_bytes is None else f" of {size(one.device_bytes)}"
    about = "about " if one.measured_at is None else ""
    need = f"{about}{size(one.need_bytes or 0)}{has} on {one.device} ({known})"
    return f"Memory of {safe(one.campaign)}: {need}{_fits(one)}."


def _fits(one: "RunMemory") -> str:
    if one.verdict != "unknown device":
        return f": {one.verdict}"
    if one.device == "cpu":
        return ""  # it is the machine's own, and shared with everything that runs there
    return f"; how much {one.device} has is unknown"


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
    if cost.frees_now_bytes:
        yield f"frees {size(cost.frees_now_bytes)} now"
    if cost.frees_later_bytes:
        yield f"frees {size(cost.frees_later_bytes)} after {duration(cost.later_seconds)} in the trash"
