"""What chaos did and what held, as text. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.cli.text_layout import PLAIN, Paint, safe, wrapped
from state.amounts import count

if TYPE_CHECKING:
    from reconciler.app.chaos.run import ChaosReport, PromiseKept

_COLUMN = 10


def report_text(report: "ChaosReport", width: int, paint: Paint = PLAIN) -> str:
    """Return the blows, each promise with how often it was checked, and where to look."""
    blows = ", ".join(f"{number} x {name}" for name, number in sorted(report.blows.items()))
    total = count(sum(report.blows.values()), "blow")
    head = f"{total} in {report.seconds:.0f} s: {blows}; {count(report.launches, 'launch')}, "
    lines = wrapped(f"{head}{count(report.checkpoints, 'checkpoint')} saved", width)
    lines += ["", *(line for one in report.promises for line in _lines(one, width, paint)), ""]
    if report.all_held:
        lines.append(paint("Every promise held.", "good"))
    else:
        lines += wrapped(
            f"Look at {report.folder}; again: reconcile chaos --seed {report.seed} --keep", width
        )
    return "\n".join(lines)


def _lines(one: "PromiseKept", width: int, paint: Paint) -> Iterator[str]:
    word, colour = ("held", "good") if one.num_checks and not one.broken else ("broken", "bad")
    if not one.num_checks:
        word, colour = "unseen", "warn"
    first, *rest = wrapped(f"{one.promise} ({count(one.num_checks, 'check')})", width - _COLUMN)
    yield f"{paint(word.ljust(_COLUMN), colour)}{first}"
    yield from (f"{' ' * _COLUMN}{piece}" for piece in rest)
    for line in (line for text in one.broken[:3] for line in text.splitlines()):
        yield from (f"{' ' * _COLUMN}{piece}" for piece in wrapped(safe(line), width - _COLUMN))
