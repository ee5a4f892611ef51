"""What comes until a moment, as `plan --until` prints it. Pure."""

from typing import TYPE_CHECKING

from reconciler.cli.text_layout import INDENT, safe, wrapped
from state.amounts import count, size

if TYPE_CHECKING:
    from reconciler.plan.costs.records import Forecast, QuestEnd


def forecast_lines(found: "Forecast", width: int) -> list[str]:
    """Return when each quest ends, and what becomes of the disk."""
    texts = [_quest(one) for one in found.quests] or ["nothing is to be trained"]
    if found.approval_at is not None:
        texts.append(f"Drops wait for an approval from {_moment(found.approval_at)} on")
    lines = [part for text in [*texts, _disk(found)] for part in wrapped(text, width - len(INDENT))]
    title = f"Until {_moment(found.until)}, if training goes on as it did:"
    return [*wrapped(title, width), *(f"{INDENT}{line}" for line in lines)]


def _quest(one: "QuestEnd") -> str:
    if one.ends_at is None:
        return f"{safe(one.quest)}: unknown when it ends: {safe(one.why or '')}"
    late = "" if one.is_in_time else ", after that"
    between = f"{_moment(one.low_at or '')} to {_moment(one.high_at or '')}"
    return f"{safe(one.quest)}: ends {_moment(one.ends_at)}{late} (4 of 5: {between})"


def _disk(found: "Forecast") -> str:
    saves = count(found.num_saves or 0, "save")
    if found.disk_full_at is not None:
        return f"Disk: training first waits for room at {_moment(found.disk_full_at)} ({saves} in all)"
    if found.disk_unknown is not None:
        return f"Disk: unknown: {safe(found.disk_unknown)}"
    return f"Disk: {size(found.free_bytes)} free then, after {saves}"


def _moment(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"
