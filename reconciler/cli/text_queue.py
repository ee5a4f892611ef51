"""What is to be trained, file by file, as the plan shows it. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import INDENT, PLAIN, Paint, safe, wrapped
from state.amounts import count

if TYPE_CHECKING:
    from reconciler.app.data.planned_queue import PlannedQuest, PlannedQueue
    from state.contract.inspection import TokenCounts

_MOST_QUESTS = 10


def queue_lines(
    queue: "PlannedQueue | None", width: int, paint: Paint = PLAIN, *, seen_on: str | None = None
) -> list[str]:
    """Return a line for each file that is to be trained, and one for all; none where nothing is.

    `seen_on` is the machine on which the facts in a file were seen: no tokens are in such a file.
    """
    if queue is None or not queue.quests:
        return []
    lines = wrapped(f"To train, {safe(queue.campaign)}:", width)
    for one in queue.quests[:_MOST_QUESTS]:
        first, *rest = wrapped(_quest(one), width - len(INDENT), at=", ")
        lines += [f"{INDENT}{first}", *(f"{INDENT}{INDENT}{line}" for line in rest)]
    if (more := len(queue.quests) - _MOST_QUESTS) > 0:
        left = f"and {count(more, 'file')} more: reconcile plan --json (queue)"
        lines += [f"{INDENT}{line}" for line in wrapped(left, width - len(INDENT))]
    total = ", ".join(_total(queue, seen_on))
    return [
        *lines,
        *(f"{INDENT}{paint(line, 'dim')}" for line in wrapped(total, width - len(INDENT), at=", ")),
    ]


def _quest(one: "PlannedQuest") -> str:
    rows = "examples unknown" if one.rows is None else count(one.rows, "example")
    times = f", {one.epochs} times" if one.epochs > 1 else ""
    return f"[{one.priority}] {safe(one.file)}: {rows}{times}, {_tokens(one.tokens)}"


def _tokens(counts: "TokenCounts | None") -> str:
    if counts is None:
        return "tokens unknown"
    from state.contract.inspection_words import epoch_text  # most plans train nothing more

    share = f"{counts.trained_share:.0%} trained"
    return f"{count(counts.num_tokens, 'token')}, {share}, {epoch_text(counts)}"


def _total(queue: "PlannedQueue", seen_on: str | None) -> Iterator[str]:
    """Yield what all files come to; what epochs add to the examples is said beside them."""
    yield f"In all {count(len(queue.quests), 'file')}"
    with_epochs = sum((one.rows or 0) * one.epochs for one in queue.quests)
    more = f" ({with_epochs:,} with all epochs)" if with_epochs != queue.num_rows else ""
    yield f"{count(queue.num_rows, 'example')}{more}"
    if queue.num_unknown < len(queue.quests):
        yield f"{count(queue.num_tokens, 'token')} an epoch"
    if queue.num_unknown:
        whose = f" of {count(queue.num_unknown, 'file')}" if queue.num_unknown < len(queue.quests) else ""
        not_counted = "not counted yet: apply counts them"
        not_here = f"not in the facts: a plan on {safe(seen_on)} has them once they are counted"
        yield f"tokens{whose} {not_counted if seen_on is None else not_here}"
