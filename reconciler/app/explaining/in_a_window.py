"""What of a thing waits for a change window: the newest commit asks for it, the one in force does not."""

from collections.abc import Collection

from reconciler.app.planning.look import View
from reconciler.plan.changes import Blocked, effect_of


def waits_for_a_window(
    view: View, thing: str, changes: Collection[str], in_force: View | None
) -> tuple[Blocked, ...]:
    """Return the closed window, where it holds back one of these changes (their ids), or the whole realm's.

    What the commit in force asks for, too, is done all the same.
    """
    window = view.window
    if window is None or in_force is None:
        return ()
    goes_on = {effect_of(change) for change in in_force.plan.changes}
    is_held = any(one.id in changes and effect_of(one) not in goes_on for one in view.plan.changes)
    if not is_held and thing != "realm":
        return ()
    blocked = Blocked(
        subject=thing,
        code="change-window",
        message=window.message,
        cause=window.cause,
        hint=window.way_out,
        until=window.opens_at,
    )
    return (blocked,)
