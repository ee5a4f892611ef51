"""A diagnosis as text: one check a line, and how to mend what is not well. Pure."""

from typing import TYPE_CHECKING

from reconciler.cli.text_layout import PLAIN, Paint, columns, padded, safe, wrapped
from state.amounts import count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.app.checking.checks import Check, Diagnosis, Fix
    from reconciler.app.checking.fixing import Attempt, Fixed
    from reconciler.app.rebuilding.doctor import Rebuilt

_MEANINGS = {"ok": "good", "warn": "warn", "fail": "bad"}
_OUTCOMES = {"done": "good", "asked": "good", "blocked": "warn", "failed": "bad"}
_NOTHING_SAFE = "Nothing is done: none of what is not well has a fix that is safe without a person."


def diagnosis_text(
    found: "Diagnosis", width: int, paint: Paint = PLAIN, *, tried: "Collection[Fix]" = ()
) -> str:
    """Return every check, how many are not well, and of how many `--fix` has one that was not `tried`."""
    column = max(columns(check.name) for check in found.checks)
    lines = [line for check in found.checks for line in _lines(check, column, width, paint)]
    return "\n".join([*lines, _summary(found, paint), *_on_fixes(found, tried, width)])


def _on_fixes(found: "Diagnosis", tried: "Collection[Fix]", width: int) -> "Iterator[str]":
    num_fixes = len({check.fix for check in found.checks if check.fix is not None} - set(tried))
    if num_fixes:
        yield from wrapped(f"{count(num_fixes, 'fix')} can be done at once: reconcile doctor --fix", width)


def fixed_text(found: "Fixed", width: int, paint: Paint = PLAIN) -> str:
    """Return what was tried and what came of it, then how everything is now."""
    lines = [line for one in found.fixes for line in _tried(one, width, paint)]
    if not lines:
        lines = wrapped("Nothing to fix." if _all_ok(found) else _NOTHING_SAFE, width)
    tried = {one.fix for one in found.fixes}
    return "\n".join([*lines, "", diagnosis_text(found, width, paint, tried=tried)])


def _all_ok(found: "Diagnosis") -> bool:
    return all(check.state == "ok" for check in found.checks)


def _tried(one: "Attempt", width: int, paint: Paint) -> list[str]:
    """Return a fix: its outcome, the check that it is about, what was done."""
    told, *more = _rebuilt_lines(one.rebuilt) if one.rebuilt is not None else [one.sentence]
    lead = 7 + 2
    first, *rest = (
        piece for text in (f"{one.check}: {told}", *more) for piece in _folded(text, width - lead)
    )
    head = paint(padded(one.outcome, 7), _OUTCOMES[one.outcome])
    return [f"{head}  {first}", *(f"{' ' * lead}{piece}" for piece in rest)]


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
    return "\n".join(piece for line in _rebuilt_lines(made) for piece in _folded(line, width))


def _rebuilt_lines(made: "Rebuilt") -> list[str]:
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
    return [line for line in lines if line]


def _folded(text: str, width: int) -> list[str]:
    """Return a text in lines of that width, all but the first a little to the right."""
    first, *rest = wrapped(safe(text), max(20, width - 2))
    return [first, *(f"  {piece}" for piece in rest)]
