"""A diagnosis as text: one check a line, and how to mend what is not well. Pure."""

from typing import TYPE_CHECKING

from reconciler.cli.text_layout import PLAIN, Paint, columns, padded, safe, wrapped
from state.amounts import count

if TYPE_CHECKING:
    from reconciler.app.checking.doctor import Check, Diagnosis
    from reconciler.app.rebuilding.doctor import Rebuilt

_MEANINGS = {"ok": "good", "warn": "warn", "fail": "bad"}


def diagnosis_text(found: "Diagnosis", width: int, paint: Paint = PLAIN) -> str:
    """Return every check, then how many are not well."""
    column = max(columns(check.name) for check in found.checks)
    lines = [line for check in found.checks for line in _lines(check, column, width, paint)]
    return "\n".join([*lines, _summary(found, paint)])


def _lines(check: "Check", column: int, width: int, paint: Paint) -> list[str]:
    head = f"{paint(padded(check.state, 4), _MEANINGS[check.state])}  {padded(safe(check.name), column)}  "
    lead = 4 + 2 + column + 2
    first, *rest = wrapped(safe(check.sentence), max(20, width - lead))
    lines = [f"{head}{first}", *(f"{' ' * lead}{piece}" for piece in rest)]
    if check.mend:
        mend = wrapped(safe(check.mend), max(20, width - lead - 2))
        lines += [f"{' ' * lead}{'→ ' if place == 0 else '  '}{piece}" for place, piece in enumerate(mend)]
    return lines


def _summary(found: "Diagnosis", paint: Paint) -> str:
    failed = sum(check.state == "fail" for check in found.checks)
    warned = sum(check.state == "warn" for check in found.checks)
    if not failed and not warned:
        return paint(f"All {count(len(found.checks), 'check')} are well.", "good")
    return paint(f"{len(found.checks)} checks: {failed} failed, {count(warned, 'warning')}.", "strong")


def rebuilt_text(made: "Rebuilt", width: int) -> str:
    """Return what was made again, what it holds, and what is not known any more."""
    lines = [made.why]
    if made.made == "store":
        lines = [f"{made.why}; it was made again from the files under {made.root}"]
        lines.append(", ".join(f"{number:,} {name}" for name, number in made.num_rows.items() if number))
        if made.set_aside:
            lines.append(f"the old one is kept: {made.set_aside}")
    lines += [
        f"only its folder told of {name}: it is paused, see reconcile explain {name}"
        for name in made.from_folders
    ]
    lines += [f"not understood: {problem}" for problem in made.problems]
    lines += [
        f"could not be looked into: {place}; nothing is deleted until that was done: run this again then"
        for place in made.unseen
    ]
    lines += made.lost
    folded = (wrapped(safe(line), max(20, width - 2)) for line in lines if line)
    return "\n".join("\n  ".join(pieces) for pieces in folded)
