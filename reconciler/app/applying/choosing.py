"""Which part of a plan is meant: what `--only` and `--exclude` say, or what a saved plan holds."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reconciler.app.planning.look import View
from reconciler.app.planning.saved_plans import pick
from reconciler.plan.review.narrowing import Choice, narrowed, unfitting
from reconciler.plan.review.saved import SavedPlan

if TYPE_CHECKING:
    from reconciler.app.applying.ticking import Choose


def chosen(view: View, choice: Choice) -> View:
    """Return the view with the chosen part of its plan; patterns that fit nothing are named."""
    if not choice:
        return view
    plan, slips = narrowed(view.plan, choice), unfitting(view.plan, choice)
    plan = msgspec.structs.replace(plan, warnings=(*plan.warnings, *slips))
    return msgspec.structs.replace(view, plan=plan)


def by_choice(choice: Choice) -> "Choose | None":
    """Return what takes the chosen part of each plan; None where all is meant."""
    return (lambda view: narrowed(view.plan, choice)) if choice else None


def by_saved(file: Path, saved: SavedPlan) -> "Choose":
    """Return what takes of a plan just what a saved one holds, and refuses where that is stale."""
    return lambda view: pick(view, file, saved)
