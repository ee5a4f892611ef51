"""What a plan keeps, now and at the goals, and what it costs on the disk, in a few lines. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import safe, wrapped
from state.amounts import count, duration, size

if TYPE_CHECKING:
    from reconciler.app.plan_document import Kept, PlanDocument
    from reconciler.plan.costs import Cost
    from reconciler.plan.kept_at_goal import AtGoal
    from reconciler.plan.memory import RunMemory

_MOST_CAMPAIGNS = 5


def kept_lines(document: "PlanDocument", width: int) -> list[str]:
    """Return what is kept of the campaigns that lose something by this plan, or will before their goal."""
    told = [one for one in document.retention if _loses(one)] if _acts(document) else []
    lines = [line for one in told[:_MOST_CAMPAIGNS] for line in wrapped(_kept(one), width)]
    if (more := len(told) - _MOST_CAMPAIGNS) > 0:
        lines += wrapped(f"And {count(more, 'campaign')} more: reconcile plan --json (retention)", width)
    return lines


def cost_text(cost: "Cost | None") -> str | None:
    """Return the line of costs; None where the plan neither writes nor frees anything that counts."""
    parts = list(_cost_parts(cost)) if cost is not None else []
    return f"Cost: {', '.join(parts)}." if parts else None


def memory_lines(document: "PlanDocument") -> list[str]:
    """Return what the runs that are started need, how that is known, and whether the device has it."""
    return [_memory(one) for one in document.memory if one.need_bytes is not None]


def _memory(one: "RunMemory") -> str:
    first = "; a probe before the first update finds out" if one.is_probed_first else ""
    known = f"estimated{first}" if one.measured_at is None else f"measured on {one.measured_at[:10]}"
    has = "" if one.device_bytes is None else f" of {size(one.device_bytes)}"
    about = "about " if one.measured_at is None else ""
    need = f"{about}{size(one.need_bytes or 0)}{has} on {one.device} ({known})"
    fits = "how much it has is unknown" if one.verdict == "unknown device" else one.verdict
    return f"Memory of {safe(one.campaign)}: {need}: {fits}."


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


def _cost_parts(cost: "Cost") -> Iterator[str]:
    if cost.adds_bytes:
        yield f"+{size(cost.adds_bytes)} disk{' at most' if cost.is_at_most else ''}"
    if cost.unknown and cost.is_first_training:
        yield f"{'the rest ' if cost.adds_bytes else ''}unknown before a first training"
    elif cost.unknown:
        yield f"unknown for {' and '.join(cost.unknown)}"
    if cost.frees_now_bytes:
        yield f"frees {size(cost.frees_now_bytes)} now"
    if cost.frees_later_bytes:
        yield f"frees {size(cost.frees_later_bytes)} after {duration(cost.later_seconds)} in the trash"
